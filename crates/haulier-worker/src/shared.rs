//! What all parcels of a process share: the neighbours, the limits, the stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use haulier_core::RunId;
use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger, Target};
use haulier_throttle::{Flow, Slots};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fence::Fence;
use crate::ids::Ids;
use crate::progress::Progress;

/// Start values.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Unsettled parcels that the queue may hand to this process.
    pub prefetch: u16,
    /// How long a request may still act on the target after this process gave it up or died.
    pub zombie_grace: Duration,
    /// How long requests in flight may take to end after a stop.
    pub grace: Duration,
    /// How long a process may be silent before others take over what it holds.
    pub silent_after: Duration,
    /// `worker`, or `run` where the producer is in the same process.
    pub role: &'static str,
    /// This host's name.
    pub host: String,
}

/// What all parcels share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) run: RunId,
    pub(crate) slots: Slots,
    pub(crate) flow: Arc<Flow>,
    pub(crate) settings: Settings,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) fence: Fence,
    pub(crate) ids: Ids,
    pub(crate) backlog: Backlog,
}

/// Records that were taken and not yet started. New parcels are taken only while it is small, so that other processes
/// get theirs and a stop has little to give back.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    records: AtomicUsize,
    shrank: Notify,
}

impl Backlog {
    pub(crate) fn add(&self, records: usize) {
        self.records.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn remove(&self, records: usize) {
        self.records.fetch_sub(records, Ordering::Relaxed);
        self.shrank.notify_one();
    }

    pub(crate) async fn below(&self, limit: impl Fn() -> usize) {
        while self.records.load(Ordering::Relaxed) >= limit() {
            // A raised limit is seen within a quarter of a second, a shrunk backlog at once.
            let _timed_out = tokio::time::timeout(Duration::from_millis(250), self.shrank.notified()).await;
        }
    }
}
