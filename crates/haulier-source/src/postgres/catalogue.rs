//! PostgreSQL's catalogue.

use std::collections::HashMap;

use haulier_core::plan::Relation;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Column, Executor, Row, Statement};

use super::column::{Base, Seen, described};
use crate::catalogue::{Described, DescribedColumn};
use crate::sql::{self, Dialect};

const D: Dialect = Dialect::Postgres;

/// What the catalogue says about a relation.
pub(super) async fn describe(
    connection: &mut PgConnection,
    relation: &Relation,
) -> Result<Option<Described>, sqlx::Error> {
    match relation {
        Relation::Query(query) => describe_query(connection, query).await.map(Some),
        Relation::Table { schema, name } => describe_table(connection, schema.as_deref(), name).await,
    }
}

/// Names of tables and views that are seen without a schema.
pub(super) async fn relations(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = sqlx::query(
        "select relname::text from pg_catalog.pg_class \
         where relkind in ('r', 'p', 'v', 'm', 'f') and pg_catalog.pg_table_is_visible(oid) \
         and relnamespace <> 'pg_catalog'::regnamespace order by 1",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

async fn describe_table(
    connection: &mut PgConnection,
    schema: Option<&str>,
    name: &str,
) -> Result<Option<Described>, sqlx::Error> {
    let found = sqlx::query(
        "select c.oid::int8, n.nspname::text, c.relkind = 'r' and exists \
           (select 1 from pg_catalog.pg_inherits i where i.inhparent = c.oid) \
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         where c.relname = $1 and c.relkind in ('r', 'p', 'v', 'm', 'f') \
           and (n.nspname = $2 or ($2 is null and pg_catalog.pg_table_is_visible(c.oid)))",
    )
    .bind(name)
    .bind(schema)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let (oid, namespace, inherited): (i64, String, bool) =
        (found.try_get(0)?, found.try_get(1)?, found.try_get(2)?);
    let rows = sqlx::query(
        "select a.attname::text, a.atttypid::int8, a.attnotnull, \
           pg_catalog.format_type(a.atttypid, a.atttypmod) \
         from pg_catalog.pg_attribute a \
         where a.attrelid = $1::oid and a.attnum > 0 and not a.attisdropped order by a.attnum",
    )
    .bind(oid)
    .fetch_all(&mut *connection)
    .await?;
    let mut seen = Vec::new();
    for row in &rows {
        let nullable = !row.try_get::<bool, _>(2)?;
        seen.push(Seen { name: row.try_get(0)?, oid: row.try_get(1)?, nullable, shown: row.try_get(3)? });
    }
    // A unique index of a parent says nothing about the rows of tables that inherit from it.
    let unique = if inherited { Vec::new() } else { unique_sets(connection, oid).await? };
    Ok(Some(Described {
        from: D.table(Some(&namespace), name),
        label: format!("table `{name}`"),
        columns: columns(connection, seen).await?,
        unique,
    }))
}

async fn describe_query(connection: &mut PgConnection, query: &str) -> Result<Described, sqlx::Error> {
    let from = sql::derived(query);
    let statement = connection.prepare(sql::shape(&from).sql()).await?;
    let mut seen = Vec::new();
    for column in statement.columns() {
        let oid = column.type_info().oid().map_or(0, |oid| i64::from(oid.0));
        let shown = column.type_info().to_string().to_lowercase();
        seen.push(Seen { name: column.name().to_owned(), oid, nullable: true, shown });
    }
    let columns = columns(connection, seen).await?;
    Ok(Described { from, label: "the query".to_owned(), columns, unique: Vec::new() })
}

/// The column sets of unique indexes that hold for all rows.
async fn unique_sets(connection: &mut PgConnection, oid: i64) -> Result<Vec<Vec<String>>, sqlx::Error> {
    let rows = sqlx::query(
        "select array(select a.attname::text \
             from unnest(i.indkey::int2[]) with ordinality k(attnum, place) \
             join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum \
             where k.place <= coalesce((to_jsonb(i)->>'indnkeyatts')::int, i.indnatts) order by k.place) \
         from pg_catalog.pg_index i \
         where i.indrelid = $1::oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null",
    )
    .bind(oid)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}

/// Columns whose types have been looked up.
pub(super) async fn columns(
    connection: &mut PgConnection,
    seen: Vec<Seen>,
) -> Result<Vec<DescribedColumn>, sqlx::Error> {
    let oids: Vec<i64> = seen.iter().map(|column| column.oid).collect();
    let rows = sqlx::query(
        "with recursive base (asked, oid) as ( \
           select t.oid, t.oid from pg_catalog.pg_type t where t.oid::int8 = any($1) \
           union all \
           select b.asked, t.typbasetype from base b join pg_catalog.pg_type t on t.oid = b.oid where t.typtype = 'd') \
         select b.asked::int8, n.nspname::text, t.typname::text, t.typelem <> 0 and t.typlen = -1, \
           coalesce(e.typdelim = ',', false) \
         from base b join pg_catalog.pg_type t on t.oid = b.oid and t.typtype <> 'd' \
         join pg_catalog.pg_namespace n on n.oid = t.typnamespace \
         left join pg_catalog.pg_type e on e.oid = t.typelem",
    )
    .bind(&oids)
    .fetch_all(connection)
    .await?;
    let bases: HashMap<i64, Base> = rows.iter().map(base).collect::<Result<_, _>>()?;
    let columns = seen.into_iter().map(|column| {
        let base = bases.get(&column.oid);
        described(column, base)
    });
    Ok(columns.collect())
}

fn base(row: &PgRow) -> Result<(i64, Base), sqlx::Error> {
    let base = Base {
        namespace: row.try_get(1)?,
        name: row.try_get(2)?,
        is_array: row.try_get(3)?,
        comma: row.try_get(4)?,
    };
    Ok((row.try_get(0)?, base))
}
