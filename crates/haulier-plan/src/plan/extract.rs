//! `extract`: the columns whose agreement on both sides is the proof, before they are looked up.

use haulier_core::plan::{BinaryText, Neutral, NeutralRules};

use crate::node::{Node, Table, Text};
use crate::{near, scalar, shape};

/// The columns as they are written.
#[derive(Debug, Default)]
pub(crate) struct ExtractDraft<'d> {
    /// Where `extract` stands; nothing where the entity has none.
    pub(crate) at: Option<usize>,
    pub(crate) columns: Vec<ColumnDraft<'d>>,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct ColumnDraft<'d> {
    pub(crate) name: Text<'d>,
    pub(crate) kind: Option<Neutral>,
    pub(crate) rules: NeutralRules,
    pub(crate) at: Option<String>,
}

impl ColumnDraft<'_> {
    /// Whether it says anything about how its values are written.
    pub(crate) fn is_declared(&self) -> bool {
        self.kind.is_some() || self.rules != NeutralRules::default()
    }
}

/// What `as` may say here, with what stands in brackets.
const KINDS: [&str; 13] = [
    "integer",
    "decimal",
    "float",
    "boolean",
    "timestamp",
    "date",
    "time",
    "text",
    "json",
    "list",
    "set",
    "uuid",
    "binary",
];

/// Reads `extract`.
pub(crate) fn read<'d>(node: &Node<'d>) -> ExtractDraft<'d> {
    let items = if node.value.is_array() {
        node.items().unwrap_or_default()
    } else {
        node.unfit::<Vec<Node<'d>>>("a list of columns").unwrap_or_default()
    };
    if items.is_empty() && node.value.is_array() {
        node.notes.add(node.at, "`extract` is an empty list");
    }
    let mut columns: Vec<ColumnDraft<'d>> = Vec::with_capacity(items.len());
    for column in items.iter().filter_map(column) {
        if columns.iter().any(|known| known.name.value == column.name.value) {
            node.notes.add(column.name.at, format!("`extract` names \"{}\" twice", column.name.value));
        } else {
            columns.push(column);
        }
    }
    ExtractDraft { at: Some(node.at), columns }
}

fn column<'d>(node: &Node<'d>) -> Option<ColumnDraft<'d>> {
    if node.value.is_str() {
        return Some(ColumnDraft {
            name: node.text()?,
            kind: None,
            rules: NeutralRules::default(),
            at: None,
        });
    }
    if !node.value.is_table() {
        return node.unfit("a column's name or a table");
    }
    let table = node.table(&shape::EXTRACT)?;
    let name = table.need("column", "name a field, a column, or a part of a natural key")?.text();
    let kind = match table.get("as") {
        Some(node) => kind(&node).map(Some),
        None => Some(None),
    };
    let kind = timestamp(&table, kind?)?;
    let rules = NeutralRules {
        map: table.get("map").map(|node| map(&node)).unwrap_or_default(),
        nfc: table.flag("nfc", false),
        trim: table.flag("trim", false),
        lower: table.flag("lower", false),
        empty_is_null: table.flag("empty_is_null", false),
        missing_is_null: table.flag("missing_is_null", false),
        pii: table.flag("pii", false),
    };
    Some(ColumnDraft { name: name?, kind, rules, at: table.owned("at") })
}

fn map(node: &Node<'_>) -> Vec<(String, String)> {
    let entries = node.entries();
    entries
        .iter()
        .filter_map(|(from, to)| Some((from.value.to_owned(), to.text()?.value.to_owned())))
        .collect()
}

/// `zone` and `cut`, which only a timestamp has.
fn timestamp(table: &Table<'_>, kind: Option<Neutral>) -> Option<Option<Neutral>> {
    let (cut, zone) = (table.get("cut"), table.get("zone"));
    let Some(first) = cut.or(zone) else { return Some(kind) };
    let Some(Neutral::Timestamp { precision, .. }) = kind else {
        return first.wrong(format!("`{}` goes with `as = \"timestamp\"` only", first.key), None);
    };
    let cut = cut.is_some_and(|node| node.flag().unwrap_or(false));
    let zone = match zone {
        Some(node) => Some(scalar::zone(&node)?),
        None => None,
    };
    Some(Some(Neutral::Timestamp { precision, cut, zone }))
}

fn kind(node: &Node<'_>) -> Option<Neutral> {
    let text = node.text()?.value;
    let (name, argument) = match text.split_once('(') {
        None => (text, None),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(argument) => (name, Some(argument)),
            None => return node.wrong(format!("`as`: \"{text}\" lacks its closing bracket"), None),
        },
    };
    let digits = |most: u8| match argument.map(|digits| digits.trim().parse::<u8>()) {
        None => Some(None),
        Some(Ok(digits)) if digits <= most => Some(Some(digits)),
        Some(_) => {
            let message = format!("`as`: \"{name}(..)\" takes 0 to {most} digits after the point");
            node.wrong(message, Some(format!("such as \"{name}(2)\"")))
        }
    };
    let known = match name {
        "decimal" => return digits(38).map(Neutral::Decimal),
        "timestamp" => {
            return digits(9).map(Neutral::timestamp);
        }
        "list" | "set" => {
            let mut characters = argument.unwrap_or_default().chars();
            let separator = characters.next();
            if characters.next().is_some() || argument == Some("") {
                return node.wrong(
                    format!("`as`: \"{name}(..)\" takes one character, the separator"),
                    Some(format!("such as \"{name}(;)\"")),
                );
            }
            return Some(Neutral::List { set: name == "set", separator });
        }
        "binary" => {
            return match argument {
                None | Some("base64") => Some(Neutral::Binary(BinaryText::Base64)),
                Some("hex") => Some(Neutral::Binary(BinaryText::Hex)),
                Some(_) => node.wrong("`as`: \"binary(..)\" takes base64 or hex", None),
            };
        }
        "integer" => Neutral::Integer,
        "float" => Neutral::Float,
        "boolean" => Neutral::Boolean,
        "date" => Neutral::Date,
        "time" => Neutral::Time,
        "text" => Neutral::Text,
        "json" => Neutral::Json,
        "uuid" => Neutral::Uuid,
        _ => {
            return node.wrong(
                format!("`as`: an extract knows no type \"{text}\""),
                near::hint(name, &KINDS, "types"),
            );
        }
    };
    if argument.is_some() {
        return node.wrong(format!("`as`: \"{name}\" takes nothing in brackets"), None);
    }
    Some(known)
}
