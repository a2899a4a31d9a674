//! How long it will still take, as a range.

use std::time::Duration;

/// Below this share of the whole nothing is said.
const FROM: f64 = 0.01;
/// A single rate is trusted so far to either side.
const SPREAD: f64 = 0.2;

/// The time for what is left, from the fastest to the slowest of the rates (records a second) that were measured over
/// different spans. `None` below 1 % of the whole, without a rate, and where it would be longer than ten years.
#[must_use]
pub fn remaining(done: u64, total: u64, rates: &[f64]) -> Option<(Duration, Duration)> {
    let left = total.saturating_sub(done);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (done, total, left) = (done as f64, total as f64, left as f64);
    if total <= 0.0 || done < total * FROM {
        return None;
    }
    let usable = || rates.iter().copied().filter(|rate| rate.is_finite() && *rate > 0.0);
    let (mut fastest, mut slowest) = (usable().fold(0.0, f64::max), usable().fold(f64::INFINITY, f64::min));
    if fastest <= 0.0 {
        return None;
    }
    if fastest < slowest * (1.0 + SPREAD) {
        (fastest, slowest) = (fastest * (1.0 + SPREAD), slowest * (1.0 - SPREAD));
    }
    let time = |rate: f64| {
        let seconds = left / rate;
        (seconds < 315_000_000.0).then(|| Duration::from_secs_f64(seconds))
    };
    Some((time(fastest)?, time(slowest)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_below_one_percent_or_without_a_rate() {
        assert_eq!(remaining(9, 1000, &[5.0]), None);
        assert_eq!(remaining(0, 0, &[5.0]), None);
        assert_eq!(remaining(500, 1000, &[]), None);
        assert_eq!(remaining(500, 1000, &[0.0, f64::NAN]), None);
        assert_eq!(remaining(500, 1000, &[1e-9]), None);
    }

    #[test]
    fn the_range_spans_the_rates() {
        let seconds = |rates: &[f64]| {
            let (early, late) = remaining(500, 1000, rates).unwrap();
            (early.as_secs_f64().round(), late.as_secs_f64().round())
        };
        assert_eq!(seconds(&[10.0, 5.0]), (50.0, 100.0));
        assert_eq!(seconds(&[10.0]), (42.0, 63.0));
        assert_eq!(remaining(1000, 1000, &[1.0]), Some((Duration::ZERO, Duration::ZERO)));
    }
}
