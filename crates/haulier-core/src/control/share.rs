//! What one of several processes gets of a total.

use super::Limit;

/// Each process that sends has at least so much of the rate. Processes do not keep step with each other, so that each may
/// be one request early or late: at 10/s that is 1 % of ten seconds.
const LEAST_RATE: f64 = 10.0;

/// How many of the `live` processes share the work: no more than there are workers, and few where the rate is low.
#[must_use]
pub fn sharers(workers: u32, rate: Limit, live: u32) -> u32 {
    let of_rate = Limit::At((rate.number() / LEAST_RATE).floor()).whole();
    live.min(workers).min(of_rate).max(1)
}

/// Process `index` of `sharers`: the shares differ by at most one, and their sum is the total.
#[must_use]
pub fn share(total: u32, index: u32, sharers: u32) -> u32 {
    let sharers = sharers.max(1);
    if index < sharers { total / sharers + u32::from(index < total % sharers) } else { 0 }
}

/// The part of a rate for process `index` of `sharers`: even.
#[must_use]
pub fn share_rate(total: f64, index: u32, sharers: u32) -> f64 {
    if index < sharers.max(1) { total / f64::from(sharers.max(1)) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_total() {
        for total in [0, 1, 2, 3, 16, 17, 1000] {
            for live in 1..12 {
                let sharers = sharers(total, Limit::At(75.0), live);
                let shares: Vec<u32> = (0..live).map(|index| share(total, index, sharers)).collect();
                assert_eq!(shares.iter().sum::<u32>(), total, "{total} over {live}");
                let sharing = || shares.iter().take(usize::try_from(sharers).unwrap());
                assert!(sharing().max().unwrap() - sharing().min().unwrap() <= 1);
                let rates: f64 = (0..live).map(|index| share_rate(75.0, index, sharers)).sum();
                assert!((rates - 75.0).abs() < 1e-9, "{total} over {live}: {rates}");
                for (index, share) in (0..).zip(&shares) {
                    let rate = share_rate(75.0, index, sharers);
                    assert!(*share == 0 || rate >= LEAST_RATE, "{share} workers without a rate");
                }
            }
        }
    }

    #[test]
    fn a_low_rate_is_kept_by_few() {
        let of = |rate| sharers(16, Limit::At(rate), 3);
        assert_eq!([of(0.5), of(5.0), of(19.9), of(20.0), of(30.0), of(2000.0)], [1, 1, 1, 2, 3, 3]);
        assert_eq!(
            [sharers(16, Limit::None, 3), sharers(2, Limit::None, 3), sharers(0, Limit::None, 3)],
            [3, 2, 1]
        );
    }

    #[test]
    fn who_has_no_worker_has_no_rate() {
        assert_eq!((share(2, 2, 2), share_rate(10.0, 2, 2).to_bits()), (0, 0.0_f64.to_bits()));
    }
}
