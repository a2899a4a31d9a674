//! One process's share of the work: takes parcels while there is room, and stops in order.

use std::sync::Arc;

use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger, Queue, Target};
use haulier_core::{ProcessId, RunId};
use haulier_throttle::Controls;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::WorkError;
use crate::backlog::Backlog;
use crate::beat::keep_beating;
use crate::fence::Fence;
use crate::ids::Ids;
use crate::progress::Progress;
use crate::session;
use crate::shared::{Settings, Shared};

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
    /// What it obeys; changes while it works.
    pub controls: Arc<Controls>,
    /// The name that it goes by, for others to follow: it takes another when it was taken for dead.
    pub name: Arc<watch::Sender<ProcessId>>,
    /// What does not change while it works.
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
            controls: self.controls,
            name: self.name,
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
        let worked = session::take_parcels(&shared, queue.as_ref()).await;
        ended.cancel();
        beating.await.map_err(|error| WorkError::Panicked(error.to_string()))?;
        worked
    }
}
