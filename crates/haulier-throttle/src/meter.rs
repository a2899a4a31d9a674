//! What passed within the last seconds.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use haulier_core::control::{Latencies, Measured};
use haulier_core::port::Answer;
use haulier_core::tolerance::{Attempt, Window};
use tokio::time::Instant;

/// How far back it looks.
const WINDOW: Duration = Duration::from_secs(10);
/// What one slice of the window holds.
const SLICE: Duration = Duration::from_millis(500);

/// Counts requests, answers and produced records over a sliding window of ten seconds, and since the start.
#[derive(Debug)]
pub struct Meter {
    started: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    slices: VecDeque<Slice>,
    totals: Totals,
    attempts: Window,
}

/// Counts since the process started; they only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests that were sent.
    pub requests: u64,
    /// Complete answers.
    pub answers: u64,
    /// Answers that asked for less.
    pub throttled: u64,
    /// Other 5xx, time-outs, lost connections.
    pub failed: u64,
    /// Records that were put into the queue.
    pub produced: u64,
    /// Parcels that carried them.
    pub parcels: u64,
}

#[derive(Debug)]
struct Slice {
    since: Instant,
    counts: Totals,
    latencies: Latencies,
}

impl Default for Meter {
    fn default() -> Self {
        Self { started: Instant::now(), inner: Mutex::default() }
    }
}

impl Meter {
    /// A request leaves.
    pub fn passed(&self) {
        self.count(|counts| counts.requests += 1, None);
    }

    /// A request ended.
    pub fn answered(&self, answer: Answer, attempt: Attempt, saturated: bool) {
        self.lock().attempts.note(attempt, saturated);
        let throttled = match answer.status {
            Some(429) => true,
            Some(503) => answer.retry_after.is_some(),
            Some(_) | None => false,
        };
        let failed = !throttled && answer.status.is_none_or(|status| status >= 500 || status == 408);
        let add = |counts: &mut Totals| {
            counts.answers += u64::from(answer.status.is_some());
            counts.throttled += u64::from(throttled);
            counts.failed += u64::from(failed);
        };
        self.count(add, answer.status.map(|_| answer.took));
    }

    /// Records went into the queue.
    pub fn produced(&self, records: usize, parcels: usize) {
        let add = |counts: &mut Totals| {
            counts.produced += records as u64;
            counts.parcels += parcels as u64;
        };
        self.count(add, None);
    }

    /// Counts since the start.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// What happened to all attempts since the start, as the tolerance law sees them.
    #[must_use]
    pub fn attempts(&self) -> Window {
        self.lock().attempts.clone()
    }

    /// What the last ten seconds held, or all since the start where that is less.
    #[must_use]
    pub fn measured(&self) -> Measured {
        let now = Instant::now();
        let mut inner = self.lock();
        forget(&mut inner.slices, now);
        let mut measured = Measured::default();
        let mut sum = Totals::default();
        for slice in &inner.slices {
            sum.requests += slice.counts.requests;
            sum.produced += slice.counts.produced;
            sum.throttled += slice.counts.throttled;
            sum.failed += slice.counts.failed;
            measured.latencies.merge(&slice.latencies);
        }
        drop(inner);
        let seconds = now.duration_since(self.started).min(WINDOW).max(SLICE).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "counts of ten seconds")]
        let per_second = |count: u64| count as f64 / seconds;
        measured.requests_per_second = per_second(sum.requests);
        measured.produced_per_second = per_second(sum.produced);
        measured.throttled = u32::try_from(sum.throttled).unwrap_or(u32::MAX);
        measured.failed = u32::try_from(sum.failed).unwrap_or(u32::MAX);
        measured
    }

    fn count(&self, add: impl Fn(&mut Totals), took: Option<Duration>) {
        let now = Instant::now();
        let mut inner = self.lock();
        let inner = &mut *inner;
        add(&mut inner.totals);
        if inner.slices.back().is_none_or(|slice| now.duration_since(slice.since) >= SLICE) {
            forget(&mut inner.slices, now);
            let counts = Totals::default();
            inner.slices.push_back(Slice { since: now, counts, latencies: Latencies::default() });
        }
        if let Some(slice) = inner.slices.back_mut() {
            add(&mut slice.counts);
            if let Some(took) = took {
                slice.latencies.add(took);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Counts that are one off after a panic elsewhere are still the best there are.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn forget(slices: &mut VecDeque<Slice>, now: Instant) {
    while slices.front().is_some_and(|slice| now.duration_since(slice.since) > WINDOW) {
        slices.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_window_slides_and_the_totals_stay() {
        let meter = Meter::default();
        let answer = |status, retry_after| Answer { took: Duration::from_millis(20), status, retry_after };
        let count = |answer: Answer| {
            let attempt = Attempt::of(answer.status, answer.retry_after.is_some(), answer.took);
            meter.answered(answer, attempt, true);
        };
        for second in 0..20_u32 {
            for _ in 0..30 {
                meter.passed();
                count(answer(Some(200), None));
            }
            if second == 19 {
                count(answer(Some(429), None));
                count(answer(Some(503), Some(Duration::from_secs(1))));
                count(answer(Some(503), None));
                count(answer(None, None));
                meter.produced(50, 1);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let measured = meter.measured();
        assert!((measured.requests_per_second - 30.0).abs() < 0.1, "{measured:?}");
        assert!((measured.produced_per_second - 5.0).abs() < 0.1, "{measured:?}");
        assert_eq!((measured.throttled, measured.failed), (2, 2));
        assert_eq!(meter.totals().requests, 600);
        tokio::time::advance(Duration::from_secs(11)).await;
        assert_eq!(meter.measured().latencies.count(), 0);
        assert_eq!(
            meter.totals(),
            Totals { requests: 600, answers: 603, throttled: 2, failed: 2, produced: 50, parcels: 1 }
        );
    }
}
