//! SQLite's catalogue.

use haulier_core::plan::Relation;
use haulier_core::schema::ColumnKind;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Column, Executor, Row, Statement, TypeInfo};

use crate::catalogue::{Around, BindAs, Described, DescribedColumn, Form};
use crate::sql::{self, Dialect};

const D: Dialect = Dialect::Sqlite;

/// What the catalogue says about a relation.
pub(super) async fn describe(
    connection: &mut SqliteConnection,
    relation: &Relation,
) -> Result<Option<Described>, sqlx::Error> {
    match relation {
        Relation::Query(query) => {
            let from = sql::derived(query);
            let statement = connection.prepare(sql::shape(&from).sql()).await?;
            let columns = statement.columns().iter().map(|column| {
                let declared = column.type_info().name();
                described(column.name().to_owned(), if declared == "NULL" { "" } else { declared }, true)
            });
            let columns = columns.collect();
            Ok(Some(Described { from, label: "the query".to_owned(), columns, unique: Vec::new() }))
        }
        Relation::Table { name, .. } => describe_table(connection, name).await,
    }
}

/// Names of tables and views.
pub(super) async fn relations(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "select name from sqlite_master where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\' \
         order by name",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

async fn describe_table(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Described>, sqlx::Error> {
    let rows = sqlx::query(
        "select name, type, \"notnull\", pk from pragma_table_xinfo(?) where hidden <> 1 order by cid",
    )
    .bind(name)
    .fetch_all(&mut *connection)
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut columns = Vec::new();
    let mut primary: Vec<(i64, String)> = Vec::new();
    for row in &rows {
        let (column, declared): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (not_null, place): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        if place > 0 {
            primary.push((place, column.clone()));
        }
        // Only `integer primary key`, the row's own number, is never NULL without being declared so.
        let nullable = not_null == 0 && !(place > 0 && declared.eq_ignore_ascii_case("integer"));
        columns.push(described(column, &declared, nullable));
    }
    let mut unique = unique_sets(connection, name).await?;
    if !primary.is_empty() {
        primary.sort();
        unique.push(primary.into_iter().map(|(_, column)| column).collect());
    }
    Ok(Some(Described { from: D.table(None, name), label: format!("table `{name}`"), columns, unique }))
}

/// The column sets of unique indexes that hold for all rows.
pub(super) async fn unique_sets(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Vec<Vec<String>>, sqlx::Error> {
    let rows = sqlx::query(
        "select l.name, i.name from pragma_index_list(?) l, pragma_index_info(l.name) i \
         where l.\"unique\" = 1 and l.partial = 0 order by l.seq, i.seqno",
    )
    .bind(name)
    .fetch_all(connection)
    .await?;
    let mut sets: Vec<(String, Vec<String>)> = Vec::new();
    for row in &rows {
        let index: String = row.try_get(0)?;
        // An expression has no name; such an index proves nothing about columns.
        let column: Option<String> = row.try_get(1)?;
        match sets.last_mut() {
            Some((last, columns)) if *last == index => columns.push(column.unwrap_or_default()),
            _ => sets.push((index, vec![column.unwrap_or_default()])),
        }
    }
    Ok(sets.into_iter().map(|(_, columns)| columns).filter(|set| !set.iter().any(String::is_empty)).collect())
}

/// The rules by which SQLite turns a declared type into what it does to values.
fn affinity(declared: &str) -> (BindAs, ColumnKind) {
    let declared = declared.to_ascii_uppercase();
    let has = |word: &str| declared.contains(word);
    if has("INT") {
        (BindAs::Numeric, ColumnKind::Integer)
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        (BindAs::Textual, ColumnKind::Text)
    } else if has("BLOB") || declared.is_empty() {
        (BindAs::Untyped, if declared.is_empty() { ColumnKind::Text } else { ColumnKind::Bytes })
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        (BindAs::Numeric, ColumnKind::Float)
    } else if has("BOOL") {
        (BindAs::Numeric, ColumnKind::Boolean)
    } else if has("DATETIME") || has("TIMESTAMP") {
        (BindAs::Numeric, ColumnKind::LocalTimestamp)
    } else if has("DATE") {
        (BindAs::Numeric, ColumnKind::Date)
    } else if has("TIME") {
        (BindAs::Numeric, ColumnKind::Time)
    } else {
        (BindAs::Numeric, ColumnKind::Number)
    }
}

fn described(name: String, declared: &str, nullable: bool) -> DescribedColumn {
    let (bind, kind) = affinity(declared);
    let as_text = if bind == BindAs::Textual {
        Around::new("", " collate binary")
    } else if bind == BindAs::Untyped {
        Around::new("cast(", " as text)")
    } else {
        // Compared as a number where the text is one, by the column's own rule.
        Around::PLAIN
    };
    DescribedColumn {
        name,
        type_name: if declared.is_empty() { "(none)".to_owned() } else { declared.to_owned() },
        nullable,
        form: Form::Any(kind),
        read: Around::PLAIN,
        as_text,
        order: Around::PLAIN,
        place: Around::PLAIN,
        bind,
        generation: Some((Around::PLAIN, Form::Any(kind))),
    }
}
