//! Latencies of many requests in little room, so that those of several processes can be merged.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest latency that is told apart from longer ones: ten minutes, in microseconds.
const LONGEST: u64 = 600_000_000;

/// A histogram of latencies, exact to 1 %.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency(Histogram<u32>);

impl Default for Latency {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the bounds are constants that the crate takes")]
        let empty = Histogram::new_with_bounds(1, LONGEST, 2).expect("1 < LONGEST, two digits");
        Self(empty)
    }
}

impl Latency {
    /// Notes one latency.
    pub fn note(&mut self, latency: Duration) {
        self.note_many(u64::try_from(latency.as_micros()).unwrap_or(LONGEST), 1);
    }

    /// Notes `count` latencies of so many microseconds.
    pub fn note_many(&mut self, micros: u64, count: u32) {
        self.0.saturating_record_n(micros.clamp(1, LONGEST), count);
    }

    /// Adds those of another process.
    pub fn merge(&mut self, other: &Self) {
        // Both have the same bounds, so nothing can be out of them.
        let _fits = self.0.add(&other.0);
    }

    /// What was noted since `earlier`, a copy of this very histogram; `None` where it is none.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        let mut rest = self.0.clone();
        rest.subtract(&earlier.0).ok()?;
        Some(Self(rest))
    }

    /// How many were noted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The latency that a share `quantile` of all stays below; `None` without any.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Option<Duration> {
        (!self.0.is_empty()).then(|| Duration::from_micros(self.0.value_at_quantile(quantile)))
    }

    /// What was noted, as (microseconds, count), ascending: what travels between processes.
    pub fn parts(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.0.iter_recorded().map(|part| (part.value_iterated_to(), part.count_at_value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(millis: impl IntoIterator<Item = u64>) -> Latency {
        let mut latency = Latency::default();
        millis.into_iter().for_each(|millis| latency.note(Duration::from_millis(millis)));
        latency
    }

    fn near(found: Option<Duration>, millis: u64) -> bool {
        let found = found.unwrap().as_secs_f64() * 1000.0;
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let wanted = millis as f64;
        (found - wanted).abs() <= wanted * 0.01
    }

    #[test]
    fn merged_halves_are_the_whole() {
        let mut half = of(1..=500);
        half.merge(&of(501..=1000));
        assert_eq!(half, of(1..=1000));
        assert!(near(half.quantile(0.5), 500) && near(half.quantile(0.95), 950), "{:?}", half.quantile(0.95));
    }

    #[test]
    fn what_came_later_is_the_difference() {
        let early = of([3, 80, 80]);
        let mut late = early.clone();
        late.merge(&of([7, 80]));
        assert_eq!(late.since(&early), Some(of([7, 80])));
        assert_eq!(early.since(&late), None);
    }

    #[test]
    fn what_travels_is_what_was_noted() {
        let sent = of([3, 3, 80, 9_000, 3_600_000]);
        let mut received = Latency::default();
        sent.parts().for_each(|(micros, count)| received.note_many(micros, count));
        assert_eq!(received, sent);
        assert_eq!(received.count(), 5);
        assert_eq!(Latency::default().quantile(0.5), None);
    }
}
