//! The rules of a brake, one by one.

use super::{Brake, BrakeRule, OnError, Unit};
use crate::port::{Micros, ProbeError};

const SECOND: Micros = 1_000_000;

fn lag() -> BrakeRule {
    BrakeRule { critical: Some(30.0), ..BrakeRule::new("src-lag", 2.0, Unit::Seconds) }
}

fn brake() -> Brake {
    Brake::new(lag(), 0)
}

/// One reading a second from then on; for each, whether the brake holds after it.
fn holds(brake: &mut Brake, from: i64, readings: &[f64]) -> Vec<bool> {
    let times = (from..).map(|n| n * SECOND);
    readings
        .iter()
        .zip(times)
        .map(|(value, now)| {
            brake.read(Ok(*value), now);
            brake.holding().is_some()
        })
        .collect()
}

#[test]
fn it_holds_above_the_limit_and_lets_go_after_three_good_readings() {
    let mut brake = brake();
    assert_eq!(holds(&mut brake, 1, &[2.0, 2.1, 1.0, 1.0, 1.0]), [false, true, true, true, false]);
    // Between 80 % and the limit is not good enough.
    assert_eq!(
        holds(&mut brake, 6, &[3.0, 1.7, 1.7, 1.7, 1.6, 1.6, 1.7, 1.6, 1.6, 1.6]),
        [true, true, true, true, true, true, true, true, true, false]
    );
}

#[test]
fn it_holds_for_two_seconds_at_least() {
    let mut brake = brake();
    brake.read(Ok(5.0), 0);
    for millis in [100, 200, 300, 1900] {
        brake.read(Ok(0.0), millis * 1000);
        assert!(brake.holding().is_some(), "{millis} ms");
    }
    brake.read(Ok(0.0), 2 * SECOND);
    assert_eq!(brake.holding(), None);
}

#[test]
fn what_cannot_be_read_holds_by_name_and_goes_on_three_good_readings_later() {
    for (error, words) in [
        (ProbeError::Null, "src-lag is NULL (limit 2 s)"),
        (ProbeError::TimedOut { after_ms: 1000 }, "src-lag did not answer within 1000 ms (limit 2 s)"),
        (
            ProbeError::Failed("connection refused".to_owned()),
            "src-lag failed: connection refused (limit 2 s)",
        ),
    ] {
        let mut brake = brake();
        assert!(brake.read(Err(error), SECOND));
        assert_eq!(brake.holding().unwrap().to_string(), words);
        assert_eq!(brake.holding().unwrap().at(15 * SECOND), format!("{words} for 14 s"));
        assert_eq!(holds(&mut brake, 2, &[0.0, 0.0, 0.0]), [true, true, false]);
    }
    let mut brake = brake();
    brake.read(Ok(f64::NAN), SECOND);
    assert!(brake.holding().is_some());
}

#[test]
fn a_gauge_that_is_not_read_any_more_holds() {
    let mut brake = brake();
    assert!(!brake.look(5 * SECOND));
    assert!(brake.look(6 * SECOND));
    assert_eq!(brake.holding().unwrap().value, "was not read for 6 s");
    let mut lax = Brake::new(BrakeRule { on_error: OnError::Ignore, ..lag() }, 0);
    lax.read(Err(ProbeError::Null), SECOND);
    assert!(!lax.look(60 * SECOND) && lax.holding().is_none());
}

#[test]
fn two_strikes_five_seconds_apart_are_critical() {
    let mut brake = brake();
    for second in 1..=5 {
        brake.read(Ok(31.0), second * SECOND);
        assert!(!brake.holding().unwrap().critical, "{second} s");
    }
    brake.read(Ok(31.0), 6 * SECOND);
    assert!(brake.holding().unwrap().critical);
    let mut brake = self::brake();
    brake.read(Ok(31.0), 20 * SECOND);
    brake.read(Ok(1.0), 22 * SECOND);
    brake.read(Ok(31.0), 26 * SECOND);
    assert!(!brake.holding().unwrap().critical, "a good reading between makes the strikes two first ones");
}

#[test]
fn a_limit_of_nothing_lets_go_at_nothing() {
    let mut brake = Brake::new(BrakeRule::new("batch", 0.0, Unit::Number), 0);
    assert_eq!(holds(&mut brake, 1, &[0.0, 1.0, 0.0, 0.0, 0.0]), [false, true, true, true, false]);
}

#[test]
fn a_status_is_right_or_not() {
    let mut brake = Brake::new(BrakeRule::new("gate", 200.0, Unit::Status), 0);
    assert_eq!(holds(&mut brake, 1, &[200.0, 503.0, 200.0, 200.0, 200.0]), [false, true, true, true, false]);
    brake.read(Ok(204.0), 9 * SECOND);
    assert_eq!(brake.holding().unwrap().to_string(), "gate HTTP 204 (limit HTTP 200)");
}
