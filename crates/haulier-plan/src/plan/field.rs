//! `fields`: what is sent, from columns, constants and references.

use haulier_core::plan::{Convert, Field, FieldSource, NullBytes, OddNumbers, TextRule, ZeroDates};

use super::convert;
use crate::node::{Node, Table, Text};
use crate::{scalar, shape};

/// A field that holds another record's id, before that entity is looked up.
#[derive(Debug, Clone)]
pub(crate) struct RefDraft<'d> {
    pub(crate) field: Text<'d>,
    pub(crate) entity: Text<'d>,
    pub(crate) by: Vec<Text<'d>>,
    pub(crate) deferred: bool,
    pub(crate) numeric: bool,
    pub(crate) in_body: bool,
}

/// The fields of an entity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields<'d> {
    pub(crate) plain: Vec<(Text<'d>, Field)>,
    pub(crate) refs: Vec<RefDraft<'d>>,
    /// Whether a reference could not be read, so that nothing should be said about one that is not here.
    pub(crate) lost: bool,
}

impl<'d> Fields<'d> {
    /// The names of all fields, in the order plain, reference.
    pub(crate) fn names(&self) -> impl Iterator<Item = Text<'d>> {
        self.plain.iter().map(|(name, _)| *name).chain(self.refs.iter().map(|reference| reference.field))
    }
}

/// Most fields of an entity.
const MOST_FIELDS: usize = 1_000;

/// Reads `fields`.
pub(crate) fn read<'d>(node: &Node<'d>) -> Fields<'d> {
    let mut fields = Fields::default();
    let entries = node.entries();
    if entries.len() > MOST_FIELDS {
        node.notes
            .add(node.at, format!("an entity has at most {MOST_FIELDS} fields, this one {}", entries.len()));
        return fields;
    }
    for (name, value) in entries {
        if name.value.is_empty() || name.value.split('.').any(str::is_empty) {
            node.notes.add(name.at, format!("\"{}\" cannot be a field's name", name.value));
        }
        let has = |key: &str| value.value.as_table().is_some_and(|table| table.contains_key(key));
        if has("ref") {
            let read = value.table(&shape::REF).and_then(|table| reference(name, table));
            fields.lost |= read.is_none();
            fields.refs.extend(read);
        } else if has("const") {
            let constant = value.table(&shape::CONST).and_then(|table| scalar::json(&table.get("const")?));
            let source = constant.map(FieldSource::Constant);
            fields.plain.extend(source.map(|source| (name, field(name, source))));
        } else {
            fields.plain.extend(column(name, &value).map(|source| (name, field(name, source))));
        }
    }
    // Parcels tell references by position, and plans of one digest may be written in any order.
    fields.refs.sort_by_key(|reference| reference.field.value);
    nested_twice(node, &fields);
    fields
}

fn field(name: Text<'_>, source: FieldSource) -> Field {
    Field { name: name.value.to_owned(), source }
}

/// `address` and `address.city` cannot both be sent.
fn nested_twice(node: &Node<'_>, fields: &Fields<'_>) {
    let names: Vec<Text<'_>> = fields.names().collect();
    for name in &names {
        let outer = names
            .iter()
            .find(|outer| name.value.strip_prefix(outer.value).is_some_and(|rest| rest.starts_with('.')));
        if let Some(outer) = outer {
            node.notes.add(
                name.at,
                format!(
                    "field \"{}\" lies within field \"{}\", which has a value of its own",
                    name.value, outer.value
                ),
            );
        }
    }
}

fn reference<'d>(field: Text<'d>, table: Table<'d>) -> Option<RefDraft<'d>> {
    let in_body = table.flag("in_body", true);
    if in_body && field.value.contains('.') {
        table.notes.hinted(
            field.at,
            format!(
                "the reference \"{}\" is nested, but an id is written at the top level only",
                field.value
            ),
            "name it without a dot, or keep it for templates by `in_body = false`",
        );
    }
    let by = table.need("by", "name the columns here that hold the other record's key").map(|by| by.texts());
    Some(RefDraft {
        field,
        entity: table.text("ref")?,
        by: by?,
        deferred: table.flag("deferred", false),
        numeric: table.flag("numeric", false),
        in_body,
    })
}

