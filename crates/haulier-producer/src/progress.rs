//! What the producer has done so far, for those who watch.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the process started; they only grow.
#[derive(Debug, Default)]
pub struct Progress {
    read: AtomicU64,
    published: AtomicU64,
    swept: AtomicU64,
}

impl Progress {
    /// Rows read by walks.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Records published by walks and confirmed.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Records published again.
    #[must_use]
    pub fn swept(&self) -> u64 {
        self.swept.load(Ordering::Relaxed)
    }

    pub(crate) fn add_read(&self, rows: usize) {
        self.read.fetch_add(rows as u64, Ordering::Relaxed);
    }

    pub(crate) fn add_published(&self, records: usize) {
        self.published.fetch_add(records as u64, Ordering::Relaxed);
    }

    pub(crate) fn add_swept(&self, records: usize) {
        self.swept.fetch_add(records as u64, Ordering::Relaxed);
    }
}
