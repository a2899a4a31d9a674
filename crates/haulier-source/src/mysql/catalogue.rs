//! MySQL's and MariaDB's catalogue.

use haulier_core::plan::Relation;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{Column, Executor, Row, Statement, TypeInfo};

use super::column::{Declared, described};
use crate::catalogue::{Described, DescribedColumn};
use crate::sql::{self, Dialect};

const D: Dialect = Dialect::MySql;

/// What the catalogue says about a relation.
pub(super) async fn describe(
    connection: &mut MySqlConnection,
    relation: &Relation,
) -> Result<Option<Described>, sqlx::Error> {
    match relation {
        Relation::Table { schema, name } => describe_table(connection, schema.as_deref(), name).await,
        Relation::Query(query) => {
            let from = sql::derived(query);
            let statement = connection.prepare(sql::shape(&from).sql()).await?;
            let columns = statement.columns().iter().map(|column| {
                let shown = column.type_info().name().to_lowercase();
                let declared = Declared {
                    kind: shown.split(' ').next().unwrap_or("").to_owned(),
                    unsigned: shown.ends_with("unsigned"),
                    digits: None,
                    is_json: false,
                    shown,
                };
                described(column.name().to_owned(), declared, true)
            });
            let columns = columns.collect();
            Ok(Some(Described { from, label: "the query".to_owned(), columns, unique: Vec::new() }))
        }
    }
}

/// Names of tables and views of the database.
pub(super) async fn relations(connection: &mut MySqlConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "select table_name as name from information_schema.tables where table_schema = database() order by 1",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| text(row, 0)).collect()
}

async fn describe_table(
    connection: &mut MySqlConnection,
    schema: Option<&str>,
    name: &str,
) -> Result<Option<Described>, sqlx::Error> {
    let columns = columns(connection, schema, Some(name)).await?;
    let columns: Vec<DescribedColumn> =
        columns.into_iter().filter(|(table, _)| table == name).map(|(_, column)| column).collect();
    if columns.is_empty() {
        return Ok(None);
    }
    let sets = unique_sets(connection, schema, Some(name)).await?;
    let unique = sets.into_iter().filter(|set| set.table == name).map(|set| set.columns).collect();
    Ok(Some(Described { from: D.table(schema, name), label: format!("table `{name}`"), columns, unique }))
}

/// Columns of one or all tables, each with its table's name.
pub(super) async fn columns(
    connection: &mut MySqlConnection,
    schema: Option<&str>,
    table: Option<&str>,
) -> Result<Vec<(String, DescribedColumn)>, sqlx::Error> {
    let json = json_columns(connection, schema).await?;
    let rows = sqlx::query(
        "select table_name as t, column_name as c, data_type as d, column_type as s, is_nullable as n, \
           cast(numeric_precision as signed) as p, cast(numeric_scale as signed) as q \
         from information_schema.columns \
         where table_schema = coalesce(?, database()) and (? is null or table_name = ?) \
         order by table_name, ordinal_position",
    )
    .bind(schema)
    .bind(table)
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut columns = Vec::with_capacity(rows.len());
    for row in &rows {
        let (table, name, shown) = (text(row, 0)?, text(row, 1)?, text(row, 3)?);
        let digits = match (row.try_get_unchecked(5)?, row.try_get_unchecked(6)?) {
            (Some(precision), Some(scale)) => Some((precision, scale)),
            _ => None,
        };
        let declared = Declared {
            kind: text(row, 2)?.to_lowercase(),
            unsigned: shown.contains("unsigned"),
            digits,
            is_json: json.iter().any(|(other, column)| *other == table && *column == name),
            shown,
        };
        let nullable = text(row, 4)? == "YES";
        columns.push((table, described(name, declared, nullable)));
    }
    Ok(columns)
}

/// MariaDB calls a JSON column `longtext` and adds a constraint; MySQL has no such constraint and needs none.
async fn json_columns(
    connection: &mut MySqlConnection,
    schema: Option<&str>,
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let known = sqlx::query(
        "select count(*) from information_schema.columns where table_schema = 'information_schema' \
         and table_name = 'CHECK_CONSTRAINTS' and column_name = 'TABLE_NAME'",
    )
    .fetch_one(&mut *connection)
    .await?;
    if known.try_get_unchecked::<i64, _>(0)? == 0 {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "select table_name as t, check_clause as c from information_schema.check_constraints \
         where constraint_schema = coalesce(?, database()) and lower(check_clause) like 'json_valid(%)'",
    )
    .bind(schema)
    .fetch_all(connection)
    .await?;
    let mut columns = Vec::new();
    for row in &rows {
        let clause = text(row, 1)?;
        let inner = clause.get("json_valid(".len()..).and_then(|rest| rest.strip_suffix(')'));
        let name = inner.and_then(|name| name.strip_prefix('`')).and_then(|name| name.strip_suffix('`'));
        if let Some(name) = name {
            columns.push((text(row, 0)?, name.replace("``", "`")));
        }
    }
    Ok(columns)
}

/// A unique index.
pub(super) struct UniqueSet {
    pub(super) table: String,
    pub(super) index: String,
    pub(super) columns: Vec<String>,
}

/// Unique indexes over whole columns of one or all tables.
pub(super) async fn unique_sets(
    connection: &mut MySqlConnection,
    schema: Option<&str>,
    table: Option<&str>,
) -> Result<Vec<UniqueSet>, sqlx::Error> {
    let rows = sqlx::query(
        "select table_name as t, index_name as i, case when sub_part is null then column_name end as c \
         from information_schema.statistics \
         where table_schema = coalesce(?, database()) and (? is null or table_name = ?) and non_unique = 0 \
         order by table_name, index_name, seq_in_index",
    )
    .bind(schema)
    .bind(table)
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut sets: Vec<UniqueSet> = Vec::new();
    for row in &rows {
        let (table, index) = (text(row, 0)?, text(row, 1)?);
        // A part of a column, or an expression, proves nothing about columns.
        let column: String = row.try_get_unchecked::<Option<String>, _>(2)?.unwrap_or_default();
        match sets.last_mut() {
            Some(last) if last.table == table && last.index == index => last.columns.push(column),
            _ => sets.push(UniqueSet { table, index, columns: vec![column] }),
        }
    }
    sets.retain(|set| !set.columns.iter().any(String::is_empty));
    Ok(sets)
}

/// Texts of the catalogue come under many types, by version.
pub(super) fn text(row: &MySqlRow, index: usize) -> Result<String, sqlx::Error> {
    row.try_get_unchecked(index)
}
