//! What a process measured of late.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ProcessId;
use crate::port::Micros;

/// How long answers took, in buckets that grow by a tenth, so that those of several processes can be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies(BTreeMap<u16, u32>);

/// The ratio of two neighbouring buckets; a quantile is too high by at most so much.
const GROWTH: f64 = 1.1;
/// The upper end of the first bucket, in milliseconds.
const FIRST_MS: f64 = 0.1;
/// The last bucket: about an hour.
const LAST: u16 = 183;

impl Latencies {
    /// Back from what [`Latencies::buckets`] gave.
    pub fn of(buckets: impl IntoIterator<Item = (u16, u32)>) -> Self {
        Self(buckets.into_iter().filter(|(bucket, _)| *bucket <= LAST).collect())
    }

    /// Adds one.
    pub fn add(&mut self, took: Duration) {
        *self.0.entry(bucket(took)).or_default() += 1;
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            let sum = self.0.entry(*bucket).or_default();
            *sum = sum.saturating_add(*count);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.values().map(|count| u64::from(*count)).sum()
    }

    /// The time that this share of them did not exceed, in milliseconds; `None` without any.
    #[must_use]
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
        let wanted = (self.count() as f64 * share.clamp(0.0, 1.0)).max(1.0);
        let mut seen = 0.0;
        self.0.iter().find_map(|(bucket, count)| {
            seen += f64::from(*count);
            (seen >= wanted).then(|| FIRST_MS * GROWTH.powi(i32::from(*bucket)))
        })
    }

    /// Buckets and their counts.
    pub fn buckets(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        self.0.iter().map(|(bucket, count)| (*bucket, *count))
    }
}

fn bucket(took: Duration) -> u16 {
    let steps = (took.as_secs_f64() * 1000.0 / FIRST_MS).max(1.0).ln() / GROWTH.ln();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and LAST")]
    let bucket = steps.ceil().clamp(0.0, f64::from(LAST)) as u16;
    bucket
}

/// What happened within the last seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// Requests a second to the target, retries included.
    pub requests_per_second: f64,
    /// Records a second into the queue.
    pub produced_per_second: f64,
    /// How long complete answers took.
    pub latencies: Latencies,
    /// Answers that asked for less: 429, or 503 with `Retry-After`.
    pub throttled: u32,
    /// Other 5xx, time-outs, lost connections.
    pub failed: u32,
}

impl Measured {
    /// Adds what another process measured.
    pub fn merge(&mut self, other: &Self) {
        self.requests_per_second += other.requests_per_second;
        self.produced_per_second += other.produced_per_second;
        self.latencies.merge(&other.latencies);
        self.throttled = self.throttled.saturating_add(other.throttled);
        self.failed = self.failed.saturating_add(other.failed);
    }

    /// The share of answers that asked for less, and of those that failed.
    #[must_use]
    pub fn shares(&self) -> (f64, f64) {
        #[expect(clippy::cast_precision_loss, reason = "counts of a few seconds")]
        let good = self.latencies.count() as f64;
        let all = good.max(f64::from(self.throttled) + f64::from(self.failed)).max(1.0);
        (f64::from(self.throttled) / all, f64::from(self.failed) / all)
    }
}

/// What a process measured within the seconds before an instant; a run's samples are its history.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The instant.
    pub at: Micros,
    /// The process.
    pub process: ProcessId,
    /// What it measured.
    pub measured: Measured,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_a_tenth() {
        let mut one = Latencies::default();
        let mut two = Latencies::default();
        for ms in 1..=1000 {
            (if ms % 2 == 0 { &mut one } else { &mut two }).add(Duration::from_millis(ms));
        }
        one.merge(&two);
        assert_eq!(one.count(), 1000);
        for (share, wanted) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
            let found = one.quantile_ms(share).unwrap();
            assert!((wanted * 0.99..=wanted * 1.11).contains(&found), "{share}: {found}");
        }
        assert_eq!(Latencies::of(one.buckets()), one);
        assert_eq!(Latencies::default().quantile_ms(0.5), None);
        two.add(Duration::from_secs(100_000));
        assert_eq!(Latencies::of(two.buckets()), two);
    }
}
