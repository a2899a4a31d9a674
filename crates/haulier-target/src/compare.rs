//! Compares what was sent with what the target holds: numbers by value, instants by instant, texts exactly.

use haulier_core::plan::KeyFold;
use jiff::Timestamp;
use serde_json::Value;

/// A value as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent<'a> {
    /// Encoded JSON.
    Raw(&'a str),
    /// A target id, or NULL.
    Id(Option<&'a str>),
}

impl Sent<'_> {
    /// Whether there is nothing in it that a target could lose: NULL, or an object of nothing but NULLs.
    pub(crate) fn is_nothing(self) -> bool {
        match self {
            Self::Id(id) => id.is_none(),
            Self::Raw("null") => true,
            Self::Raw(raw) => {
                raw.starts_with('{') && serde_json::from_str(raw).is_ok_and(|value| is_nothing(&value))
            }
        }
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(members) => members.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => false,
    }
}

/// Whether a key's value is the one that a candidate holds, by the entity's fold.
pub(crate) fn same_key(sent: Sent<'_>, held: Option<&Value>, fold: KeyFold) -> bool {
    let held = held.unwrap_or(&Value::Null);
    match sent {
        Sent::Id(id) => same_id(id, held),
        Sent::Raw(raw) => match (serde_json::from_str(raw).unwrap_or(Value::Null), held) {
            (Value::String(a), Value::String(b)) => folded(&a, fold) == folded(b, fold),
            (sent, held) => same_value(&sent, held, false),
        },
    }
}

/// Whether the target holds what was sent. `decimal`: the field's texts are decimals.
pub(crate) fn same_field(sent: Sent<'_>, held: &Value, decimal: bool) -> bool {
    match sent {
        Sent::Id(id) => same_id(id, held),
        Sent::Raw(raw) => same_value(&serde_json::from_str(raw).unwrap_or(Value::Null), held, decimal),
    }
}

/// An id is text on our side, whatever the target makes of it.
fn same_id(id: Option<&str>, held: &Value) -> bool {
    match (id, held) {
        (None, Value::Null) => true,
        (Some(id), Value::String(text)) => id == text,
        (Some(id), Value::Number(number)) => id == number.to_string(),
        (None | Some(_), _) => false,
    }
}

fn folded(text: &str, fold: KeyFold) -> String {
    let text = if fold.trim { text.trim() } else { text };
    if fold.case { text.to_lowercase() } else { text.to_owned() }
}

fn same_value(sent: &Value, held: &Value, decimal: bool) -> bool {
    match (sent, held) {
        (sent, Value::Null) => is_nothing(sent),
        (Value::Bool(a), Value::Bool(b)) => a == b,
        // Targets that have no booleans.
        (Value::Bool(flag), Value::Number(number)) | (Value::Number(number), Value::Bool(flag)) => {
            number.to_string() == if *flag { "1" } else { "0" }
        }
        (Value::Number(a), Value::Number(b)) => same_number(&a.to_string(), &b.to_string()),
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            same_number(text, &number.to_string())
        }
        (Value::String(a), Value::String(b)) => {
            a == b || same_instant(a, b) || (decimal && same_number(a, b))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(a, b, decimal))
        }
        // The target may add members of its own.
        (Value::Object(a), Value::Object(b)) => a.iter().all(|(name, value)| match b.get(name) {
            Some(held) => same_value(value, held, decimal),
            None => is_nothing(value),
        }),
        // Targets that keep a document as text.
        (Value::Array(_) | Value::Object(_), Value::String(text)) => serde_json::from_str::<Value>(text)
            .is_ok_and(|held| held.is_array() == sent.is_array() && same_value(sent, &held, decimal)),
        _ => false,
    }
}

fn same_instant(a: &str, b: &str) -> bool {
    let instant = |text: &str| {
        let dated = text.as_bytes().get(4) == Some(&b'-') && text.len() > 16;
        if dated { text.parse::<Timestamp>().ok() } else { None }
    };
    instant(a).is_some_and(|a| instant(b) == Some(a))
}

