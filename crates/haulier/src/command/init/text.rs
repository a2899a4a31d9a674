//! The text of a first plan.

use std::fmt::Write;

use haulier_core::schema::{ColumnKind, ForeignKey, Schema, Table};

use crate::command::graph::{is_self, parent, parents_first};
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
                !same(table, root)
                    && table
                        .foreign_keys
                        .iter()
                        .any(|r| leads(order, table, r).is_some_and(|to| same(to, root)))
            })
            .count()
    };
    let parentless = order.iter().filter(|table| table.foreign_keys.iter().all(|r| is_self(table, r)));
    parentless.max_by_key(children).copied()
}

fn same(one: &Table, other: &Table) -> bool {
    (&one.schema, &one.name) == (&other.schema, &other.name)
}

fn leads<'s>(order: &[&'s Table], table: &Table, reference: &ForeignKey) -> Option<&'s Table> {
    parent(order, table, reference)
}

/// The name of a table's entity; its schema is part of it where another table has the same name.
fn entity_of(order: &[&Table], table: &Table) -> String {
    let plain = entity_name(&table.name);
    let shared = order.iter().any(|other| !same(other, table) && entity_name(&other.name) == plain);
    match &table.schema {
        Some(schema) if shared => entity_name(&format!("{schema}_{}", table.name)),
        Some(_) | None => plain,
    }
}

fn write_plan(
    out: &mut String,
    order: &[&Table],
    closing: &[(&Table, &ForeignKey)],
    root: Option<&Table>,
) -> std::fmt::Result {
    let root_name = root.map_or_else(|| "?".to_owned(), |table| entity_of(order, table));
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
        write_entity(out, order, table, closing, root)?;
    }
    Ok(())
}

fn write_entity(
    out: &mut String,
    order: &[&Table],
    table: &Table,
    closing: &[(&Table, &ForeignKey)],
    root: Option<&Table>,
) -> std::fmt::Result {
    writeln!(out, "\n[[entity]]")?;
    let own = entity_of(order, table);
    writeln!(out, "name = {}", quote(&own))?;
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
    let deferred = |reference: &ForeignKey| closing.iter().any(|(_, by)| std::ptr::eq(*by, reference));
    let found: Vec<(&ForeignKey, Option<&Table>)> =
        table.foreign_keys.iter().map(|reference| (reference, leads(order, table, reference))).collect();
    let parent = found.iter().find(|(r, to)| to.is_some() && !is_self(table, r) && !deferred(r));
    if let Some((_, Some(parent))) = parent.filter(|_| root.is_some_and(|root| !same(root, table))) {
        writeln!(out, "parent = {}   # ? leads to the tenant", quote(&entity_of(order, parent)))?;
    }
    writeln!(
        out,
        "natural_key = {}   # ? what identifies a record on both sides, without ids",
        list(&natural_key(table))
    )?;
    writeln!(out, "\n[entity.fields]   # ? the target's names on the left")?;
    for (reference, to) in &found {
        let Some(to) = to else {
            let columns = reference.columns.join(", ");
            writeln!(out, "# ? {columns}: refers to {}, which is not in this plan", quote(&reference.table))?;
            continue;
        };
        let note = if is_self(table, reference) { "   # refers to its own entity" } else { "" };
        let defer = if deferred(reference) { ", deferred = true" } else { "" };
        writeln!(
            out,
            "{} = {{ ref = {}, by = {}{defer} }}{note}",
            bare(&reference.columns.join("_")),
            quote(&entity_of(order, to)),
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
    let path = format!("/{own}");
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
pub(super) fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::schema::Column;

    fn table(schema: Option<&str>, name: &str, refers: &[(&str, &str)]) -> Table {
        let column = |name: &str| Column {
            name: name.to_owned(),
            type_name: "text".to_owned(),
            nullable: false,
            kind: ColumnKind::Text,
        };
        let columns = ["id", "email"].into_iter().chain(refers.iter().map(|(by, _)| *by)).map(column);
        let foreign_keys = refers.iter().map(|(by, to)| ForeignKey {
            columns: vec![(*by).to_owned()],
            table: (*to).to_owned(),
            referenced: vec!["id".to_owned()],
        });
        Table {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
            view: false,
            columns: columns.collect(),
            primary_key: vec!["id".to_owned()],
            unique: Vec::new(),
            foreign_keys: foreign_keys.collect(),
        }
    }

    #[test]
    fn a_reference_across_schemas_names_an_entity_of_the_plan() {
        let tables = vec![
            table(None, "people", &[]),
            table(Some("crm"), "people", &[("real_id", "public.people")]),
            table(Some("crm"), "notes", &[("person_id", "public.people"), ("odd_id", "elsewhere.things")]),
        ];
        let text = plan(&Schema { tables });
        let parsed = haulier_plan::parse_plan(std::path::Path::new("plan.toml"), &text);
        let parsed = parsed.unwrap_or_else(|problems| panic!("{problems}\n{text}"));
        let entities: Vec<(&str, Vec<&str>)> = (parsed.entities.iter())
            .map(|entity| (entity.name.as_str(), entity.refs.iter().map(|r| r.entity.as_str()).collect()))
            .collect();
        assert_eq!(entities, [("people", vec![]), ("crm_people", vec!["people"]), ("notes", vec!["people"])]);
        assert!(text.contains("# ? odd_id: refers to \"elsewhere.things\""), "{text}");
    }
}
