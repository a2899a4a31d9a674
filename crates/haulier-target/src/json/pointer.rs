//! Picks one value out of a reply without building the rest.

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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

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
}
