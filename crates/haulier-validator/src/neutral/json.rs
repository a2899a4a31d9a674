//! JSON in one spelling: sorted keys, numbers by value, no blanks. Of a repeated key the last one counts, as in `jsonb`.

use std::borrow::Cow;

use haulier_core::form::number;
use serde_json::Value;

/// Appends the document in its one spelling. `unwrap`: a text that holds JSON is read once more.
pub(super) fn canonical(text: &str, unwrap: bool, out: &mut String) -> Result<(), Cow<'static, str>> {
    let mut value: Value = serde_json::from_str(text).map_err(|_| "it is not JSON")?;
    if unwrap && let Value::String(inner) = &value {
        value = serde_json::from_str(inner).map_err(|_| "it is a JSON text that holds no JSON")?;
    }
    push(&value, out);
    Ok(())
}

/// The scalars of a JSON array as texts; `None` for anything else.
pub(super) fn scalars(text: &str) -> Option<Vec<Option<String>>> {
    let Ok(Value::Array(items)) = serde_json::from_str(text) else { return None };
    let scalar = |item: Value| {
        Some(match item {
            Value::Null => None,
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(number) => Some(value_of(&number)),
            Value::String(text) => Some(text),
            Value::Array(_) | Value::Object(_) => return None,
        })
    };
    items.into_iter().map(scalar).collect()
}

/// The number by its value; one too large to be written out keeps its digits.
fn value_of(number: &serde_json::Number) -> String {
    let text = number.to_string();
    number::by_value(&text).unwrap_or(text)
}

fn push(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&value_of(number)),
        Value::String(text) => push_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            // By code points, which is the order of the bytes.
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (index, (name, member)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                push_text(name, out);
                out.push(':');
                push(member, out);
            }
            out.push('}');
        }
    }
}

fn push_text(text: &str, out: &mut String) {
    // A text always has JSON; serde_json escapes what must be and nothing else.
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}
