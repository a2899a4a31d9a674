//! What walks and sweeper share: the neighbours, the settings, the stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use haulier_core::RunId;
use haulier_core::port::{Clock, Ledger, Queue, Source};
use haulier_throttle::brakes::Board;
use haulier_throttle::{Controls, Gate, Meter, Slot};
use tokio_util::sync::CancellationToken;

use crate::lease::Standing;
use crate::leg::Leg;
use crate::progress::Progress;

/// What does not change while a run goes on.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Walks at a time, at the start.
    pub fibres: usize,
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
    /// What is due later than this was put off by a clock that has been set back since.
    pub(crate) longest_wait: Duration,
    /// The part of the run that is walked.
    pub(crate) leg: Option<Leg>,
    pub(crate) controls: Arc<Controls>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) board: Board,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) epoch: AtomicU64,
    pub(crate) standing: Standing,
}

impl Shared {
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    pub(crate) fn rate_now(&self) -> Option<f64> {
        self.controls.flow.rate().per_second()
    }

    /// Waits for `records` tokens; `false` when the stop came first.
    pub(crate) async fn may_send(&self, records: usize) -> bool {
        tokio::select! {
            () = self.controls.flow.take(records) => true,
            () = self.stop.cancelled() => false,
        }
    }

    /// The slot, or another once there is room again; `None` when the stop came first.
    pub(crate) async fn keep(&self, mut slot: Slot) -> Option<Slot> {
        if self.stop.is_cancelled() {
            return None;
        }
        if !slot.surrender() {
            return Some(slot);
        }
        tokio::select! {
            slot = self.controls.slots.take() => Some(slot),
            () = self.stop.cancelled() => None,
        }
    }

    /// Waits until anything may be sent at all, or the stop.
    pub(crate) async fn until_not_closed(&self) {
        let mut gate = self.controls.gate();
        tokio::select! {
            _ = gate.wait_for(|gate| *gate != Gate::Closed) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
