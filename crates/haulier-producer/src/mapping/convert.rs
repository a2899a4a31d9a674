//! One value becomes one encoded JSON value, by the plan's conversion.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use haulier_core::Value;
use haulier_core::form::{self, number, time};
use haulier_core::plan::{Convert, FieldSource, NullBytes, OddNumbers, TextRule, ZeroDates};

use super::text;
use super::text::push_json_string;

/// The encoded JSON of a column's value; `None` is NULL. The error says what is wrong, without the value.
pub(super) fn encode(value: &Value, source: &FieldSource) -> Result<Option<String>, String> {
    let FieldSource::Column { convert, text: rules, default, zero_dates, odd_numbers, null_bytes, .. } =
        source
    else {
        return Ok(None);
    };
    let encoded = if let Value::Unreadable(problem) = value {
        return Err(problem.clone());
    } else if let Value::ZeroDate(_) = value {
        match zero_dates {
            ZeroDates::Error => {
                return Err("it is a date with zero parts (see `zero_dates` in the plan)".to_owned());
            }
            ZeroDates::Null => None,
            ZeroDates::Fixed(fixed) => Some(quoted(fixed)),
        }
    } else if is_odd(value) {
        match odd_numbers {
            OddNumbers::Error => {
                return Err("it is not a finite number (see `odd_numbers` in the plan)".to_owned());
            }
            OddNumbers::Null => None,
            OddNumbers::Text => value.key_text().map(|odd| quoted(odd_name(&odd))),
        }
    } else if *value == Value::Null {
        None
    } else {
        convert_present(value, convert, rules, *null_bytes)?
    };
    Ok(encoded.or_else(|| default.clone()))
}

/// The text that is sent as it is read, in quotes or without them; nothing where [`encode`] must be asked.
pub(super) fn plain<'v>(value: &'v Value, source: &FieldSource) -> Option<&'v str> {
    let FieldSource::Column { convert, text: rules, .. } = source else { return None };
    let text = match value {
        Value::Text(text) if rules.is_empty() && !text.contains('\0') => text,
        // Odd numbers have rules of their own.
        Value::Number(text) if number::is_canonical(text) => text,
        Value::Timestamp(text) | Value::Date(text) | Value::Time(text) => text,
        Value::Text(_)
        | Value::Number(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Bytes(_)
        | Value::Json(_)
        | Value::List(_)
        | Value::ZeroDate(_)
        | Value::Unreadable(_) => return None,
    };
    let same = match (convert, value) {
        (Convert::Auto, Value::Timestamp(_)) | (Convert::Rfc3339 { precision: None, .. }, _) => {
            time::is_rfc3339(text)
        }
        (Convert::Auto | Convert::Text, _) => true,
        (Convert::Integer, _) => !text.contains('.') && number::is_canonical(text),
        (Convert::Number | Convert::Decimal(None), _) => number::is_canonical(text),
        (Convert::Decimal(Some((precision, scale))), _) => {
            number::is_canonical(text) && number::is_fit(text, *precision, *scale)
        }
        (Convert::Uuid, _) => form::is_uuid(text),
        _ => false,
    };
    same.then_some(text)
}

fn is_odd(value: &Value) -> bool {
    if let Value::Float(number) = value {
        return !number.is_finite();
    }
    matches!(value, Value::Number(text) if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity"))
}

fn odd_name(text: &str) -> &str {
    match text {
        "inf" => "Infinity",
        "-inf" => "-Infinity",
        other => other,
    }
}

fn convert_present(
    value: &Value,
    convert: &Convert,
    rules: &[TextRule],
    nulls: NullBytes,
) -> Result<Option<String>, String> {
    let fail = |what: &str| Err(what.to_owned());
    // The text rules come first: trimming decides whether a text is a number, and empty may be NULL.
    let text = if let Value::Text(text) = value {
        let Some(text) = text::apply(text, rules, nulls)? else { return Ok(None) };
        Some(text)
    } else {
        None
    };
    let spelled = || -> Cow<'_, str> {
        match &text {
            Some(text) => Cow::Borrowed(text.as_ref()),
            None => Cow::Owned(value.key_text().unwrap_or_default()),
        }
    };
    let encoded = match convert {
        Convert::Auto => return auto(value, text.as_deref()).map(Some),
        Convert::Text => quoted(&spelled()),
        Convert::Integer => match number::integer(&spelled()) {
            Some(number) => number,
            None => return fail("it is not an integer"),
        },
        Convert::Number => match number::canonical(&spelled()) {
            Some(number) => number,
            None => return fail("it is not a number"),
        },
        Convert::Decimal(fit) => {
            let Some(number) = number::canonical(&spelled()) else { return fail("it is not a decimal") };
            match fit {
                Some((precision, scale)) => quoted(&number::fit(&number, *precision, *scale)?),
                None => quoted(&number),
            }
        }
        Convert::Boolean => match boolean(value, &spelled()) {
            Some(true) => "true".to_owned(),
            Some(false) => "false".to_owned(),
            None => return fail("it is not a boolean"),
        },
        Convert::Rfc3339 { precision, zone } => {
            quoted(&time::rfc3339(&spelled(), *precision, zone.as_deref())?)
        }
        Convert::Date => quoted(&time::date(&spelled())?),
        Convert::Time => quoted(&time::time(&spelled())?),
        Convert::Json => match serde_json::from_str::<&serde_json::value::RawValue>(&spelled()) {
            Ok(json) => json.get().to_owned(),
            Err(_) => return fail("it is not JSON"),
        },
        Convert::Base64 => quoted(&BASE64_STANDARD.encode(bytes(value, text.as_deref()))),
        Convert::Hex => quoted(&form::hex(&bytes(value, text.as_deref()))),
        Convert::Uuid => match uuid(value, &spelled()) {
            Some(uuid) => quoted(&uuid),
            None => return fail("it is not a UUID"),
        },
        Convert::List(separator) => list(value, &spelled(), *separator),
        Convert::Map(map) => match map.iter().find(|(from, _)| *from == *spelled()) {
            Some((_, json)) => json.clone(),
            None => return fail("the plan's map has no entry for it"),
        },
    };
    Ok(Some(encoded))
}

