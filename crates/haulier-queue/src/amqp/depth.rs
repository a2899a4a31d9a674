//! How much the queues hold.
//!
//! What waits is asked of the queues themselves and is exact. What is delivered and not settled is known to the
//! management API only, from statistics of up to 5 s ago. Where both know something, the larger number counts, so
//! that stale statistics can make a queue look fuller than it is, and never emptier than they say.

use haulier_core::port::{Depth, QueueError};

use super::Options;
use super::api::Client;
use super::lane::Lane;
use super::topology::{Names, count};

/// What waits in the queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// For a consumer.
    pub ready: u64,
    /// For its time.
    pub delayed: u64,
    /// For a person.
    pub dead: u64,
}

pub(super) async fn waiting(lane: &Lane, options: &Options, names: &Names) -> Result<Waiting, QueueError> {
    let line = lane.line().await?;
    let ask = async |queue: &str| match count(&line.connection, options, queue).await {
        Ok(Some(count)) => Ok(count),
        Ok(None) => Err(QueueError::Gone { queue: queue.to_owned() }),
        Err(error) => {
            line.broken.cancel();
            Err(error)
        }
    };
    let mut waiting = Waiting { ready: ask(&names.main).await?, delayed: 0, dead: ask(&names.dead).await? };
    for queue in &names.delays {
        waiting.delayed += ask(queue).await?;
    }
    Ok(waiting)
}

/// What waits in the main queue alone.
pub(super) async fn ready(lane: &Lane, options: &Options, names: &Names) -> Result<u64, QueueError> {
    let line = lane.line().await?;
    match count(&line.connection, options, &names.main).await {
        Ok(Some(ready)) => Ok(ready),
        Ok(None) => Err(QueueError::Gone { queue: names.main.clone() }),
        Err(error) => {
            line.broken.cancel();
            Err(error)
        }
    }
}

pub(super) async fn depth(
    api: &Client,
    lane: &Lane,
    options: &Options,
    names: &Names,
) -> Result<Depth, QueueError> {
    let main = api.counts(&names.main).await?;
    let mut delayed = 0;
    for queue in &names.delays {
        // All of it: what is on its way back to the main queue is neither ready nor unacknowledged here.
        delayed += api.counts(queue).await?.total;
    }
    let waiting = waiting(lane, options, names).await?;
    Ok(Depth {
        ready: waiting.ready,
        // What the statistics knew and the queue has no more is delivered, settled, or was taken in between.
        unsettled: main.unacknowledged.max(main.total.saturating_sub(waiting.ready)),
        delayed: waiting.delayed.max(delayed),
        dead: waiting.dead,
    })
}
