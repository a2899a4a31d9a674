//! Text forms of values: what a number, a point in time, a boolean, a UUID looks like, whoever wrote it.
//!
//! Shared by the producer, which sends values, and the validator, which compares them: one spelling on both ways.

pub mod number;
pub mod time;

/// A boolean of any spelling: `1 t true y yes on`, `0 f false n no off`, in any case. `None` for anything else.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    const YES: [&str; 6] = ["1", "t", "true", "y", "yes", "on"];
    const NO: [&str; 6] = ["0", "f", "false", "n", "no", "off"];
    if YES.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(true)
    } else if NO.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(false)
    } else {
        None
    }
}

/// Appends bytes as lower-case hex.
pub fn push_hex(out: &mut String, bytes: &[u8]) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        out.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
}

/// Bytes as lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_hex(&mut text, bytes);
    text
}

/// A UUID in lower case with hyphens, from any of its spellings: upper case, braces, `urn:uuid:`, no hyphens.
///
/// Sixteen bytes are first made into digits by [`hex`]. `None` for anything else.
#[must_use]
pub fn uuid(text: &str) -> Option<String> {
    // Most are written so already.
    if is_uuid(text) {
        return Some(text.to_owned());
    }
    let text = text.strip_prefix("urn:uuid:").unwrap_or(text);
    let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
    let mut out = String::with_capacity(36);
    let mut digits = 0;
    for c in text.chars().filter(|c| *c != '-') {
        if !c.is_ascii_hexdigit() {
            return None;
        }
        if matches!(digits, 8 | 12 | 16 | 20) {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
        digits += 1;
    }
    (digits == 32).then_some(out)
}

/// Whether the text is a UUID in lower case with hyphens: what [`uuid`] makes of all of its spellings.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let spelt = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == 36 && text.bytes().enumerate().all(spelt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_spelling() {
        let canon = "0f8fad5b-d9cb-469f-a165-70867728950e";
        for text in [
            canon,
            "0F8FAD5B-D9CB-469F-A165-70867728950E",
            "{0f8fad5b-d9cb-469f-a165-70867728950e}",
            "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e",
            "0f8fad5bd9cb469fa16570867728950e",
        ] {
            assert_eq!(uuid(text).as_deref(), Some(canon), "{text}");
        }
        for text in ["", "0f8fad5bd9cb469fa16570867728950", "0f8fad5bd9cb469fa16570867728950eé", "{x}"] {
            assert_eq!(uuid(text), None, "{text}");
        }
    }

    #[test]
    fn a_boolean_has_many_spellings_and_two_meanings() {
        assert_eq!(boolean("YES"), Some(true));
        assert_eq!(boolean("f"), Some(false));
        assert_eq!(boolean("2"), None);
        assert_eq!(boolean(""), None);
    }

    #[test]
    fn bytes_become_hex() {
        assert_eq!(hex(&[0, 15, 16, 255]), "000f10ff");
    }
}
