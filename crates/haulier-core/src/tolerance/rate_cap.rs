//! The rate that a target's "429 Too Many Requests" teaches.

use super::{Evidence, Tolerance};

/// The next learnt rate (attempts a second over all processes) and the windows without a refusal that it has seen.
///
/// Workers are left alone: a limit on the rate is met exactly by a rate, and only in coarse steps by their number.
pub(super) fn learn(
    known: Option<(f64, u32)>,
    evidence: &Evidence,
    tolerance: &Tolerance,
) -> Option<(f64, u32)> {
    if evidence.throttled > 0.01 && evidence.p95.is_some() {
        let taken = evidence.throughput;
        let rate = match known {
            None => tolerance.rate_cap * taken,
            // What went through under the cap is what the target takes, so the cap must go below it.
            Some((rate, _)) => (rate * tolerance.rate_cap).min(0.98 * taken),
        };
        return Some((rate.max(1.0), 0));
    }
    known.map(|(rate, greens)| {
        if greens + 1 >= tolerance.rate_greens {
            (rate * tolerance.rate_growth, 0)
        } else {
            (rate, greens + 1)
        }
    })
}
