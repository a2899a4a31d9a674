//! Fills the plan's templates, each value encoded for the place where it stands.

use std::borrow::Cow;

use haulier_core::TargetId;
use haulier_core::plan::{Part, Template};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::json;

/// Everything but the characters that never have a meaning in an address.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a plan's literal text may hold and an address may not.
const LITERAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}')
    .add(b'#');

/// What templates are filled with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    /// The record's texts.
    pub(crate) vars: &'a [String],
    /// Target ids of the referenced records.
    pub(crate) refs: &'a [Option<TargetId>],
    /// The record's own target id.
    pub(crate) own: Option<&'a str>,
}

/// What the filled text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Path and query.
    Address,
    /// JSON, every value a string.
    Json,
    /// A header or an id: as it is.
    Plain,
}

/// A template made ready.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pieces: Vec<Piece>,
    /// The template with `{}` for each value: fit for messages.
    shape: String,
}

#[derive(Debug, Clone)]
enum Piece {
    Literal(String),
    Value(Part, Encoding),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// In a path. `whole`: the value is a segment of its own.
    Path {
        whole: bool,
    },
    /// In a query; `quote` is the quotation mark round it, which filter languages escape in their own way.
    Query {
        quote: Option<char>,
    },
    /// A JSON string of its own, or part of one; `quoted` as in a query.
    Json {
        in_string: bool,
        quoted: bool,
    },
    Plain,
}

impl Text {
    pub(crate) fn new(template: &Template, used: Use) -> Self {
        let mut pieces = Vec::with_capacity(template.parts.len());
        let mut shape = String::new();
        let mut in_query = false;
        let mut in_string = false;
        for (index, part) in template.parts.iter().enumerate() {
            let neighbour = |at: Option<usize>| match at.and_then(|at| template.parts.get(at)) {
                Some(Part::Literal(text)) => Some(text.as_str()),
                Some(Part::Var(_) | Part::Ref(_) | Part::OwnId) | None => None,
            };
            match part {
                Part::Literal(text) => {
                    shape.push_str(text);
                    in_query |= text.contains('?');
                    in_string ^= ends_in_string(text);
                    pieces.push(Piece::Literal(match used {
                        Use::Address => utf8_percent_encode(text, LITERAL).to_string(),
                        Use::Json | Use::Plain => text.clone(),
                    }));
                }
                Part::Var(_) | Part::Ref(_) | Part::OwnId => {
                    let before = neighbour(index.checked_sub(1)).unwrap_or_default();
                    let after = neighbour(index.checked_add(1));
                    let quote = quoted(before, after.unwrap_or_default());
                    let encoding = match used {
                        Use::Plain => Encoding::Plain,
                        Use::Json => Encoding::Json {
                            in_string,
                            quoted: before.ends_with("\\\"")
                                && after.is_some_and(|text| text.starts_with("\\\"")),
                        },
                        Use::Address if in_query => Encoding::Query { quote },
                        Use::Address => Encoding::Path {
                            whole: before.ends_with('/')
                                && match after {
                                    Some(text) => text.starts_with(['/', '?']),
                                    None => index + 1 == template.parts.len(),
                                },
                        },
                    };
                    shape.push_str("{}");
                    pieces.push(Piece::Value(part.clone(), encoding));
                }
            }
        }
        Self { pieces, shape }
    }

    /// The template with `{}` for each value.
    pub(crate) fn shape(&self) -> &str {
        &self.shape
    }

    /// Whether a value of a record stands in it.
    pub(crate) fn is_fixed(&self) -> bool {
        self.pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)))
    }

    /// Appends the filled text, or says what is missing.
    pub(crate) fn fill(&self, facts: Facts<'_>, out: &mut String) -> Result<(), String> {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Value(part, encoding) => {
                    let value =
                        value(part, facts).map_err(|problem| format!("`{}`: {problem}", self.shape))?;
                    encode(value.as_deref(), *encoding, out)
                        .map_err(|problem| format!("`{}`: {problem}", self.shape))?;
                }
            }
        }
        Ok(())
    }
}

/// The quotation mark that stands on both sides of a value, plain or percent-encoded.
fn quoted(before: &str, after: &str) -> Option<char> {
    [('"', "%22"), ('\'', "%27")].into_iter().find_map(|(mark, encoded)| {
        let opens = before.ends_with(mark) || before.ends_with(encoded);
        let closes = after.starts_with(mark) || after.starts_with(encoded);
        (opens && closes).then_some(mark)
    })
}

/// Whether a piece of JSON that begins outside a string ends inside one, or the other way round.
fn ends_in_string(json: &str) -> bool {
    let mut escaped = false;
    let mut quotes = 0_usize;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quotes += 1,
            _ => {}
        }
    }
    quotes % 2 == 1
}

