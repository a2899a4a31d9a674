//! What the worker has done so far, for those who watch.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the process started; they only grow.
#[derive(Debug, Default)]
pub struct Progress {
    landed: AtomicU64,
    failed: AtomicU64,
    held: AtomicU64,
    dropped: AtomicU64,
}

impl Progress {
    /// Records that landed.
    #[must_use]
    pub fn landed(&self) -> u64 {
        self.landed.load(Ordering::Relaxed)
    }

    /// Attempts that failed.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Records set aside until their parent lands.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Records that came again with nothing left to do.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn add_landed(&self) {
        self.landed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_held(&self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_dropped(&self, records: usize) {
        self.dropped.fetch_add(records as u64, Ordering::Relaxed);
    }
}
