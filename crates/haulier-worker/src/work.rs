//! One process's share of the work: takes parcels while there is room, and stops in order.

use std::sync::Arc;

use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Consumer, Delivery, Ledger, Queue, QueueError, Target};
use haulier_core::{ProcessId, RunId};
use haulier_throttle::{Flow, Slots, patiently};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::WorkError;
use crate::beat::keep_beating;
use crate::fence::Fence;
use crate::ids::Ids;
use crate::parcel;
use crate::progress::Progress;
use crate::shared::{Backlog, Settings, Shared};

/// A worker process's share of one run.
#[derive(Debug)]
pub struct Worker {
    /// Where parcels come from.
    pub queue: Arc<dyn Queue>,
    /// What happened.
    pub ledger: Arc<dyn Ledger>,
    /// Where records go.
    pub target: Arc<dyn Target>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What moves.
    pub plan: Arc<Plan>,
    /// The run.
    pub run: RunId,
    /// This process.
    pub process: ProcessId,
    /// Pushes at a time; may change while it works.
    pub slots: Slots,
    /// What every request passes; may change while it works.
    pub flow: Arc<Flow>,
    /// Start values.
    pub settings: Settings,
    /// Counters for those who watch.
    pub progress: Arc<Progress>,
    /// Stops intake: what is in flight ends, the rest is given back.
    pub stop: CancellationToken,
}

impl Worker {
    /// Works until the stop, then lets what is in flight end within the grace time and gives the rest back.
    pub async fn run(self) -> Result<(), WorkError> {
        let queue = self.queue;
        let fence = Fence::new(self.process, self.settings.silent_after, Arc::clone(&self.clock));
        let shared = Arc::new(Shared {
            ledger: self.ledger,
            target: self.target,
            clock: self.clock,
            plan: self.plan,
            run: self.run,
            slots: self.slots,
            flow: self.flow,
            settings: self.settings,
            progress: self.progress,
            stop: self.stop,
            fence,
            ids: Ids::default(),
            backlog: Backlog::default(),
        });
        let ended = CancellationToken::new();
        let beating = tokio::spawn({
            let (shared, ended) = (Arc::clone(&shared), ended.clone());
            async move { keep_beating(&shared, &ended).await }
        });
        let worked = take_parcels(&shared, queue.as_ref()).await;
        ended.cancel();
        beating.await.map_err(|error| WorkError::Panicked(error.to_string()))?;
        worked
    }
}

async fn take_parcels(shared: &Arc<Shared>, queue: &dyn Queue) -> Result<(), WorkError> {
    let open = || queue.consumer(shared.settings.prefetch);
    let opened = patiently("the queue", &shared.stop, QueueError::is_passing, open).await;
    let consumer: Arc<dyn Consumer> = match opened {
        Ok(consumer) => consumer.into(),
        Err(_) if shared.stop.is_cancelled() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut parcels: JoinSet<Result<(), WorkError>> = JoinSet::new();
    let taken = loop {
        while let Some(ended) = parcels.try_join_next() {
            joined(ended)?;
        }
        let next = async {
            shared.backlog.has_room(&shared.slots).await;
            patiently("the queue", &shared.stop, QueueError::is_passing, || consumer.next()).await
        };
        let delivery: Delivery = tokio::select! {
            next = next => match next {
                Ok(delivery) => delivery,
                Err(_) if shared.stop.is_cancelled() => break Ok(()),
                Err(error) => break Err(error.into()),
            },
            () = shared.stop.cancelled() => break Ok(()),
        };
        shared.backlog.add(delivery.parcel.records.len());
        let (shared, consumer) = (Arc::clone(shared), Arc::clone(&consumer));
        parcels.spawn(async move { parcel::handle(&shared, consumer.as_ref(), delivery).await });
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

fn joined(ended: Result<Result<(), WorkError>, tokio::task::JoinError>) -> Result<(), WorkError> {
    ended.map_err(|error| WorkError::Panicked(error.to_string()))?
}
