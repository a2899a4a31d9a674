//! The rules of the law, one by one.

use std::time::Duration;

use crate::port::Micros;
use crate::tolerance::{Attempt, Colour, Law, LawState, Phase, Ramp, Step, Tolerance, Verdict, Window};

fn tolerance() -> Tolerance {
    Tolerance { p95: Some(Duration::from_millis(200)), ceiling: 64, ..Tolerance::default() }
}

struct Bench {
    law: Law,
    now: Micros,
}

impl Bench {
    fn new(ramp: Ramp, operator: u32) -> Self {
        Self { law: Law::new(tolerance(), ramp, operator, 0), now: 0 }
    }

    /// The next five seconds: so many answers of so many milliseconds, refusals and failures.
    fn window(&mut self, answers: u64, millis: u64, throttled: u64, failed: u64) -> Verdict {
        let mut window = Window::default();
        for _ in 0..answers {
            window.note(Attempt::Answered(Duration::from_millis(millis)), true);
        }
        (0..throttled).for_each(|_| window.note(Attempt::Throttled, true));
        (0..failed).for_each(|_| window.note(Attempt::Failed, true));
        self.now += 5_000_000;
        self.law.observe(&window, self.now).expect("enough to judge")
    }

    fn green(&mut self, answers: u64) -> Verdict {
        let verdict = self.window(answers, 100, 0, 0);
        assert_eq!(verdict.colour, Colour::Green);
        verdict
    }
}

#[test]
fn the_colours_follow_the_bounds() {
    let mut bench = Bench::new(Ramp::Off, 8);
    for (answers, millis, failed, colour) in [
        (1000, 150, 0, Colour::Green),
        (1000, 165, 0, Colour::Amber),
        (1000, 199, 0, Colour::Amber),
        (1000, 210, 0, Colour::Red),
        (1000, 100, 5, Colour::Green),
        (1000, 100, 10, Colour::Amber),
        (1000, 100, 25, Colour::Red),
        (0, 0, 30, Colour::Red),
    ] {
        assert_eq!(bench.window(answers, millis, 0, failed).colour, colour, "{answers} {millis} {failed}");
    }
    assert_eq!(bench.window(0, 0, 30, 0).colour, Colour::Red, "nothing but refusals");
    assert_eq!(bench.law.workers(), 8, "off changes nothing");
}

#[test]
fn too_few_results_are_not_judged_until_the_target_is_known_to_be_slow() {
    let mut law = Law::new(tolerance(), Ramp::Auto, 8, 0);
    let mut few = Window::default();
    (0..5).for_each(|_| few.note(Attempt::Answered(Duration::from_millis(10)), true));
    assert_eq!(law.observe(&few, 29_000_000), None);
    assert!(law.observe(&Window::default(), 30_000_000).is_some());
    // What was judged does not count again.
    assert_eq!(law.observe(&Window::default(), 90_000_000), None);
}

#[test]
fn auto_raises_by_half_from_the_start_and_stops_at_the_operators_value() {
    let mut bench = Bench::new(Ramp::Auto, 5);
    assert_eq!(bench.law.workers(), 2);
    let found: Vec<u32> = [100, 150, 200, 250].map(|answers| bench.green(answers).workers).into();
    assert_eq!(found, [3, 4, 5, 5]);
    assert_eq!(bench.green(250).offer, Some(7), "beyond the operator's value is for a person");
}

#[test]
fn advise_offers_and_raises_nothing() {
    let mut bench = Bench::new(Ramp::Advise, 8);
    let verdict = bench.green(100);
    assert_eq!((verdict.workers, verdict.step, verdict.offer), (8, Step::Stay, Some(12)));
    let text = bench.green(100).to_string();
    assert!(text.starts_with("GREEN 2 windows (p95 100 <= 200 ms, errors 0.0 %"), "{text}");
    assert!(text.ends_with(": next step push.workers=12"), "{text}");
    bench.law.set_operator(12, Some(20.0), bench.now);
    assert_eq!(bench.law.workers(), 12);
    let in_vain = bench.green(101);
    assert_eq!((in_vain.step, in_vain.workers), (Step::StepBack { from: 12 }, 8));
}

#[test]
fn a_raise_is_judged_by_what_came_after_it() {
    let mut bench = Bench::new(Ramp::Advise, 8);
    bench.green(100);
    let mut slow = Window::default();
    (0..19).for_each(|_| slow.note(Attempt::Answered(Duration::from_millis(100)), true));
    bench.now += 10_000_000;
    assert_eq!(bench.law.observe(&slow, bench.now), None);
    bench.law.set_operator(12, Some(20.0), bench.now);
    let after = bench.green(120);
    assert_eq!((after.step, after.workers), (Step::Stay, 12));
}

#[test]
fn a_raise_is_not_in_vain_while_something_else_holds_the_flow() {
    let mut bench = Bench::new(Ramp::Advise, 8);
    bench.green(100);
    bench.law.set_operator(12, Some(20.0), bench.now);
    let mut held = Window::default();
    (0..30).for_each(|_| held.note(Attempt::Answered(Duration::from_millis(100)), false));
    bench.now += 10_000_000;
    let after = bench.law.observe(&held, bench.now).unwrap();
    assert_eq!((after.step, after.workers), (Step::Stay, 12));
}