/// Whether two texts are the same decimal; a text that is none is like no other.
fn same_number(a: &str, b: &str) -> bool {
    decimal(a).is_some_and(|a| decimal(b) == Some(a))
}

/// Sign, digits without zeros at either end, and the power of ten of the last digit.
fn decimal(text: &str) -> Option<(bool, String, i64)> {
    if !crate::json::is_number(text) {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let negative = mantissa.starts_with('-');
    let (whole, fraction) =
        mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let shortest = digits.trim_end_matches('0');
    if shortest.is_empty() {
        return Some((false, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - shortest.len()).ok()?;
    let shift = i64::try_from(fraction.len()).ok()?;
    Some((negative, shortest.to_owned(), exponent.checked_sub(shift)?.checked_add(dropped)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: KeyFold = KeyFold { trim: false, case: false };

    #[test]
    fn fields_are_compared_by_type() {
        let cases = [
            ("1", "1.0", true),
            ("0.10", "0.1", true),
            ("1e2", "100", true),
            ("-0", "0", true),
            ("9007199254740993", "9007199254740992", false),
            ("12345678.9012", "\"12345678.9012\"", true),
            ("\"12.50\"", "12.5", true),
            ("\"0123\"", "123", false),
            ("\"1.10\"", "\"1.1\"", false),
            ("true", "1", true),
            ("false", "1", false),
            ("true", "\"true\"", false),
            ("\"a\"", "\"A\"", false),
            ("\"\"", "null", false),
            ("null", "\"\"", false),
            ("\"2024-03-30T20:30:00Z\"", "\"2024-03-30T16:30:00.000-04:00\"", true),
            ("\"2024-03-30T20:30:00.5Z\"", "\"2024-03-30T20:30:00Z\"", false),
            ("{\"a\":1}", "{\"a\":1,\"b\":2}", true),
            ("{\"a\":1,\"b\":null}", "{\"a\":1}", true),
            ("{\"a\":1,\"b\":2}", "{\"a\":1}", false),
            ("{\"a\":1,\"b\":{\"c\":null}}", "{\"a\":1}", true),
            ("{\"b\":{\"c\":null}}", "null", true),
            ("{\"b\":[null]}", "null", false),
            ("[1,2]", "[1,2,3]", false),
            ("[1,2]", "[2,1]", false),
            ("{\"a\":[1.50]}", "\"{\\\"a\\\": [1.5]}\"", true),
            ("{\"a\":[1]}", "\"{\\\"a\\\": [2]}\"", false),
            ("[]", "\"{}\"", false),
        ];
        for (sent, held, same) in cases {
            let held: Value = serde_json::from_str(held).unwrap();
            assert_eq!(same_field(Sent::Raw(sent), &held, false), same, "{sent} against {held}");
        }
        assert!(same_field(Sent::Raw("\"1.10\""), &Value::from("1.1"), true));
    }

    #[test]
    fn keys_are_compared_by_the_entitys_fold() {
        let fold = |trim, case| KeyFold { trim, case };
        let cases = [
            ("\"Max\"", "\"max\"", EXACT, false),
            ("\"Max\"", "\"mAX\"", fold(false, true), true),
            ("\"Max \"", "\"Max\"", EXACT, false),
            ("\"Max \"", "\"Max\"", fold(true, false), true),
            ("\"É\"", "\" é \"", fold(true, true), true),
            ("12", "\"12\"", EXACT, true),
            ("\"12\"", "12", EXACT, true),
            ("\"12\"", "\"12.0\"", EXACT, false),
            ("null", "null", EXACT, true),
            ("null", "\"\"", EXACT, false),
        ];
        for (sent, held, fold, same) in cases {
            let held: Value = serde_json::from_str(held).unwrap();
            assert_eq!(same_key(Sent::Raw(sent), Some(&held), fold), same, "{sent} against {held}");
        }
        assert!(same_key(Sent::Id(Some("7")), Some(&Value::from(7)), EXACT));
        assert!(!same_key(Sent::Id(Some("7")), Some(&Value::from(8)), EXACT));
        assert!(!same_key(Sent::Raw("\"x\""), None, EXACT));
    }
}
