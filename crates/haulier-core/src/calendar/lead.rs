//! Distances as people write them: `2h30m` on the clock, `T-3w` in the calendar.

use std::time::Duration;

use jiff::{SignedDuration, Span as Steps, Timestamp};

use super::zone::Zone;

/// Longest duration that a plan may name.
pub const LONGEST: Duration = Duration::from_hours(24 * 366);

/// Real elapsed time: `45m`, `2h30m`, `7d` (of 24 hours each).
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut whole = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (count, unit, next) = piece(rest)?;
        let unit = match unit {
            "s" => Duration::from_secs(1),
            "m" | "min" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            "w" => Duration::from_hours(7 * 24),
            _ => return None,
        };
        whole = whole.checked_add(unit.checked_mul(u32::try_from(count).ok()?)?)?;
        rest = next;
    }
    (whole <= LONGEST).then_some(whole)
}

fn piece(text: &str) -> Option<(i64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, rest) = text.split_at(digits);
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    Some((count.parse().ok()?, unit, rest.trim_start()))
}

/// A duration as [`duration`] reads it, to the second: `2h30m`.
#[must_use]
pub fn say(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let said: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if said.is_empty() { "0s".to_owned() } else { said }
}

/// A distance from a date, in steps of the calendar: `T-3w` before a start at 09:00 is a start at 09:00, three weeks
/// earlier, also when the clocks changed between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    weeks: i64,
    days: i64,
    clock: SignedDuration,
}

impl Lead {
    /// Reads `T-3w`, `T-1d`, `T-2h`, `T+30m`, `T`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix(['T', 't'])?.trim_start();
        let none = Self { weeks: 0, days: 0, clock: SignedDuration::ZERO };
        if rest.is_empty() {
            return Some(none);
        }
        let (sign, mut rest) = match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
            (Some(rest), _) => (-1, rest.trim_start()),
            (_, Some(rest)) => (1, rest.trim_start()),
            (None, None) => return None,
        };
        let mut lead = none;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let (count, unit, next) = piece(rest)?;
            // Two years of weeks; what is farther away is a slip.
            let count = (count <= 20_000).then_some(sign * count)?;
            match unit {
                "w" => lead.weeks += count,
                "d" => lead.days += count,
                "h" => lead.clock += SignedDuration::from_hours(count),
                "m" | "min" => lead.clock += SignedDuration::from_mins(count),
                _ => return None,
            }
            rest = next;
        }
        Some(lead)
    }

    /// The instant at that distance from another, by the zone's calendar; a time that the clocks skip goes forward.
    #[must_use]
    pub fn from(&self, at: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let steps = Steps::new().try_weeks(self.weeks).ok()?.try_days(self.days).ok()?;
        let day = at.to_zoned(zone.rules().clone()).checked_add(steps).ok()?;
        day.timestamp().checked_add(self.clock).ok()
    }

    /// Whether it lies before the date.
    #[must_use]
    pub fn is_before(&self) -> bool {
        self.weeks < 0 || self.days < 0 || self.clock.is_negative()
    }
}
