//! Seven targets: plain, jittery, with a rate limit, with a slow phase, half broken, large, slow.
//!
//! Each bound is a figure of an independent reference simulation of this law (virtual time, seven minutes) with 20 % to
//! spare. The slow target's ramp differs much between seeds, so its reference is the mean of twenty.

use std::time::Duration;

use super::simulation::{Figures, Nature, Steering, run};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;

const PLAIN: Nature =
    Nature { slots: 8, service: (0.08, 0.3), bucket: None, slow: None, broken: None, ceiling: 64 };

/// The mean over the seeds; every run is printed for the reader of a failure.
fn mean(name: &str, nature: Nature, steering: Steering, optimum: f64) -> Figures {
    let mut mean = Figures::default();
    for seed in SEEDS {
        let figures = run(nature, steering, promised(nature), optimum, seed);
        println!("{name} {steering:?} seed {seed}: {figures:.3?}");
        let tenth = |sum: &mut f64, part: f64| *sum += part / 10.0;
        tenth(&mut mean.throughput, figures.throughput);
        tenth(&mut mean.p50, figures.p50);
        tenth(&mut mean.p95, figures.p95);
        tenth(&mut mean.out_of_tolerance, figures.out_of_tolerance);
        tenth(&mut mean.throttled, figures.throttled);
        tenth(&mut mean.failed, figures.failed);
        tenth(&mut mean.workers, figures.workers);
        tenth(&mut mean.ramped, figures.ramped);
    }
    mean
}

/// Twice the p95 of one request at a time: 1.645 is the 95th percentile of the normal distribution.
fn promised(nature: Nature) -> Duration {
    let (mean, sigma) = nature.service;
    Duration::from_secs_f64(2.0 * mean * (1.645 * sigma - sigma * sigma / 2.0).exp())
}

fn at_most(what: &str, found: f64, reference: f64) {
    assert!(found <= reference * 1.2, "{what}: {found:.3}, the reference has {reference}");
}

fn at_least(what: &str, found: f64, reference: f64) {
    assert!(found >= reference * 0.8, "{what}: {found:.3}, the reference has {reference}");
}

fn in_bounds(found: &Figures, throughput: f64, p50: f64, p95: f64, ramped: f64) {
    at_least("answers a second", found.throughput, throughput);
    at_most("p50", found.p50, p50);
    at_most("p95", found.p95, p95);
    at_most("seconds to 90 % of the optimum", found.ramped, ramped);
}

#[test]
fn a_plain_target_is_filled_without_a_line_before_it() {
    let band = mean("S1", PLAIN, Steering::Band, 100.0);
    in_bounds(&band, 100.0, 88.0, 140.0, 24.0);
    assert!(band.out_of_tolerance < 1e-9, "{band:?}");
    let fixed = mean("S1", PLAIN, Steering::Fixed(64), 100.0);
    assert!(fixed.p50 >= 4.0 * band.p50, "{fixed:?} against {band:?}");
    assert!(band.throughput >= 0.95 * fixed.throughput, "{fixed:?} against {band:?}");
}

#[test]
fn jitter_is_not_taken_for_overload() {
    let band = mean("S2", Nature { service: (0.08, 0.8), ..PLAIN }, Steering::Band, 100.0);
    in_bounds(&band, 99.9, 84.0, 244.0, 23.0);
    assert!(band.out_of_tolerance < 1e-9, "{band:?}");
}

#[test]
fn a_limit_on_the_rate_is_met_by_a_rate() {
    let nature = Nature { slots: 32, bucket: Some(60.0), ..PLAIN };
    let band = mean("S3", nature, Steering::Band, 60.0);
    in_bounds(&band, 60.0, 77.0, 125.0, 16.0);
    at_most("429", band.throttled, 0.009);
    assert!(band.out_of_tolerance < 1e-9, "{band:?}");
}

#[test]
fn a_slow_phase_is_yielded_to_and_recovered_from() {
    let nature = Nature { slow: Some((200, 300, 4.0)), ..PLAIN };
    let band = mean("S4", nature, Steering::Band, 79.2);
    in_bounds(&band, 66.9, 84.0, 146.0, 20.0);
    // Ten of the 36 stretches are slower than promised even with one request at a time.
    at_most("stretches out of tolerance", band.out_of_tolerance, 0.28);
}

#[test]
fn failures_make_it_yield_and_it_comes_back() {
    let nature = Nature { broken: Some((200, 260, 0.3)), ..PLAIN };
    let band = mean("S5", nature, Steering::Band, 95.0);
    in_bounds(&band, 80.9, 82.0, 133.0, 23.0);
    at_most("failures", band.failed, 0.0193);
    assert!(band.out_of_tolerance < 1e-9, "{band:?}");
}

#[test]
fn a_large_target_is_filled_within_a_minute() {
    let nature = Nature { slots: 64, service: (0.2, 0.5), ceiling: 200, ..PLAIN };
    let band = mean("S6", nature, Steering::Band, 320.0);
    in_bounds(&band, 317.6, 178.0, 403.0, 49.0);
    assert!(band.out_of_tolerance < 1e-9, "{band:?}");
}

#[test]
fn a_slow_target_is_judged_by_few_results() {
    let nature = Nature { slots: 4, service: (2.0, 0.5), ..PLAIN };
    let band = mean("S7", nature, Steering::Band, 2.0);
    in_bounds(&band, 1.9, 2112.0, 4395.0, 58.0);
    assert!(band.out_of_tolerance < 1e-9, "{band:?}");
}
