//! Walks an encoded object without parsing its values.

use super::unquote;

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
