//! What the sandbox counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

/// What the sandbox counted since its start or the last reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// What is stored, by collection.
    pub collections: BTreeMap<&'static str, CollectionStats>,
    /// Requests to the API that were answered, mishaps included.
    pub requests: u64,
    /// The same by status.
    pub by_status: BTreeMap<u16, u64>,
    /// Requests that are being answered now, those that wait for a slot included.
    pub in_flight: u64,
    /// The most there were of them at a time.
    pub max_in_flight: u64,
    /// The most requests that were worked on at a time.
    pub max_in_service: u64,
    /// Answers that were cut in the middle.
    pub half_replies: u64,
    /// Answers that were never sent.
    pub lost_answers: u64,
    /// Answers that were given again for the same `Idempotency-Key`.
    pub replays: u64,
}

/// What is stored of one collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CollectionStats {
    /// Records.
    pub records: usize,
    /// Records beyond the first of their natural key.
    pub duplicates: u64,
    /// Records that were ever created, over all resets.
    pub created: u64,
}

/// The counters behind [`Stats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) in_flight: Arc<Gauge>,
    pub(crate) in_service: Arc<Gauge>,
    pub(crate) half_replies: AtomicU64,
    pub(crate) lost_answers: AtomicU64,
    pub(crate) replays: AtomicU64,
    by_status: Mutex<BTreeMap<u16, u64>>,
}

impl Counters {
    pub(crate) fn count(&self, status: u16) {
        *self.by_status.lock().unwrap_or_else(PoisonError::into_inner).entry(status).or_default() += 1;
    }

    pub(crate) fn stats(&self, collections: BTreeMap<&'static str, CollectionStats>) -> Stats {
        let by_status = self.by_status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Stats {
            collections,
            requests: by_status.values().sum(),
            by_status,
            in_flight: self.in_flight.now.load(Ordering::Relaxed),
            max_in_flight: self.in_flight.max.load(Ordering::Relaxed),
            max_in_service: self.in_service.max.load(Ordering::Relaxed),
            half_replies: self.half_replies.load(Ordering::Relaxed),
            lost_answers: self.lost_answers.load(Ordering::Relaxed),
            replays: self.replays.load(Ordering::Relaxed),
        }
    }

    /// Starts from zero; what is in flight stays in flight.
    pub(crate) fn reset(&self) {
        self.by_status.lock().unwrap_or_else(PoisonError::into_inner).clear();
        for counter in [&self.half_replies, &self.lost_answers, &self.replays] {
            counter.store(0, Ordering::Relaxed);
        }
        for gauge in [&self.in_flight, &self.in_service] {
            gauge.max.store(gauge.now.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}

/// How many there are now, and the most there were.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    now: AtomicU64,
    max: AtomicU64,
}

impl Gauge {
    /// Counts one until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> GaugeGuard {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.max.fetch_max(now, Ordering::Relaxed);
        GaugeGuard(Arc::clone(self))
    }
}

/// One that is counted.
#[derive(Debug)]
pub(crate) struct GaugeGuard(Arc<Gauge>);

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
