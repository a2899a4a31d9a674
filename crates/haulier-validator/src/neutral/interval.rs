//! Intervals in one spelling: ISO 8601 in months, days and seconds, which do not turn into each other.

use jiff::Span;

const NANOS: i128 = 1_000_000_000;

#[derive(Default)]
struct Parts {
    months: i64,
    days: i64,
    nanos: i128,
}

/// Reads ISO 8601 (`P1Y2M3DT4H5M6S`), PostgreSQL's own form (`1 year 2 mons -3 days 04:05:06`) and `HH:MM:SS`.
pub(super) fn iso(text: &str) -> Option<String> {
    let text = text.trim();
    let parts =
        if text.trim_start_matches(['-', '+']).starts_with('P') { iso8601(text)? } else { postgres(text)? };
    Some(write(&parts))
}

fn iso8601(text: &str) -> Option<Parts> {
    let span: Span = text.parse().ok()?;
    let seconds = i128::from(span.get_hours()) * 3600
        + i128::from(span.get_minutes()) * 60
        + i128::from(span.get_seconds());
    let fraction = i128::from(span.get_milliseconds()) * 1_000_000
        + i128::from(span.get_microseconds()) * 1000
        + i128::from(span.get_nanoseconds());
    Some(Parts {
        months: i64::from(span.get_years()) * 12 + i64::from(span.get_months()),
        days: i64::from(span.get_weeks()) * 7 + i64::from(span.get_days()),
        nanos: seconds * NANOS + fraction,
    })
}

fn postgres(text: &str) -> Option<Parts> {
    let mut parts = Parts::default();
    let mut words = text.split_ascii_whitespace();
    let mut any = false;
    while let Some(word) = words.next() {
        any = true;
        if word.contains(':') {
            parts.nanos += clock(word)?;
            continue;
        }
        let count: i64 = word.parse().ok()?;
        match words.next()? {
            "year" | "years" => parts.months += count.checked_mul(12)?,
            "mon" | "mons" | "month" | "months" => parts.months += count,
            "week" | "weeks" => parts.days += count.checked_mul(7)?,
            "day" | "days" => parts.days += count,
            _ => return None,
        }
    }
    any.then_some(parts)
}

/// `[-]HH:MM[:SS[.fraction]]` in nanoseconds; hours may pass 24.
fn clock(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut fields = digits.split(':');
    let hours: u32 = fields.next()?.parse().ok()?;
    let minutes: u32 = fields.next()?.parse().ok()?;
    let (seconds, fraction) = match fields.next() {
        None => ("0", ""),
        Some(seconds) => seconds.split_once('.').unwrap_or((seconds, "")),
    };
    if fields.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: u32 = seconds.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    let whole = i128::from(hours) * 3600 + i128::from(minutes) * 60 + i128::from(seconds);
    Some(sign * (whole * NANOS + fraction))
}

fn write(parts: &Parts) -> String {
    let mut text = "P".to_owned();
    if parts.months != 0 {
        text.push_str(&format_args!("{}M", parts.months).to_string());
    }
    if parts.days != 0 {
        text.push_str(&format_args!("{}D", parts.days).to_string());
    }
    if parts.nanos != 0 {
        let sign = if parts.nanos < 0 { "-" } else { "" };
        let size = parts.nanos.unsigned_abs();
        let (whole, fraction) = (size / 1_000_000_000, size % 1_000_000_000);
        let seconds = format!("{whole}.{fraction:09}");
        let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
        text.push_str(&format_args!("T{sign}{seconds}S").to_string());
    }
    if text.len() == 1 { "PT0S".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_interval_is_one() {
        for (text, neutral) in [
            ("P1Y2M3DT4H5M6.5S", "P14M3DT14706.5S"),
            ("1 year 2 mons 3 days 04:05:06.5", "P14M3DT14706.5S"),
            ("-1 days +02:03:04", "P-1DT7384S"),
            ("00:00:00", "PT0S"),
            ("P0D", "PT0S"),
            ("-838:59:59", "PT-3020399S"),
            ("PT90M", "PT5400S"),
            ("1 mon", "P1M"),
        ] {
            assert_eq!(iso(text).as_deref(), Some(neutral), "{text}");
        }
        for text in ["", "soon", "1", "1 fortnight", "1:2:3:4", "P"] {
            assert_eq!(iso(text), None, "{text}");
        }
    }
}
