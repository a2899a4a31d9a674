//! What counts as in tolerance, and how the law moves.

use std::time::Duration;

/// The bounds that the target's owner agreed to, and the pace of the ramp. Shares are between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// The 95th percentile of the latency above which the target is out of tolerance; without it `baseline_factor` decides.
    pub p95: Option<Duration>,
    /// The baseline, where it is known already; without it the first windows of the run give it.
    pub baseline: Option<Duration>,
    /// A baseline rests on so many results, where the first ramp is long enough; then it is frozen.
    pub baseline_results: u64,
    /// RED above this many times the baseline.
    pub baseline_factor: f64,
    /// AMBER above this share of the RED bound of the latency.
    pub amber_latency: f64,
    /// RED above this share of failed attempts.
    pub red_failures: f64,
    /// AMBER above this share of failed attempts.
    pub amber_failures: f64,
    /// The shortest window that is judged.
    pub window: Duration,
    /// The shortest window in which the target asked for less in more than one of twenty answers.
    pub storm_window: Duration,
    /// A window grows until it has so many results.
    pub results: u64,
    /// After `slow_window` so many are enough, so that slow targets are judged, too.
    pub slow_results: u64,
    /// See `slow_results`.
    pub slow_window: Duration,
    /// Workers to start with under `ramp auto`.
    pub start: u32,
    /// Never fewer workers.
    pub floor: u32,
    /// No more workers are offered; the operator's value bounds what the law takes itself.
    pub ceiling: u32,
    /// A raise during the first ramp, and back to where it was good.
    pub raise_factor: f64,
    /// RED multiplies the workers by this.
    pub cut_factor: f64,
    /// Windows after a cut that decide nothing: their results were sent before it.
    pub cooldown: u32,
    /// GREEN windows that each later raise by one worker needs.
    pub careful_greens: u32,
    /// Recovery is quick up to this share of the last good number of workers.
    pub recover_to: f64,
    /// A raise by a share `d` that brought less than this times `d` more throughput is taken back.
    pub plateau_gain: f64,
    /// How long a step back, and the memory of a number of workers that was too much, last.
    pub memory: Duration,
    /// A learnt rate is this share of what the target took when it asked for less.
    pub rate_cap: f64,
    /// A learnt rate grows by this factor ...
    pub rate_growth: f64,
    /// ... after so many windows without a refusal.
    pub rate_greens: u32,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            p95: None,
            baseline: None,
            baseline_results: 100,
            baseline_factor: 2.0,
            amber_latency: 0.8,
            red_failures: 0.02,
            amber_failures: 0.005,
            window: Duration::from_secs(5),
            storm_window: Duration::from_secs(1),
            results: 20,
            slow_results: 5,
            slow_window: Duration::from_secs(30),
            start: 2,
            floor: 1,
            ceiling: 16,
            raise_factor: 1.5,
            cut_factor: 0.7,
            cooldown: 2,
            careful_greens: 2,
            recover_to: 0.75,
            plateau_gain: 0.25,
            memory: Duration::from_mins(2),
            rate_cap: 0.95,
            rate_growth: 1.02,
            rate_greens: 6,
        }
    }
}