#[test]
fn nothing_grows_without_being_at_the_limit() {
    let mut bench = Bench::new(Ramp::Auto, 8);
    let mut window = Window::default();
    (0..100).for_each(|n| window.note(Attempt::Answered(Duration::from_millis(9)), n % 2 == 0));
    let verdict = bench.law.observe(&window, 5_000_000).unwrap();
    assert_eq!((verdict.step, verdict.offer), (Step::Stay, None));
}

#[test]
fn red_cuts_at_once_and_recovery_is_quick_up_to_three_quarters() {
    let mut bench = Bench::new(Ramp::Advise, 20);
    bench.window(100, 100, 0, 0);
    let red = bench.window(100, 300, 0, 0);
    assert_eq!((red.step, red.workers), (Step::Cut { from: 20 }, 14));
    assert!(red.to_string().contains("RED (p95 3"), "{red}");
    assert!(red.to_string().contains("cut from 20 to 14 workers"), "{red}");
    for answers in [100, 100] {
        assert_eq!(bench.green(answers).step, Step::Stay, "the two windows after a cut decide nothing");
    }
    assert_eq!(bench.window(100, 300, 0, 0).workers, 9);
    assert_eq!(bench.window(100, 300, 0, 0).workers, 6);
    let after: Vec<u32> = (0..6).map(|_| bench.green(100).workers).collect();
    assert_eq!(after, [6, 6, 9, 13, 15, 15], "two windows of rest, by half up to 15 of 20, then one by one");
}

#[test]
fn hold_cuts_and_raises_nothing() {
    let mut bench = Bench::new(Ramp::Hold, 10);
    bench.green(100);
    assert_eq!(bench.window(100, 300, 0, 0).workers, 7);
    (0..6).for_each(|_| assert_eq!(bench.green(100).workers, 7));
}

#[test]
fn a_raise_in_vain_is_taken_back_and_tried_again_after_two_minutes() {
    let mut bench = Bench::new(Ramp::Auto, 64);
    assert_eq!(bench.green(100).workers, 3);
    let back = bench.green(105);
    assert_eq!((back.workers, back.step), (2, Step::StepBack { from: 3 }));
    let steps: Vec<Step> = (0..26).map(|_| bench.green(100).step).collect();
    let first = steps.iter().position(|step| *step != Step::Stay);
    assert_eq!(first, Some(24), "{steps:?}");
}

#[test]
fn a_target_that_asks_for_less_teaches_a_rate_and_costs_no_worker() {
    let mut bench = Bench::new(Ramp::Auto, 8);
    let verdict = bench.window(300, 80, 30, 0);
    assert_eq!(verdict.rate.map(f64::round), Some(57.0));
    assert!((verdict.workers, verdict.colour) == (2, Colour::Amber));
    let rates: Vec<f64> = (0..6).filter_map(|_| bench.green(285).rate).collect();
    assert!(rates[5] > rates[4] * 1.019 && rates[5] < rates[4] * 1.021, "{rates:?}");
}

#[test]
fn the_baseline_is_frozen_and_doubled() {
    let tolerance = Tolerance { p95: None, ..tolerance() };
    let mut bench = Bench { law: Law::new(tolerance, Ramp::Auto, 8, 0), now: 0 };
    assert_eq!(bench.green(100).colour, Colour::Green);
    bench.window(100, 170, 0, 0);
    assert_eq!(bench.window(100, 205, 0, 0).colour, Colour::Red, "100 ms was the baseline and stays it");
}

#[test]
fn another_process_goes_on_where_one_died() {
    let mut bench = Bench::new(Ramp::Auto, 64);
    bench.green(100);
    bench.window(100, 300, 0, 0);
    let kept: LawState = bench.law.state().clone();
    assert_eq!(kept.phase, Phase::Recovery);
    let resumed = Law::resume(tolerance(), Ramp::Auto, 64, kept.clone(), bench.now);
    assert_eq!(resumed.state(), &kept);
}

#[test]
fn records_at_fault_and_credentials_say_nothing_about_pace() {
    let took = Duration::from_millis(5);
    for (status, wait, attempt) in [
        (Some(200), false, Attempt::Answered(took)),
        (Some(201), false, Attempt::Answered(took)),
        (Some(404), false, Attempt::Silent),
        (Some(422), false, Attempt::Silent),
        (Some(401), false, Attempt::Silent),
        (Some(403), false, Attempt::Silent),
        (Some(408), false, Attempt::Failed),
        (Some(425), false, Attempt::Failed),
        (Some(429), false, Attempt::Throttled),
        (Some(503), true, Attempt::Throttled),
        (Some(503), false, Attempt::Failed),
        (Some(500), true, Attempt::Failed),
        (None, false, Attempt::Failed),
    ] {
        assert_eq!(Attempt::of(status, wait, took), attempt, "{status:?} {wait}");
    }
}
