//! Numbers by their digits: nothing is rounded, nothing goes through a float.

/// A decimal in canonical text: sign, digits without leading zeros, fraction as written. `None` for anything else.
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (digits, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty()
        || !all_digits(whole)
        || !all_digits(fraction)
        || exponent.abs() > 400
    {
        return None;
    }
    let (whole, fraction) = shift(whole, fraction, exponent);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let zero = whole == "0" && fraction.bytes().all(|b| b == b'0');
    let sign = if zero { "" } else { sign };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// Whether the text is what [`canonical`] makes of it: without a copy.
#[must_use]
pub fn is_canonical(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let point = digits.iter().position(|byte| *byte == b'.').unwrap_or(digits.len());
    let (whole, fraction) = digits.split_at(point);
    // Without a point there is no fraction; with one there must be a digit behind it.
    let fraction = fraction.split_first().map(|(_, digits)| digits);
    let spelt =
        matches!(whole, [b'0'] | [b'1'..=b'9', ..]) && fraction.is_none_or(|digits| !digits.is_empty());
    let mut all = whole.iter().chain(fraction.unwrap_or_default());
    let signed = digits.len() < text.len();
    spelt && all.clone().all(u8::is_ascii_digit) && (!signed || all.any(|byte| *byte != b'0'))
}

/// What [`by_value`] makes of the text, where that is a piece of it: without a copy.
#[must_use]
pub fn value_of(text: &str) -> Option<&str> {
    if !is_canonical(text) {
        return None;
    }
    Some(if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text })
}

fn shift(whole: &str, fraction: &str, exponent: i32) -> (String, String) {
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).unwrap_or(i64::MAX) + i64::from(exponent);
    if point <= 0 {
        let zeros = usize::try_from(-point).unwrap_or(0);
        return ("0".to_owned(), format!("{}{digits}", "0".repeat(zeros)));
    }
    let point = usize::try_from(point).unwrap_or(usize::MAX);
    if point >= digits.len() {
        let zeros = "0".repeat(point - digits.len());
        return (format!("{digits}{zeros}"), String::new());
    }
    (digits[..point].to_owned(), digits[point..].to_owned())
}

/// The decimal padded to `scale` fraction digits. What does not fit precision and scale is an error, never rounded.
pub fn fit(canonical: &str, precision: u8, scale: u8) -> Result<String, String> {
    let (whole, fraction) = canonical.split_once('.').unwrap_or((canonical, ""));
    let kept = fraction.trim_end_matches('0');
    let whole_digits = whole.trim_start_matches('-').trim_start_matches('0').len();
    if kept.len() > usize::from(scale) || whole_digits > usize::from(precision.saturating_sub(scale)) {
        return Err(format!("the number does not fit decimal({precision},{scale})"));
    }
    if scale == 0 {
        return Ok(whole.to_owned());
    }
    Ok(format!("{whole}.{kept:0<width$}", width = usize::from(scale)))
}

/// Whether a canonical decimal is what [`fit`] makes of it: without a copy.
#[must_use]
pub fn is_fit(canonical: &str, precision: u8, scale: u8) -> bool {
    let (whole, fraction) = canonical.split_once('.').unwrap_or((canonical, ""));
    let digits = whole.trim_start_matches('-').trim_start_matches('0').len();
    fraction.len() == usize::from(scale) && digits <= usize::from(precision.saturating_sub(scale))
}

/// A decimal by value alone: [`canonical`], without zeros at the end of its fraction.
#[must_use]
pub fn by_value(text: &str) -> Option<String> {
    let mut number = canonical(text)?;
    if number.contains('.') {
        number.truncate(number.trim_end_matches('0').trim_end_matches('.').len());
    }
    Some(number)
}

/// An integer of any size: a decimal whose fraction is zero, without it. `None` for anything else.
#[must_use]
pub fn integer(text: &str) -> Option<String> {
    by_value(text).filter(|number| !number.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decimals_keep_their_digits() {
        for (text, canon) in [
            ("0012.3400", Some("12.3400")),
            ("-0.00", Some("0.00")),
            ("1e3", Some("1000")),
            ("1.5E-3", Some("0.0015")),
            (".5", Some("0.5")),
            ("99999999999999999999.01", Some("99999999999999999999.01")),
            ("NaN", None),
            ("1,5", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(canonical(text).as_deref(), canon, "{text}");
        }
    }

    #[test]
    fn a_decimal_is_checked_not_rounded() {
        assert_eq!(fit("12.5", 12, 2).unwrap(), "12.50");
        assert_eq!(fit("12.500", 12, 2).unwrap(), "12.50");
        assert_eq!(fit("7", 3, 0).unwrap(), "7");
        assert!(fit("12.505", 12, 2).is_err());
        assert!(fit("12345678901.00", 12, 2).is_err());
    }

    #[test]
    fn by_value_trailing_zeros_go() {
        assert_eq!(by_value("1.1000").as_deref(), Some("1.1"));
        assert_eq!(by_value("-0.00").as_deref(), Some("0"));
        assert_eq!(by_value("1e21").as_deref(), Some("1000000000000000000000"));
        assert_eq!(by_value("100").as_deref(), Some("100"));
        assert_eq!(integer("18446744073709551615.0").as_deref(), Some("18446744073709551615"));
        assert_eq!(integer("7.5"), None);
    }

    proptest! {
        #[test]
        fn what_is_canonical_needs_no_copy(text in "-?[0-9]{0,4}(\\.[0-9]{0,4})?|[-+.e0-9 ]{0,8}") {
            prop_assert_eq!(is_canonical(&text), canonical(&text).as_deref() == Some(&text));
            if is_canonical(&text) {
                for (precision, scale) in [(3, 0), (4, 2), (8, 4)] {
                    let fit = fit(&text, precision, scale);
                    prop_assert_eq!(is_fit(&text, precision, scale), fit.as_deref() == Ok(&text));
                }
            }
            if let Some(value) = value_of(&text) {
                prop_assert_eq!(Some(value.to_owned()), by_value(&text));
            }
        }

        #[test]
        fn a_canonical_decimal_stays_as_it_is(whole in "[1-9][0-9]{0,20}", fraction in "[0-9]{1,20}") {
            let text = format!("{whole}.{fraction}");
            prop_assert_eq!(canonical(&text), Some(text));
        }
    }
}
