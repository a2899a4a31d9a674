//! SQLite's whole catalogue.

use haulier_core::plan::Relation;
use haulier_core::schema::{ForeignKey, Schema, Table};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use super::catalogue;

/// Tables and views.
pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Schema, sqlx::Error> {
    let rows = sqlx::query(
        "select name, type from sqlite_master where type in ('table', 'view') \
         and name not like 'sqlite\\_%' escape '\\' order by name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tables = Vec::new();
    for row in &rows {
        let (name, kind): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let relation = Relation::Table { schema: None, name: name.clone() };
        let Some(described) = catalogue::describe(&mut *connection, &relation).await? else { continue };
        let primary_key = primary_key(&mut *connection, &name).await?;
        let mut unique = described.unique;
        unique.retain(|set| *set != primary_key);
        unique.sort();
        unique.dedup();
        tables.push(Table {
            schema: None,
            view: kind == "view",
            columns: described.columns.iter().map(Into::into).collect(),
            foreign_keys: references(&mut *connection, &name).await?,
            primary_key,
            unique,
            name,
        });
    }
    // A reference without columns means the other table's primary key.
    let keys: Vec<(String, Vec<String>)> =
        tables.iter().map(|table| (table.name.clone(), table.primary_key.clone())).collect();
    for reference in tables.iter_mut().flat_map(|table| &mut table.foreign_keys) {
        if reference.referenced.is_empty()
            && let Some((_, key)) = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(&reference.table))
        {
            reference.referenced.clone_from(key);
        }
    }
    Ok(Schema { tables })
}

async fn primary_key(connection: &mut SqliteConnection, table: &str) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query("select name from pragma_table_xinfo(?) where pk > 0 order by pk")
        .bind(table)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

async fn references(connection: &mut SqliteConnection, table: &str) -> Result<Vec<ForeignKey>, sqlx::Error> {
    let rows = sqlx::query(
        "select id, \"table\", \"from\", \"to\" from pragma_foreign_key_list(?) order by id, seq",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut references: Vec<(i64, ForeignKey)> = Vec::new();
    for row in &rows {
        let (id, to): (i64, Option<String>) = (row.try_get(0)?, row.try_get(3)?);
        if references.last().is_none_or(|(last, _)| *last != id) {
            let reference = ForeignKey { columns: vec![], table: row.try_get(1)?, referenced: vec![] };
            references.push((id, reference));
        }
        if let Some((_, reference)) = references.last_mut() {
            reference.columns.push(row.try_get(2)?);
            reference.referenced.extend(to);
        }
    }
    Ok(references.into_iter().map(|(_, reference)| reference).collect())
}