fn value<'a>(part: &Part, facts: Facts<'a>) -> Result<Option<Cow<'a, str>>, String> {
    match part {
        Part::Literal(text) => Ok(Some(Cow::Owned(text.clone()))),
        Part::Var(index) => match facts.vars.get(*index) {
            Some(text) => Ok(Some(Cow::Borrowed(text))),
            None => Err(format!("the record has no text number {index}")),
        },
        Part::Ref(index) => match facts.refs.get(*index) {
            Some(id) => Ok(id.as_ref().map(|id| Cow::Borrowed(id.as_str()))),
            None => Err(format!("the record has no reference number {index}")),
        },
        Part::OwnId => match facts.own {
            Some(id) => Ok(Some(Cow::Borrowed(id))),
            None => Err("the record has no target id yet".to_owned()),
        },
    }
}

fn encode(value: Option<&str>, encoding: Encoding, out: &mut String) -> Result<(), &'static str> {
    match encoding {
        Encoding::Plain => out.push_str(value.unwrap_or_default()),
        Encoding::Path { whole } => match value.unwrap_or_default() {
            // An empty value would turn the address of one record into that of all.
            "" => return Err("a value of the path is empty"),
            "." | ".." if whole => {
                return Err("a value of the path is `.` or `..`, which servers take as a step");
            }
            value => out.extend(utf8_percent_encode(value, VALUE)),
        },
        Encoding::Query { quote } => {
            let value = value.unwrap_or_default();
            let escaped = match quote {
                Some('"') => {
                    let mut text = String::new();
                    json::push_escaped(&mut text, value);
                    Cow::Owned(text)
                }
                Some(mark) if value.contains(mark) => {
                    Cow::Owned(value.replace(mark, &format!("{mark}{mark}")))
                }
                _ => Cow::Borrowed(value),
            };
            out.extend(utf8_percent_encode(&escaped, VALUE));
        }
        Encoding::Json { in_string, quoted } => match value {
            Some(value) if quoted => {
                let mut text = String::new();
                json::push_escaped(&mut text, value);
                json::push_escaped(out, &text);
            }
            Some(value) if in_string => json::push_escaped(out, value),
            Some(value) => json::push_string(out, value),
            None if in_string => {}
            None => out.push_str("null"),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(parts: &[Part]) -> Template {
        Template { parts: parts.to_vec() }
    }

    fn lit(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    fn fill(parts: &[Part], used: Use, vars: &[&str]) -> Result<String, String> {
        let vars: Vec<String> = vars.iter().map(|&text| text.to_owned()).collect();
        let mut out = String::new();
        let facts = Facts { vars: &vars, refs: &[Some(TargetId::new("7/8")), None], own: Some("o 1") };
        Text::new(&template(parts), used).fill(facts, &mut out).map(|()| out)
    }

    #[test]
    fn every_value_is_encoded_for_its_place() {
        let var = Part::Var(0);
        let cases: &[(&[Part], Use, &str, &str)] = &[
            (&[lit("/u/"), var.clone()], Use::Address, "a b/c?d", "/u/a%20b%2Fc%3Fd"),
            (&[lit("/u/"), var.clone(), lit("/x")], Use::Address, "é+&", "/u/%C3%A9%2B%26/x"),
            (&[lit("/u?q="), var.clone(), lit("&x=1")], Use::Address, "a&b=c", "/u?q=a%26b%3Dc&x=1"),
            (
                &[lit("/u?f=n eq \""), var.clone(), lit("\"")],
                Use::Address,
                "a\"b",
                "/u?f=n%20eq%20%22a%5C%22b%22",
            ),
            (
                &[lit("/u?f=n eq '"), var.clone(), lit("'")],
                Use::Address,
                "O'Neil",
                "/u?f=n%20eq%20'O%27%27Neil'",
            ),
            (&[lit("/u/"), Part::Ref(0), lit("/"), Part::OwnId], Use::Address, "", "/u/7%2F8/o%201"),
            (&[lit("{\"a\":"), var.clone(), lit("}")], Use::Json, "x\"y", "{\"a\":\"x\\\"y\"}"),
            (&[lit("{\"a\":\""), var.clone(), lit("\"}")], Use::Json, "x\"y", "{\"a\":\"x\\\"y\"}"),
            (&[lit("{\"a\":\"is "), var.clone(), lit("!\"}")], Use::Json, "x\"y", "{\"a\":\"is x\\\"y!\"}"),
            (
                &[lit("{\"f\":\"n eq \\\""), var.clone(), lit("\\\"\"}")],
                Use::Json,
                "x\"y",
                "{\"f\":\"n eq \\\"x\\\\\\\"y\\\"\"}",
            ),
            (&[Part::Ref(0), lit(":"), var.clone()], Use::Plain, "a b", "7/8:a b"),
            (&[lit("/u?p="), Part::Ref(1)], Use::Address, "", "/u?p="),
        ];
        for (parts, used, value, expected) in cases {
            assert_eq!(fill(parts, *used, &[value]).as_deref(), Ok(*expected));
        }
    }

    #[test]
    fn a_path_is_never_shortened_by_its_values() {
        for value in ["", ".", ".."] {
            assert!(fill(&[lit("/u/"), Part::Var(0)], Use::Address, &[value]).is_err(), "{value:?}");
        }
        assert!(fill(&[lit("/u/"), Part::Ref(1)], Use::Address, &[]).is_err());
        assert!(fill(&[lit("/u/"), Part::Var(3)], Use::Address, &[]).unwrap_err().contains("/u/{}"));
    }
}