fn auto(value: &Value, text: Option<&str>) -> Result<String, String> {
    Ok(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => float(*value).ok_or_else(|| "it is not a finite number".to_owned())?,
        Value::Text(original) => quoted(text.unwrap_or(original)),
        Value::Number(text) | Value::Date(text) | Value::Time(text) | Value::ZeroDate(text) => quoted(text),
        Value::Timestamp(text) => quoted(&time::rfc3339(text, None, None)?),
        Value::Bytes(bytes) => quoted(&BASE64_STANDARD.encode(bytes)),
        Value::Json(text) => match serde_json::from_str::<&serde_json::value::RawValue>(text) {
            Ok(json) => json.get().to_owned(),
            Err(_) => return Err("it is not JSON".to_owned()),
        },
        Value::List(_) => list(value, "", None),
        Value::Unreadable(problem) => return Err(problem.clone()),
    })
}

fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    push_json_string(&mut json, text);
    json
}

fn boolean(value: &Value, text: &str) -> Option<bool> {
    if let Value::Bool(value) = value {
        return Some(*value);
    }
    form::boolean(text)
}

fn bytes<'a>(value: &'a Value, text: Option<&'a str>) -> Cow<'a, [u8]> {
    match (value, text) {
        (Value::Bytes(bytes), _) => Cow::Borrowed(bytes),
        (_, Some(text)) => Cow::Borrowed(text.as_bytes()),
        (other, None) => Cow::Owned(other.key_text().unwrap_or_default().into_bytes()),
    }
}

fn uuid(value: &Value, text: &str) -> Option<String> {
    if let Value::Bytes(bytes) = value { form::uuid(&form::hex(bytes)) } else { form::uuid(text) }
}

/// A float as the shortest text that reads back the same; -0 is 0.
fn float(value: f64) -> Option<String> {
    if !value.is_finite() {
        return None;
    }
    let value = if value == 0.0 { 0.0 } else { value };
    serde_json::to_string(&value).ok()
}

fn list(value: &Value, text: &str, separator: Option<char>) -> String {
    let items: Vec<Option<&str>> = match (value, separator) {
        (Value::List(items), _) => items.iter().map(Option::as_deref).collect(),
        (_, Some(separator)) if !text.is_empty() => text.split(separator).map(Some).collect(),
        (_, Some(_)) => Vec::new(),
        (_, None) => vec![Some(text)],
    };
    let items: Vec<String> =
        items.into_iter().map(|item| item.map_or_else(|| "null".to_owned(), quoted)).collect();
    format!("[{}]", items.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// What is sent as it is read is what the encoding holds.
        #[test]
        fn a_plain_text_is_the_one_that_is_sent(
            given in "-?[0-9]{1,4}(\\.[0-9]{0,3})?|[-+0-9.eE]{0,6}|2024-03-30T20:30:00(\\.[0-9]{1,6})?Z?|NaN|\
                [0-9a-fA-F]{8}-[0-9a-f]{4}-4000-8000-[0-9a-f]{12}|2024-03-30|\\PC{0,6}|[\\x00-\\x7f]{0,6}",
        ) {
            let converts = [
                Convert::Auto, Convert::Text, Convert::Integer, Convert::Number, Convert::Decimal(None),
                Convert::Decimal(Some((4, 2))), Convert::Uuid, Convert::Rfc3339 { precision: None, zone: None },
                Convert::Rfc3339 { precision: Some(3), zone: None }, Convert::Date, Convert::Boolean,
            ];
            let text = || given.clone();
            let values = [
                Value::Text(text()), Value::Number(text()), Value::Timestamp(text()), Value::Date(text()), Value::Time(text()),
            ];
            for convert in converts {
                let source = FieldSource::Column {
                    column: String::new(),
                    convert,
                    text: Vec::new(),
                    default: None,
                    zero_dates: ZeroDates::Error,
                    odd_numbers: OddNumbers::Text,
                    null_bytes: NullBytes::Keep,
                };
                for value in &values {
                    let Some(plain) = plain(value, &source) else { continue };
                    let json = encode(value, &source).unwrap().unwrap();
                    let sent = text::plain(&json).unwrap();
                    prop_assert_eq!(plain, sent, "{:?} by {:?}", value, source);
                }
            }
        }
    }
}