fn column(name: Text<'_>, value: &Node<'_>) -> Option<FieldSource> {
    if value.value.is_str() {
        return Some(plain_column(value.text()?.value));
    }
    let Some(entries) = value.value.as_table() else {
        return value.unfit("a column's name or a table");
    };
    if !entries.is_empty() && !entries.keys().any(|key| shape::COLUMN.keys.contains(&&**key.get_ref())) {
        let inner = entries.keys().next().map_or("", |key| key.get_ref());
        return value.wrong(
            format!("field \"{}\" is neither a column, a constant nor a reference", name.value),
            Some(format!("write a nested member in quotes: \"{}.{inner}\" = ...", name.value)),
        );
    }
    let table = value.table(&shape::COLUMN)?;
    let column = table.need("column", "name the source column, or use `const` or `ref`")?.text()?;
    let mut text = Vec::new();
    for (key, rule) in
        [("trim", TextRule::Trim), ("lower", TextRule::Lower), ("empty_is_null", TextRule::EmptyIsNull)]
    {
        if table.flag(key, false) {
            text.push(rule);
        }
    }
    Some(FieldSource::Column {
        column: column.value.to_owned(),
        convert: conversion(&table)?,
        text,
        default: table.get("default").and_then(|node| scalar::json(&node)),
        zero_dates: table.get("zero_dates").and_then(|node| zero_dates(&node)).unwrap_or(ZeroDates::Error),
        odd_numbers: table.word(
            "odd_numbers",
            &[("error", OddNumbers::Error), ("null", OddNumbers::Null), ("text", OddNumbers::Text)],
            OddNumbers::Error,
        ),
        null_bytes: table.word(
            "nul",
            &[
                ("error", NullBytes::Error),
                ("strip", NullBytes::Strip),
                ("replace", NullBytes::Replace),
                ("keep", NullBytes::Keep),
            ],
            NullBytes::Error,
        ),
    })
}

/// A column as it is, by its own type.
fn plain_column(column: &str) -> FieldSource {
    FieldSource::Column {
        column: column.to_owned(),
        convert: Convert::Auto,
        text: Vec::new(),
        default: None,
        zero_dates: ZeroDates::Error,
        odd_numbers: OddNumbers::Error,
        null_bytes: NullBytes::Error,
    }
}

fn conversion(table: &Table<'_>) -> Option<Convert> {
    if let Some(map) = table.get("map") {
        if let Some(convert) = table.get("as") {
            return convert.wrong("`as` and `map` cannot both say how a column is converted", None);
        }
        let entries = map.entries();
        if map.value.is_table() && entries.is_empty() {
            return map.wrong("`map` is empty", Some("write `map = { free = \"FREE\" }`".to_owned()));
        }
        let read = entries.iter().filter_map(|(from, to)| Some((from.value.to_owned(), scalar::json(to)?)));
        return Some(Convert::Map(read.collect()));
    }
    let convert = match table.get("as") {
        Some(node) => convert::read(&node)?,
        None => Convert::Auto,
    };
    let Some(zone) = table.get("zone") else { return Some(convert) };
    let Convert::Rfc3339 { precision, .. } = convert else {
        return zone.wrong("`zone` goes with `as = \"rfc3339\"` only", None);
    };
    Some(Convert::Rfc3339 { precision, zone: Some(scalar::zone(&zone)?) })
}

fn zero_dates(node: &Node<'_>) -> Option<ZeroDates> {
    if node.value.is_table() {
        let table = node.table(&shape::ZERO_DATES)?;
        let fixed = table.need("fixed", "write `{ fixed = \"1970-01-01\" }`")?.text()?;
        return Some(ZeroDates::Fixed(fixed.value.to_owned()));
    }
    let null = node.word(&[("error", false), ("null", true)])?;
    Some(if null { ZeroDates::Null } else { ZeroDates::Error })
}
