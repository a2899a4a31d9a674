//! Taking parcels: while the gate is open, over a consumer that fits, until the stop.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Consumer, Delivery, Queue, QueueError};
use haulier_throttle::{Gate, patiently};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::WorkError;
use crate::parcel;
use crate::shared::Shared;

/// A pause of this length gives back what was taken and not started, so that no broker runs out of patience.
const RECALL: Duration = Duration::from_secs(5);
/// How often is looked whether the share has outgrown the consumer.
const LOOK: Duration = Duration::from_millis(250);

type Parcels = JoinSet<Result<(), WorkError>>;

/// Why no more parcels are taken over a consumer.
enum End {
    Stop,
    /// Nothing may begin, and has not for a while.
    Closed,
    /// What is in hand goes on; the gate decides about more, and another consumer brings it.
    Other,
}

/// Takes parcels until the stop, then lets what is in flight end within the grace time.
pub(crate) async fn take_parcels(shared: &Arc<Shared>, queue: &dyn Queue) -> Result<(), WorkError> {
    let mut parcels = Parcels::new();
    let mut session = shared.stop.child_token();
    let taken = loop {
        let end = match until_open(shared, &mut parcels).await {
            Ok(true) => take_in(shared, queue, &session, &mut parcels).await,
            Ok(false) => break Ok(()),
            Err(error) => Err(error),
        };
        match end {
            Ok(End::Stop) => break Ok(()),
            Ok(End::Closed) => {
                // Each parcel gives back what it has not started; the last one takes the consumer along.
                session.cancel();
                session = shared.stop.child_token();
            }
            Ok(End::Other) => {}
            Err(error) => break Err(error),
        }
    };
    let rest = async {
        while let Some(ended) = parcels.join_next().await {
            joined(ended)?;
        }
        Ok(())
    };
    match tokio::time::timeout(shared.settings.grace, rest).await {
        Ok(rest) => taken.and(rest),
        Err(_) => {
            tracing::warn!(
                "requests were still in flight at the end of the grace time; they are looked up before anything is sent again"
            );
            taken
        }
    }
}

/// Waits for the gate; `false` when the stop came first.
async fn until_open(shared: &Shared, parcels: &mut Parcels) -> Result<bool, WorkError> {
    let mut gate = shared.controls.gate();
    loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return Ok(false),
            Some(ended) = parcels.join_next(), if !parcels.is_empty() => joined(ended)?,
            open = gate.wait_for(|gate| *gate == Gate::Open) => return Ok(open.is_ok()),
        }
    }
}

async fn take_in(
    shared: &Arc<Shared>,
    queue: &dyn Queue,
    session: &CancellationToken,
    parcels: &mut Parcels,
) -> Result<End, WorkError> {
    let prefetch = prefetch(shared);
    let open = || queue.consumer(prefetch);
    let opened = patiently("the queue", &shared.stop, QueueError::is_passing, open).await;
    let consumer: Arc<dyn Consumer> = match opened {
        Ok(consumer) => consumer.into(),
        Err(_) if shared.stop.is_cancelled() => return Ok(End::Stop),
        Err(error) => return Err(error.into()),
    };
    loop {
        while let Some(ended) = parcels.try_join_next() {
            joined(ended)?;
        }
        let mut gate = shared.controls.gate();
        let next = async {
            // The gate's sender is ours, and lives.
            drop(gate.wait_for(|gate| *gate == Gate::Open).await);
            shared.backlog.has_room(&shared.controls.slots).await;
            patiently("the queue", &shared.stop, QueueError::is_passing, || consumer.next()).await
        };
        let delivery: Delivery = tokio::select! {
            next = next => match next {
                Ok(delivery) => delivery,
                Err(_) if shared.stop.is_cancelled() => return Ok(End::Stop),
                Err(error) => return Err(error.into()),
            },
            () = shared.stop.cancelled() => return Ok(End::Stop),
            end = must_end(shared, prefetch) => return Ok(end),
        };
        shared.backlog.add(delivery.parcel.records.len());
        let (shared, consumer, session) = (Arc::clone(shared), Arc::clone(&consumer), session.clone());
        parcels.spawn(async move { parcel::handle(&shared, consumer.as_ref(), delivery, &session).await });
    }
}

/// Waits until the consumer is not what is needed any more.
async fn must_end(shared: &Shared, opened_with: u16) -> End {
    let mut gate = shared.controls.gate();
    loop {
        let now = *gate.borrow_and_update();
        match now {
            Gate::Draining => return End::Other,
            Gate::Closed => {
                let reopened = gate.wait_for(|gate| *gate != Gate::Closed);
                if tokio::time::timeout(RECALL, reopened).await.is_err() {
                    return End::Closed;
                }
            }
            Gate::Open if prefetch(shared) > opened_with => return End::Other,
            Gate::Open => {
                // A change is looked at as soon as it comes, a grown share a little later.
                drop(tokio::time::timeout(LOOK, gate.changed()).await);
            }
        }
    }
}

/// Unsettled parcels that the queue may hand to this process: two rounds of every worker, whatever the parcels' size.
fn prefetch(shared: &Shared) -> u16 {
    shared
        .settings
        .prefetch
        .unwrap_or_else(|| u16::try_from(2 * shared.controls.slots.limit()).unwrap_or(u16::MAX).clamp(4, 64))
}

fn joined(ended: Result<Result<(), WorkError>, JoinError>) -> Result<(), WorkError> {
    ended.map_err(|error| WorkError::Panicked(error.to_string()))?
}
