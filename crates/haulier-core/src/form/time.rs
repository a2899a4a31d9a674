//! Points in time: to UTC, with a declared precision, cut only where nothing is lost.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// RFC 3339 in UTC. A text without an offset is read in `zone`; digits beyond `precision` must be zero.
pub fn rfc3339(text: &str, precision: Option<u8>, zone: Option<&str>) -> Result<String, String> {
    if precision.is_none() && is_rfc3339(text) {
        return Ok(text.to_owned());
    }
    let stamp = instant(text, zone)?;
    let Some(digits) = precision else { return Ok(stamp.to_string()) };
    let unit = 10_i64.pow(9 - u32::from(digits.min(9)));
    let nanos = i64::from(stamp.subsec_nanosecond());
    if nanos % unit != 0 {
        return Err(format!("the time has more than {digits} fraction digits (see `precision` in the plan)"));
    }
    Ok(format!("{stamp:.*}", usize::from(digits)))
}

/// Whether the text is taken as it is where no precision is declared: a point in time in UTC, as the source writes it.
#[must_use]
pub fn is_rfc3339(text: &str) -> bool {
    text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T')
}

/// A point in time. A text without an offset is read in `zone`, an IANA name; UTC without one.
pub fn instant(text: &str, zone: Option<&str>) -> Result<Timestamp, String> {
    text.parse::<Timestamp>().or_else(|_| local(text, zone))
}

fn local(text: &str, zone: Option<&str>) -> Result<Timestamp, String> {
    let civil: DateTime = text
        .parse()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(|date| date.at(0, 0, 0, 0)))
        .map_err(|_| "it is not a point in time".to_owned())?;
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|_| format!("the time zone `{name}` is not known here"))?,
    };
    let ambiguous = zone.to_ambiguous_zoned(civil);
    // Of an hour that comes twice the first is taken; an hour that does not exist is refused.
    let found = if ambiguous.is_ambiguous() && gap(&zone, civil) { None } else { ambiguous.earlier().ok() };
    found
        .map(|zoned| zoned.timestamp())
        .ok_or_else(|| "the local time does not exist (daylight saving)".to_owned())
}

fn gap(zone: &TimeZone, civil: DateTime) -> bool {
    let ambiguous = zone.to_ambiguous_zoned(civil);
    match (ambiguous.clone().earlier(), ambiguous.later()) {
        (Ok(earlier), Ok(later)) => earlier.datetime() != civil && later.datetime() != civil,
        _ => false,
    }
}

/// A calendar date; a time part must be midnight.
pub fn date(text: &str) -> Result<String, String> {
    let whole = text.parse::<DateTime>().map(|at| (at.date(), at.time()));
    let (date, time) = whole
        .or_else(|_| text.parse::<jiff::civil::Date>().map(|date| (date, jiff::civil::Time::midnight())))
        .or_else(|_| {
            text.parse::<Timestamp>().map(|at| at.to_zoned(TimeZone::UTC)).map(|z| (z.date(), z.time()))
        })
        .map_err(|_| "it is not a date".to_owned())?;
    if time.duration_since(jiff::civil::Time::midnight()) != SignedDuration::ZERO {
        return Err("it has a time of day, which a date would lose".to_owned());
    }
    Ok(date.to_string())
}

/// A time of day.
pub fn time(text: &str) -> Result<String, String> {
    let time: jiff::civil::Time = text.parse().map_err(|_| "it is not a time of day".to_owned())?;
    Ok(time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_is_read_in_its_zone() {
        let berlin = Some("Europe/Berlin");
        assert_eq!(rfc3339("2024-07-01 12:00:00", None, berlin).unwrap(), "2024-07-01T10:00:00Z");
        assert_eq!(rfc3339("2024-07-01T12:00:00.5", Some(3), None).unwrap(), "2024-07-01T12:00:00.500Z");
        assert_eq!(rfc3339("2024-10-27 02:30:00", None, berlin).unwrap(), "2024-10-27T00:30:00Z");
        assert!(rfc3339("2024-03-31 02:30:00", None, berlin).unwrap_err().contains("does not exist"));
    }

    #[test]
    fn precision_is_never_lost_in_silence() {
        assert_eq!(
            rfc3339("2024-03-30T20:30:00.120000Z", Some(3), None).unwrap(),
            "2024-03-30T20:30:00.120Z"
        );
        assert_eq!(rfc3339("2024-03-30T20:30:00Z", Some(0), None).unwrap(), "2024-03-30T20:30:00Z");
        assert!(rfc3339("2024-03-30T20:30:00.123456Z", Some(3), None).is_err());
        assert_eq!(rfc3339("2024-03-30T20:30:00-04:00", None, None).unwrap(), "2024-03-31T00:30:00Z");
    }

    #[test]
    fn a_date_does_not_lose_a_time() {
        assert_eq!(date("2024-03-30").unwrap(), "2024-03-30");
        assert_eq!(date("2024-03-30 00:00:00").unwrap(), "2024-03-30");
        assert!(date("2024-03-30 10:00:00").is_err());
        assert!(date("yesterday").is_err());
        assert_eq!(time("10:00").unwrap(), "10:00:00");
    }
}
