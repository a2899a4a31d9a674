//! The time of day, and the one text form of it that the API takes.

use jiff::Timestamp;

/// Now, in UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "the request log is about real time, and no rule here depends on it"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Whether a text is a date and time as RFC 3339 writes them: with a zone, and a day that exists.
pub(crate) fn is_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some((head, tail)) = bytes.split_at_checked(19) else { return false };
    let shaped = head.iter().enumerate().all(|(index, byte)| match index {
        4 | 7 => *byte == b'-',
        10 => matches!(byte, b'T' | b't'),
        13 | 16 => *byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let zone = match tail.split_first() {
        Some((b'.', rest)) => {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            rest.get(digits..).unwrap_or_default()
        }
        _ => tail,
    };
    let zoned = match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1, h2, b':', m1, m2] => [h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit),
        _ => false,
    };
    shaped && zoned && text.parse::<Timestamp>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_rfc3339;

    #[test]
    fn only_rfc_3339_passes() {
        for good in [
            "2024-02-29T20:30:00Z",
            "2024-03-30T20:30:00.123456Z",
            "2024-03-30t20:30:00+05:45",
            "1969-12-31T23:59:59.999999999-12:00",
        ] {
            assert!(is_rfc3339(good), "{good}");
        }
        for bad in [
            "",
            "2024-03-30",
            "2024-03-30 20:30:00Z",
            "2024-03-30T20:30:00",
            "2023-02-29T20:30:00Z",
            "2024-13-01T00:00:00Z",
            "2024-03-30T20:30:00.Z",
            "2024-03-30T20:30:00+0545",
            "2024-03-30T20:30Z",
            "0000-00-00T00:00:00",
            "2024-03-30T20:30:0éZ",
        ] {
            assert!(!is_rfc3339(bad), "{bad}");
        }
    }
}
