//! What walks and sweeper share: the neighbours, the settings, the stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use haulier_core::RunId;
use haulier_core::port::{Clock, Ledger, Queue, Source};
use haulier_throttle::Rate;
use tokio_util::sync::CancellationToken;

use crate::progress::Progress;

/// Start values; the live ones come from the control of the run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Walks at a time.
    pub fibres: usize,
    /// Records a second; `None` is as fast as source and queue allow.
    pub rate: Option<f64>,
    /// Most rows in one chunk.
    pub chunk: u32,
    /// Most records in one parcel.
    pub parcel: usize,
    /// How long a request may still act on the target after its worker gave up or died.
    pub zombie_grace: Duration,
    /// How long a process may be silent before others take over what it holds: a worker's claims, a producer's lease.
    pub silent_after: Duration,
}

/// What fibres and sweeper share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) run: RunId,
    /// Where signs of life come from here.
    pub(crate) host: Option<String>,
    pub(crate) settings: Settings,
    pub(crate) rate: Rate,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) epoch: AtomicU64,
}

impl Shared {
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    pub(crate) fn rate_now(&self) -> Option<f64> {
        self.settings.rate
    }
}
