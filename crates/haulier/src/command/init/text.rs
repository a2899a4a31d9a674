//! The text of a first plan.

use std::fmt::Write;

use haulier_core::schema::{ColumnKind, ForeignKey, Schema, Table};

use crate::command::graph::{is_self, parents_first};
use crate::command::scan::looks_like_a_key;

/// A plan that parses, with every guess marked.
pub(super) fn plan(schema: &Schema) -> String {
    let (order, closing) = parents_first(schema);
    let root = tenant(&order);
    let mut out = String::new();
    // Writing into a String cannot fail.
    let _infallible = write_plan(&mut out, &order, &closing, root);
    out
}

/// The table that most others lead to: the best guess of what a person migrates and accepts.
fn tenant<'s>(order: &[&'s Table]) -> Option<&'s Table> {
    let children = |root: &&&Table| {
        order
            .iter()
            .filter(|table| {
                table.name != root.name && table.foreign_keys.iter().any(|r| r.table == root.name)
            })
            .count()
    };
    let parentless = order.iter().filter(|table| table.foreign_keys.iter().all(|r| is_self(table, r)));
    parentless.max_by_key(children).copied()
}

fn write_plan(
    out: &mut String,
    order: &[&Table],
    closing: &[(&Table, &ForeignKey)],
    root: Option<&Table>,
) -> std::fmt::Result {
    let root_name = root.map_or_else(|| "?".to_owned(), |table| entity_name(&table.name));
    writeln!(
        out,
        "# A first plan, written from the source's schema. Every line with `?` holds a guess: decide it."
    )?;
    writeln!(
        out,
        "# `haulier scan` counts duplicates and NULLs in key candidates; `haulier check` tries the plan on both sides."
    )?;
    writeln!(
        out,
        "\nname = \"first-plan\"                  # ? names the migration; a ledger serves one plan name"
    )?;
    writeln!(
        out,
        "tenant = {}   # ? the root record that a person migrates, schedules and accepts",
        quote(&root_name)
    )?;
    for table in order {
        write_entity(out, table, closing, root)?;
    }
    Ok(())
}

fn write_entity(
    out: &mut String,
    table: &Table,
    closing: &[(&Table, &ForeignKey)],
    root: Option<&Table>,
) -> std::fmt::Result {
    writeln!(out, "\n[[entity]]")?;
    writeln!(out, "name = {}", quote(&entity_name(&table.name)))?;
    let name =
        table.schema.as_ref().map_or_else(|| table.name.clone(), |schema| format!("{schema}.{}", table.name));
    writeln!(out, "source.table = {}", quote(&name))?;
    let key = key_of(table);
    match table.primary_key.is_empty() {
        false => writeln!(out, "source.key = {}", list(&key))?,
        true => writeln!(
            out,
            "source.key = {}   # ? the table declares no primary key; these must be unique and never NULL",
            list(&key)
        )?,
    }
    let deferred = |reference: &ForeignKey| {
        closing.iter().any(|(closes, by)| closes.name == table.name && *by == reference)
    };
    let parent = table.foreign_keys.iter().find(|r| !is_self(table, r) && !deferred(r));
    if let Some(parent) = parent.filter(|_| root.is_some_and(|root| root.name != table.name)) {
        writeln!(out, "parent = {}   # ? leads to the tenant", quote(&entity_name(&parent.table)))?;
    }
    writeln!(
        out,
        "natural_key = {}   # ? what identifies a record on both sides, without ids",
        list(&natural_key(table))
    )?;
    writeln!(out, "\n[entity.fields]   # ? the target's names on the left")?;
    for reference in &table.foreign_keys {
        let note = if is_self(table, reference) { "   # refers to its own entity" } else { "" };
        let defer = if deferred(reference) { ", deferred = true" } else { "" };
        writeln!(
            out,
            "{} = {{ ref = {}, by = {}{defer} }}{note}",
            bare(&reference.columns.join("_")),
            quote(&entity_name(&reference.table)),
            list(&reference.columns)
        )?;
    }
    let referring: Vec<&String> =
        table.foreign_keys.iter().flat_map(|reference| &reference.columns).collect();
    for column in
        table.columns.iter().filter(|c| !referring.contains(&&c.name) && !table.primary_key.contains(&c.name))
    {
        let convert = match column.kind {
            ColumnKind::Timestamp | ColumnKind::LocalTimestamp => Some("rfc3339"),
            ColumnKind::Number => Some("decimal"),
            ColumnKind::Boolean
            | ColumnKind::Integer
            | ColumnKind::Float
            | ColumnKind::Text
            | ColumnKind::Bytes
            | ColumnKind::Date
            | ColumnKind::Time
            | ColumnKind::Json
            | ColumnKind::List => None,
        };
        let zone = if column.kind == ColumnKind::LocalTimestamp { ", zone = \"UTC\"" } else { "" };
        let hint = if zone.is_empty() { String::new() } else { "   # ? the column has no zone".to_owned() };
        match convert {
            Some(convert) => writeln!(
                out,
                "{} = {{ column = {}, as = {}{zone} }}{hint}",
                bare(&column.name),
                quote(&column.name),
                quote(convert)
            )?,
            None => writeln!(out, "{} = {}", bare(&column.name), quote(&column.name))?,
        }
    }
    let path = format!("/{}", entity_name(&table.name));
    let places: Vec<String> = key.iter().map(|column| format!("{{{column}}}")).collect();
    writeln!(
        out,
        "\n[entity.push]   # ? how the target takes it: put, create, lookup-then-write, link or bulk"
    )?;
    writeln!(out, "shape = \"put\"")?;
    writeln!(out, "path = {}", quote(&format!("{path}/{}", places.join("/"))))?;
    writeln!(out, "id = \"/id\"   # where the reply tells the record's id")?;
    if table.foreign_keys.iter().any(deferred) {
        writeln!(
            out,
            "update = {{ method = \"patch\", path = {} }}   # ? sets the deferred fields",
            quote(&format!("{path}/{{id}}"))
        )?;
    }
    Ok(())
}

fn key_of(table: &Table) -> Vec<String> {
    if !table.primary_key.is_empty() {
        return table.primary_key.clone();
    }
    let unique = table.unique.first().cloned();
    unique.unwrap_or_else(|| table.columns.iter().take(1).map(|column| column.name.clone()).collect())
}

/// A declared unique set, else a column that looks like a key, else the key itself.
fn natural_key(table: &Table) -> Vec<String> {
    let declared =
        table.unique.iter().find(|columns| columns.iter().all(|name| !table.primary_key.contains(name)));
    declared.cloned().unwrap_or_else(|| {
        let likely = table
            .columns
            .iter()
            .find(|column| looks_like_a_key(column) && !table.primary_key.contains(&column.name));
        likely.map_or_else(|| key_of(table), |column| vec![column.name.clone()])
    })
}

/// An entity's name from a table's: lower case, letters, digits, `_`, `-`.
fn entity_name(table: &str) -> String {
    let mut name: String =
        table
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c.to_ascii_lowercase() } else { '_' }
            })
            .collect();
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name.insert_str(0, "t_");
    }
    name.truncate(64);
    name
}

/// A TOML key, quoted where it must be.
fn bare(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if plain { name.to_owned() } else { quote(name) }
}

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quote(name)).collect();
    format!("[{}]", names.join(", "))
}

/// A TOML basic string: JSON's escapes are TOML's too.
fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}
