//! What one of several processes gets of a total.

/// Process `index` of `live`: the shares differ by at most one, and their sum is the total.
#[must_use]
pub fn share(total: u32, index: u32, live: u32) -> u32 {
    let live = live.max(1);
    total / live + u32::from(index < total % live)
}

/// The part of a rate for process `index` of `live`: even, among those that have a worker at all.
#[must_use]
pub fn share_rate(total: f64, workers: u32, index: u32, live: u32) -> f64 {
    let sharers = live.max(1).min(workers.max(1));
    if index < sharers { total / f64::from(sharers) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_total() {
        for total in [0, 1, 2, 3, 16, 17, 1000] {
            for live in 1..12 {
                let shares: Vec<u32> = (0..live).map(|index| share(total, index, live)).collect();
                assert_eq!(shares.iter().sum::<u32>(), total, "{total} over {live}");
                assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
                let rates: f64 = (0..live).map(|index| share_rate(7.5, total, index, live)).sum();
                assert!((rates - 7.5).abs() < 1e-9, "{total} over {live}: {rates}");
            }
        }
    }

    #[test]
    fn who_has_no_worker_has_no_rate() {
        assert_eq!((share(2, 2, 3), share_rate(10.0, 2, 2, 3).to_bits()), (0, 0.0_f64.to_bits()));
    }
}
