//! MySQL's and MariaDB's whole catalogue, for the database of the url.

use haulier_core::schema::{ForeignKey, Schema, Table};
use sqlx::mysql::MySqlConnection;

use super::catalogue::{columns, text, unique_sets};

/// Tables and views.
pub(super) async fn read(connection: &mut MySqlConnection) -> Result<Schema, sqlx::Error> {
    let rows = sqlx::query(
        "select table_name as t, table_type as k from information_schema.tables where table_schema = database() \
         and table_type in ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') order by table_name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut schema = Schema::default();
    for row in &rows {
        schema.tables.push(Table {
            schema: None,
            name: text(row, 0)?,
            view: text(row, 1)? == "VIEW",
            columns: Vec::new(),
            primary_key: Vec::new(),
            unique: Vec::new(),
            foreign_keys: Vec::new(),
        });
    }
    for (owner, column) in columns(&mut *connection, None, None).await? {
        if let Some(table) = find(&mut schema, &owner) {
            table.columns.push((&column).into());
        }
    }
    for set in unique_sets(&mut *connection, None, None).await? {
        let Some(table) = find(&mut schema, &set.table) else { continue };
        if set.index == "PRIMARY" {
            table.primary_key = set.columns;
        } else {
            table.unique.push(set.columns);
        }
    }
    references(connection, &mut schema).await?;
    Ok(schema)
}

async fn references(connection: &mut MySqlConnection, schema: &mut Schema) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "select table_name as t, constraint_name as n, column_name as c, referenced_column_name as r, \
           if(referenced_table_schema = table_schema, referenced_table_name, \
             concat(referenced_table_schema, '.', referenced_table_name)) as p \
         from information_schema.key_column_usage \
         where table_schema = database() and referenced_table_name is not null \
         order by table_name, constraint_name, ordinal_position",
    )
    .fetch_all(connection)
    .await?;
    let mut last = None;
    for row in &rows {
        let (owner, constraint) = (text(row, 0)?, text(row, 1)?);
        let Some(table) = find(schema, &owner) else { continue };
        let this = Some((owner, constraint));
        if this != last {
            table.foreign_keys.push(ForeignKey { columns: vec![], table: text(row, 4)?, referenced: vec![] });
            last = this;
        }
        if let Some(reference) = table.foreign_keys.last_mut() {
            reference.columns.push(text(row, 2)?);
            reference.referenced.push(text(row, 3)?);
        }
    }
    Ok(())
}

fn find<'a>(schema: &'a mut Schema, name: &str) -> Option<&'a mut Table> {
    schema.tables.iter_mut().find(|table| table.name == name)
}
