//! `as = "..."`: the named conversions.

use haulier_core::plan::Convert;

use crate::near;
use crate::node::Node;

/// What `as` may say, with what stands in brackets.
pub(crate) const CONVERSIONS: [&str; 14] = [
    "auto", "text", "integer", "decimal", "number", "boolean", "rfc3339", "date", "time", "json", "base64",
    "hex", "uuid", "list",
];

/// Reads `as`.
pub(crate) fn read(node: &Node<'_>) -> Option<Convert> {
    let text = node.text()?.value;
    let (name, argument) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(argument) => (name, Some(argument)),
            None => return node.wrong(format!("`as`: \"{text}\" lacks its closing bracket"), None),
        },
    };
    let convert = match name {
        "auto" => Convert::Auto,
        "text" => Convert::Text,
        "integer" => Convert::Integer,
        "decimal" => return decimal(node, argument),
        "number" => Convert::Number,
        "boolean" => Convert::Boolean,
        "rfc3339" => return rfc3339(node, argument),
        "date" => Convert::Date,
        "time" => Convert::Time,
        "json" => Convert::Json,
        "base64" => Convert::Base64,
        "hex" => Convert::Hex,
        "uuid" => Convert::Uuid,
        "list" => return list(node, argument),
        _ => {
            return node.wrong(
                format!("`as`: there is no conversion \"{text}\""),
                near::hint(name, &CONVERSIONS, "conversions"),
            );
        }
    };
    if argument.is_some() {
        return node.wrong(format!("`as`: \"{name}\" takes nothing in brackets"), None);
    }
    Some(convert)
}

fn decimal(node: &Node<'_>, argument: Option<&str>) -> Option<Convert> {
    let Some(argument) = argument else { return Some(Convert::Decimal(None)) };
    let parts = argument.split_once(',').and_then(|(precision, scale)| {
        Some((precision.trim().parse::<u8>().ok()?, scale.trim().parse::<u8>().ok()?))
    });
    match parts {
        Some((precision, scale)) if precision > 0 && scale <= precision => {
            Some(Convert::Decimal(Some((precision, scale))))
        }
        _ => node.wrong(
            format!("`as`: \"decimal({argument})\" is not a decimal type"),
            Some(
                "write decimal(digits,digits after the point), such as \"decimal(12,2)\", or just \"decimal\""
                    .to_owned(),
            ),
        ),
    }
}

fn rfc3339(node: &Node<'_>, argument: Option<&str>) -> Option<Convert> {
    let precision = match argument.map(str::parse::<u8>) {
        None => None,
        Some(Ok(digits)) if digits <= 9 => Some(digits),
        Some(_) => {
            return node.wrong(
                "`as`: \"rfc3339(..)\" takes 0 to 9 fraction digits",
                Some("such as \"rfc3339(3)\" for milliseconds".to_owned()),
            );
        }
    };
    Some(Convert::Rfc3339 { precision, zone: None })
}

fn list(node: &Node<'_>, argument: Option<&str>) -> Option<Convert> {
    let Some(argument) = argument else { return Some(Convert::List(None)) };
    let mut characters = argument.chars();
    match (characters.next(), characters.next()) {
        (Some(separator), None) => Some(Convert::List(Some(separator))),
        _ => node.wrong(
            "`as`: \"list(..)\" takes one character, the separator",
            Some("such as \"list(;)\"".to_owned()),
        ),
    }
}
