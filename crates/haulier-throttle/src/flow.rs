//! What every request passes: the rate, the pause, and the target's own "not before".

use std::time::Duration;

use async_trait::async_trait;
use haulier_core::port::Throttle;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Rate;

/// A rate that can be held: by a pause, or until an instant that the target asked for.
#[derive(Debug)]
pub struct Flow {
    rate: Rate,
    hold: watch::Sender<Hold>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    paused: bool,
    until: Option<Instant>,
}

impl Flow {
    /// Starts open, with this rate.
    #[must_use]
    pub fn new(per_second: Option<f64>) -> Self {
        Self { rate: Rate::new(per_second), hold: watch::Sender::new(Hold::default()) }
    }

    /// The rate, to change it.
    #[must_use]
    pub fn rate(&self) -> &Rate {
        &self.rate
    }

    /// Stops or lets through; nothing under way is touched.
    pub fn pause(&self, paused: bool) {
        self.hold.send_modify(|hold| hold.paused = paused);
    }

    /// Lets nothing through for so long; a longer hold that runs already stays.
    pub fn hold_for(&self, wait: Duration) {
        let until = Instant::now() + wait;
        self.hold.send_modify(|hold| hold.until = Some(hold.until.map_or(until, |old| old.max(until))));
    }

    async fn open(&self) {
        let mut changes = self.hold.subscribe();
        loop {
            let hold = *changes.borrow_and_update();
            let wait = hold.until.map(|until| until.saturating_duration_since(Instant::now()));
            match wait {
                _ if hold.paused => {
                    if changes.changed().await.is_err() {
                        return;
                    }
                }
                Some(wait) if !wait.is_zero() => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        changed = changes.changed() => if changed.is_err() { return },
                    }
                }
                Some(_) | None => return,
            }
        }
    }
}

#[async_trait]
impl Throttle for Flow {
    async fn pass(&self) {
        self.rate.take(1).await;
        self.open().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test(start_paused = true)]
    async fn a_hold_delays_and_ends_by_itself() {
        let flow = Flow::new(None);
        flow.hold_for(Duration::from_secs(7));
        flow.hold_for(Duration::from_secs(3));
        let start = Instant::now();
        flow.pass().await;
        assert!(start.elapsed() >= Duration::from_secs(7));
    }

    #[tokio::test]
    async fn a_pause_lasts_until_it_is_lifted() {
        let flow = Arc::new(Flow::new(None));
        flow.pause(true);
        let passing = tokio::spawn({
            let flow = Arc::clone(&flow);
            async move { flow.pass().await }
        });
        tokio::task::yield_now().await;
        assert!(!passing.is_finished());
        flow.pause(false);
        tokio::time::timeout(Duration::from_secs(5), passing).await.unwrap().unwrap();
    }
}
