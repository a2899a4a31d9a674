//! When it is day everywhere at once.

use jiff::civil::{Time, Weekday};

use super::span::{Span, common};
use super::when::{Side, Weekly, When};
use super::zone::Zone;

/// The spans within which every zone's clocks show `from` to `to`, on these weekdays of each zone.
#[must_use]
pub fn overlap(zones: &[Zone], days: &[Weekday], from: Time, to: Time, within: Span) -> Vec<Span> {
    let stretches = days.iter().map(|day| Weekly { day: *day, from, days: u8::from(to <= from), to });
    let when = When::Weekly(stretches.collect());
    let mut left = vec![within];
    for zone in zones {
        left = common(&left, &when.spans(zone, Side::Allow, within));
    }
    left
}
