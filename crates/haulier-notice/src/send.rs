//! Hands what is due to its channel, and notes what became of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::notice::{Post, PostEvent, PostState};
use haulier_core::port::{Clock, LedgerError, Micros, Outbox};

use crate::channel::{Channel, Delivery, PATIENCE};
use crate::due::Called;

/// A post that has been on its way for so long has lost its sender: five times what a channel may take.
const DEAD_AFTER: Duration = PATIENCE.saturating_mul(5);
/// The first wait after a refusal; it doubles.
const BASE: Duration = Duration::from_mins(1);
/// The longest wait.
const CAP: Duration = Duration::from_hours(1);

/// What became of everything that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Channels took so many.
    pub accepted: usize,
    /// So many wait for the word of a person who passes them on.
    pub handed: usize,
    /// So many did not go out, and are tried again.
    pub refused: usize,
    /// Of so many nobody knows.
    pub lost: usize,
}

/// Keeps what is called for, and drops what waits with a date that no longer holds. Returns how many posts were new.
///
/// # Errors
/// The outbox cannot be used.
pub async fn keep(outbox: &dyn Outbox, called: &Called, now: Micros) -> Result<u64, LedgerError> {
    for id in &called.outdated {
        outbox.settle_post(*id, PostEvent::Withdrawn, Some("its date no longer holds"), now, now).await?;
    }
    outbox.post(&called.new, now).await
}

/// Sends everything that is due now, one after another, so that a crash leaves at most one in doubt. Cancel safe: a post that
/// was on its way becomes doubtful.
///
/// # Errors
/// The outbox cannot be used.
pub async fn send(
    outbox: &dyn Outbox,
    channels: &BTreeMap<String, Arc<dyn Channel>>,
    clock: &dyn Clock,
) -> Result<Sent, LedgerError> {
    let mut sent = Sent::default();
    let now = clock.micros();
    outbox.doubt_posts(now.saturating_sub(micros(DEAD_AFTER)), now).await?;
    ask(outbox, channels, clock).await?;
    loop {
        let taken = outbox.take_posts(clock.micros(), 1).await?;
        let Some(post) = taken.into_iter().next() else { return Ok(sent) };
        let delivery = match channels.get(&post.what.channel) {
            Some(channel) => channel.deliver(&post).await,
            None => Delivery::Refused(format!("the site has no channel `{}`", post.what.channel)),
        };
        let (event, said, count) = match delivery {
            Delivery::Accepted(said) => (PostEvent::Accepted, said, &mut sent.accepted),
            Delivery::Handed(said) => (PostEvent::Handed, said, &mut sent.handed),
            Delivery::Refused(said) => (PostEvent::Refused, said, &mut sent.refused),
            Delivery::Lost(said) => (PostEvent::Lost, said, &mut sent.lost),
        };
        *count += 1;
        if matches!(event, PostEvent::Refused | PostEvent::Lost) {
            tracing::warn!(
                notice = post.what.notice,
                channel = post.what.channel,
                "a notice did not go out: {said}"
            );
        }
        let now = clock.micros();
        let due = now.saturating_add(micros(wait(post.attempts)));
        outbox.settle_post(post.id, event, Some(&said), now, due).await?;
    }
}

/// Resolves doubts with channels that can tell.
async fn ask(
    outbox: &dyn Outbox,
    channels: &BTreeMap<String, Arc<dyn Channel>>,
    clock: &dyn Clock,
) -> Result<(), LedgerError> {
    let doubtful = |post: &Post| post.state == PostState::Doubtful;
    for post in outbox.posts().await?.into_iter().filter(doubtful) {
        let Some(channel) = channels.get(&post.what.channel) else { continue };
        let Some(went_out) = channel.knows(&post).await else { continue };
        let event = if went_out { PostEvent::Confirmed } else { PostEvent::Again };
        let said = if went_out { "its channel has it" } else { "its channel does not have it" };
        let now = clock.micros();
        outbox.settle_post(post.id, event, Some(said), now, now).await?;
    }
    Ok(())
}

/// How long to wait after that many attempts.
fn wait(attempts: u32) -> Duration {
    BASE.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1).min(10))).min(CAP)
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let minutes: Vec<u64> = (1..=9).map(|attempts| wait(attempts).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(wait(u32::MAX), CAP);
    }
}
