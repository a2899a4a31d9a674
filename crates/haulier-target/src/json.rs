//! Reads JSON without building it: single values at a pointer, and the members of an encoded object.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON pointer (RFC 6901), cut into its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pointer {
    text: String,
    steps: Vec<String>,
}

impl Pointer {
    /// Reads `/a/b/0`; the empty text is the whole document.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if !text.is_empty() && !text.starts_with('/') {
            return Err(format!("`{text}` is not a JSON pointer: it must be empty or begin with `/`"));
        }
        let steps = text.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        Ok(Self { text: text.to_owned(), steps })
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The pointer to what holds this value; itself for the whole document.
    pub(crate) fn parent(&self) -> &str {
        self.text.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    /// The encoded value there. The whole document is checked, so half a reply is never taken for one.
    pub(crate) fn pick<'a>(&self, json: &'a [u8]) -> Result<Option<&'a RawValue>, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let found = Pick(&self.steps).deserialize(&mut reader)?;
        reader.end()?;
        Ok(found)
    }
}

struct Pick<'p>(&'p [String]);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            return serde::Deserialize::deserialize(from).map(Some);
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match self.0 {
                [first, rest @ ..] if *first == *key => found = map.next_value_seed(Pick(rest))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let wanted = self.0.first().and_then(|step| step.parse::<usize>().ok());
        let mut found = None;
        let mut index = 0;
        loop {
            if Some(index) == wanted {
                let Some(value) = seq.next_element_seed(Pick(self.0.get(1..).unwrap_or_default()))? else {
                    break;
                };
                found = value;
            } else if seq.next_element::<IgnoredAny>()?.is_none() {
                break;
            }
            index += 1;
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The text of an encoded string, number or boolean; `None` for null, objects and arrays.
pub(crate) fn scalar_text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'"' => unquote(raw),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// The text of an encoded string, quotes included.
fn unquote(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(inner))
}

/// Appends `text` as an encoded string, quotes included.
pub(crate) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text);
    out.push('"');
}

/// Appends `text` escaped for the inside of a JSON string.
pub(crate) fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                out.push_str("\\u00");
                let code = u32::from(c);
                out.push(char::from_digit(code >> 4, 16).unwrap_or('0'));
                out.push(char::from_digit(code & 15, 16).unwrap_or('0'));
            }
            c => out.push(c),
        }
    }
}

/// Whether `text` is a JSON number.
pub(crate) fn is_number(text: &str) -> bool {
    serde_json::from_str::<serde_json::Number>(text).is_ok()
        && !text.contains(|c: char| c.is_ascii_whitespace())
}

/// The members of an object that haulier encoded itself: raw name (without quotes) and raw value, nothing copied.
pub(crate) fn members(object: &str) -> Members<'_> {
    let inner = object.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    Members { rest: inner.unwrap_or_default() }
}

/// See [`members`].
#[derive(Debug, Clone)]
pub(crate) struct Members<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches([',', ' ', '\n', '\t', '\r']);
        let name_end = value_end(rest)?;
        let name = rest.get(1..name_end - 1)?;
        let rest = rest.get(name_end..)?.trim_start().strip_prefix(':')?.trim_start();
        let end = value_end(rest)?;
        self.rest = rest.get(end..)?;
        Some((name, rest.get(..end)?))
    }
}

/// Where the value that `text` begins with ends.
fn value_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at += 1;
                loop {
                    match bytes.get(at)? {
                        b'\\' => at += 2,
                        b'"' => break,
                        _ => at += 1,
                    }
                }
                at += 1;
            }
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' | b' ' | b'\n' | b'\t' | b'\r' => {
                at += 1;
                continue;
            }
            _ => {
                let scalar = |b: &u8| !matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\t' | b'\r');
                at += bytes.get(at..)?.iter().take_while(|b| scalar(b)).count();
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The encoded value of a member, `a.b` being member `b` of the object `a`.
pub(crate) fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let found = members(object).find(|(raw, _)| same_name(raw, name)).map(|(_, value)| value);
    found.or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        let (_, value) = members(object).find(|(raw, _)| same_name(raw, outer))?;
        member(value, inner)
    })
}

/// Whether a raw member name is this name.
pub(crate) fn same_name(raw: &str, name: &str) -> bool {
    raw == name || (raw.contains('\\') && unquote(&format!("\"{raw}\"")).is_some_and(|text| text == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn pick(pointer: &str, json: &str) -> Option<String> {
        Pointer::new(pointer).unwrap().pick(json.as_bytes()).unwrap().map(|raw| raw.get().to_owned())
    }

    #[test]
    fn a_pointer_finds_what_serde_json_finds() {
        let text = r#"{"a":{"b":[10,{"c/d":"x","~":null}]},"n":12345678901234567890123,"t":true,"s":"é\n"}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        for at in [
            "",
            "/a",
            "/a/b",
            "/a/b/0",
            "/a/b/1/c~1d",
            "/a/b/1/~0",
            "/a/b/2",
            "/n",
            "/t",
            "/s",
            "/n/x",
            "/zz",
        ] {
            let expected = value.pointer(at).map(ToString::to_string);
            assert_eq!(pick(at, text), expected, "{at}");
        }
    }

    #[test]
    fn half_a_document_is_an_error() {
        for text in [r#"{"id":1"#, r#"{"id":1,"#, r#"{"id":1}{"#, "", "<html>"] {
            assert!(Pointer::new("/id").unwrap().pick(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pointer_must_look_like_one() {
        assert!(Pointer::new("id").unwrap_err().contains("`id`"));
    }

    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC*".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn members_are_those_of_the_object(map in prop::collection::btree_map("\\PC{0,6}", document(), 0..5)) {
            let object = Value::Object(map.clone().into_iter().collect());
            for text in [object.to_string(), serde_json::to_string_pretty(&object).unwrap()] {
                let found: Vec<(String, Value)> = members(&text)
                    .map(|(name, value)| (
                        serde_json::from_str(&format!("\"{name}\"")).unwrap(),
                        serde_json::from_str(value).unwrap(),
                    ))
                    .collect();
                prop_assert_eq!(found, map.clone().into_iter().collect::<Vec<_>>());
            }
        }

        #[test]
        fn an_encoded_string_is_read_back(text in "\\PC*[\\x00-\\x1f]?") {
            let mut out = String::new();
            push_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text.clone());
            prop_assert_eq!(scalar_text(&out).unwrap(), text);
        }
    }

    #[test]
    fn a_dotted_name_reaches_inside() {
        let body = json!({"a": {"b": {"c": 1}}, "x.y": 2, "q\"": 3}).to_string();
        assert_eq!(member(&body, "a.b.c"), Some("1"));
        assert_eq!(member(&body, "x.y"), Some("2"));
        assert_eq!(member(&body, "q\""), Some("3"));
        assert_eq!(member(&body, "a.z"), None);
    }
}
