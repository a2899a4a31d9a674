//! `haulier scan`: what the source's data says about keys and references, which its schema often does not.

use haulier_core::port::Source;
use haulier_core::schema::{Column, ColumnKind, Schema, Table};
use serde::Serialize;

use super::graph::{is_self, known, parents_first};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site;
use crate::ui::{self, grouped};

/// Look for keys, duplicates and orphans in the source's data, and for rings of references in its schema
///
/// Real schemas declare almost no natural keys. This counts, for every declared key and every column that looks like one,
/// how many rows share a value and how many have none. Reads whole tables: run it on a replica, or in a quiet hour.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The source, instead of the site file's (a password comes from `HAULIER_SOURCE_PASSWORD`)
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Only these tables
    #[arg(long, value_name = "NAME")]
    table: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Key {
    table: String,
    columns: Vec<String>,
    declared: &'static str,
    rows: u64,
    duplicates: u64,
    nulls: u64,
}

#[derive(Debug, Serialize)]
struct Reference {
    table: String,
    columns: Vec<String>,
    to: String,
    orphans: u64,
    note: &'static str,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let source = site::source_from(global, args.from.as_deref()).await?;
    let schema = source.schema().await?;
    known(&schema, &args.table)?;
    let wanted = |table: &&Table| !table.view && (args.table.is_empty() || args.table.contains(&table.name));
    let (_, closing) = parents_first(&schema);
    let (mut keys, mut references) = (Vec::new(), Vec::new());
    for table in schema.tables.iter().filter(wanted) {
        ui::note(format!("reading {}", table.name));
        keys.extend(keys_of(source.as_ref(), table).await?);
        for reference in &table.foreign_keys {
            let ring = closing.iter().any(|(_, by)| std::ptr::eq(*by, reference));
            references.push(Reference {
                table: table.name.clone(),
                columns: reference.columns.clone(),
                to: reference.table.clone(),
                orphans: source.orphans(table, reference).await?,
                note: match (is_self(table, reference), ring) {
                    (true, _) => "refers to itself",
                    (false, true) => "closes a ring: `deferred = true`",
                    (false, false) => "",
                },
            });
        }
    }
    let keyless: Vec<&str> = schema
        .tables
        .iter()
        .filter(wanted)
        .filter(|t| t.primary_key.is_empty())
        .map(|t| t.name.as_str())
        .collect();
    if global.json {
        ui::json(
            &serde_json::json!({ "keys": keys, "references": references, "without_primary_key": keyless }),
        )?;
    } else {
        print(&schema, &keys, &references, &keyless)?;
    }
    Ok(Exit::Done)
}

fn print(schema: &Schema, keys: &[Key], references: &[Reference], keyless: &[&str]) -> Result<(), CliError> {
    let views = schema.tables.iter().filter(|table| table.view).count();
    ui::line(format!("{} tables, {views} views", schema.tables.len() - views))?;
    let rows = keys.iter().map(|key| {
        let fit = if key.duplicates == 0 && key.nulls == 0 { "yes" } else { "no" };
        let numbers = [key.rows, key.duplicates, key.nulls].map(grouped);
        let words = [key.table.clone(), key.columns.join(", "), key.declared.to_owned()];
        words.into_iter().chain(numbers).chain([fit.to_owned()]).collect::<Vec<_>>()
    });
    ui::line("\nkey candidates")?;
    ui::line(ui::table(
        &["table", "columns", "declared", "rows", "duplicates", "nulls", "fit as key"],
        rows,
    ))?;
    if !references.is_empty() {
        ui::line("\nreferences")?;
        let rows = references.iter().map(|r| {
            vec![r.table.clone(), r.columns.join(", "), r.to.clone(), grouped(r.orphans), r.note.to_owned()]
        });
        ui::line(ui::table(&["table", "columns", "to", "orphans", ""], rows))?;
    }
    if !keyless.is_empty() {
        ui::line(format!(
            "\nwithout a primary key: {}; name a unique, never-NULL column set as `source.key`, or use a query",
            keyless.join(", ")
        ))?;
    }
    Ok(())
}

/// Declared keys first, then single columns that look like one.
async fn keys_of(source: &dyn Source, table: &Table) -> Result<Vec<Key>, CliError> {
    let mut candidates: Vec<(Vec<String>, &'static str)> = Vec::new();
    if !table.primary_key.is_empty() {
        candidates.push((table.primary_key.clone(), "primary key"));
    }
    candidates.extend(table.unique.iter().map(|columns| (columns.clone(), "unique")));
    for column in table.columns.iter().filter(|column| looks_like_a_key(column)) {
        let columns = vec![column.name.clone()];
        if !candidates.iter().any(|(known, _)| *known == columns) {
            candidates.push((columns, ""));
        }
    }
    let mut keys = Vec::with_capacity(candidates.len());
    for (columns, declared) in candidates {
        let (rows, distinct, nulls) = source.key_quality(table, &columns).await?;
        let duplicates = rows.saturating_sub(nulls).saturating_sub(distinct);
        keys.push(Key { table: table.name.clone(), columns, declared, rows, duplicates, nulls });
    }
    Ok(keys)
}

/// A column by whose name and type people identify a record.
pub(crate) fn looks_like_a_key(column: &Column) -> bool {
    const WORDS: [&str; 14] = [
        "email",
        "mail",
        "login",
        "username",
        "user_name",
        "name",
        "title",
        "code",
        "slug",
        "identifier",
        "uuid",
        "guid",
        "external",
        "number",
    ];
    let fit = match column.kind {
        ColumnKind::Text | ColumnKind::Integer | ColumnKind::Number => true,
        ColumnKind::Boolean
        | ColumnKind::Float
        | ColumnKind::Bytes
        | ColumnKind::Timestamp
        | ColumnKind::LocalTimestamp
        | ColumnKind::Date
        | ColumnKind::Time
        | ColumnKind::Json
        | ColumnKind::List => false,
    };
    let name = column.name.to_ascii_lowercase();
    fit && WORDS.iter().any(|word| name == *word || name.starts_with(word) || name.ends_with(word))
}
