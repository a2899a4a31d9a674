//! Text: JSON strings, folding, and the rules that the plan may name.

use std::borrow::Cow;

use haulier_core::plan::{KeyFold, NullBytes, TextRule};

/// Appends a text as a JSON string.
pub(super) fn push_json_string(out: &mut String, text: &str) {
    out.push('"');
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => {
                out.push_str(&text[from..at]);
                out.push_str("\\u00");
                out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
                out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
                from = at + 1;
                continue;
            }
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(escape);
        from = at + 1;
    }
    out.push_str(&text[from..]);
    out.push('"');
}

/// The text of an encoded scalar: a string without its quotes, a number or a boolean as it is.
pub(super) fn plain(json: &str) -> Option<String> {
    if json == "null" {
        return None;
    }
    if json.starts_with('"') { serde_json::from_str(json).ok() } else { Some(json.to_owned()) }
}

/// A natural key's part as it is compared.
pub(super) fn fold(text: &str, fold: KeyFold) -> Cow<'_, str> {
    let text = if fold.trim { text.trim() } else { text };
    if fold.case { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) }
}

/// Applies the plan's rules; `None` is NULL.
pub(super) fn apply<'a>(
    text: &'a str,
    rules: &[TextRule],
    nulls: NullBytes,
) -> Result<Option<Cow<'a, str>>, String> {
    let mut text = Cow::Borrowed(text);
    if text.contains('\0') {
        match nulls {
            NullBytes::Keep => {}
            NullBytes::Error => return Err("it holds a NUL character (see `nul` in the plan)".to_owned()),
            NullBytes::Strip => text = Cow::Owned(text.replace('\0', "")),
            NullBytes::Replace => text = Cow::Owned(text.replace('\0', "\u{fffd}")),
        }
    }
    for rule in rules {
        match rule {
            TextRule::Trim => text = Cow::Owned(text.trim().to_owned()),
            TextRule::Lower => text = Cow::Owned(text.to_lowercase()),
            TextRule::EmptyIsNull if text.is_empty() => return Ok(None),
            TextRule::EmptyIsNull => {}
        }
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_survives_as_json(text in "\\PC*|[\\x00-\\x7f]*") {
            let mut json = String::new();
            push_json_string(&mut json, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }
    }
}
