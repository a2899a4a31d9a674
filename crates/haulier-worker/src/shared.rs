//! What all parcels of a process share: the neighbours, the limits, the stop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger, Target};
use haulier_core::{ProcessId, RunId};
use haulier_throttle::{Controls, Slots};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::fence::Fence;
use crate::ids::Ids;
use crate::progress::Progress;

/// What does not change while a run goes on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Unsettled parcels that the queue may hand to this process; `None` for two rounds of every worker.
    pub prefetch: Option<u16>,
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
    pub(crate) controls: Arc<Controls>,
    pub(crate) name: Arc<watch::Sender<ProcessId>>,
    pub(crate) settings: Settings,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) fence: Fence,
    pub(crate) ids: Ids,
    pub(crate) backlog: Backlog,
}

/// Work is taken ahead for so long: a claim and its commit take a part of it.
const AHEAD: Duration = Duration::from_millis(100);

/// Records that were taken and not yet started. New parcels are taken only while it is small, so that other processes
/// get theirs and a stop has little to give back.
#[derive(Debug)]
pub(crate) struct Backlog {
    records: AtomicUsize,
    shrank: Notify,
    pace: Mutex<Pace>,
}

/// How many records were started in the last [`AHEAD`].
#[derive(Debug)]
struct Pace {
    since: Instant,
    started: usize,
    last: usize,
}

impl Default for Backlog {
    fn default() -> Self {
        let pace = Pace { since: Instant::now(), started: 0, last: 0 };
        Self { records: AtomicUsize::new(0), shrank: Notify::new(), pace: Mutex::new(pace) }
    }
}

impl Backlog {
    pub(crate) fn add(&self, records: usize) {
        self.records.fetch_add(records, Ordering::Relaxed);
    }

    pub(crate) fn remove(&self, records: usize) {
        self.records.fetch_sub(records, Ordering::Relaxed);
        self.pace().start(records);
        self.shrank.notify_one();
    }

    /// Waits until there is less than what `slots` need: two rounds, so that none waits for a claim, and at least
    /// [`AHEAD`]'s worth.
    pub(crate) async fn has_room(&self, slots: &Slots) {
        let room = || (2 * slots.limit()).max(self.pace().last).max(1);
        while self.records.load(Ordering::Relaxed) >= room() {
            // A raised limit is seen within a quarter of a second, a shrunk backlog at once.
            let _timed_out = tokio::time::timeout(Duration::from_millis(250), self.shrank.notified()).await;
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn start(&mut self, records: usize) {
        self.started += records;
        let windows = self.since.elapsed().as_millis() / AHEAD.as_millis();
        if windows > 0 {
            self.last = self.started / usize::try_from(windows).unwrap_or(usize::MAX);
            self.started = 0;
            self.since = Instant::now();
        }
    }
}
