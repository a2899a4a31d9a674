//! PostgreSQL's whole catalogue.

use haulier_core::schema::{ForeignKey, Schema, Table};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::catalogue::columns;
use super::column::Seen;

/// Tables and views of all schemas but the system's. A partition is part of its parent and not shown.
pub(super) async fn read(connection: &mut PgConnection) -> Result<Schema, sqlx::Error> {
    let rows = sqlx::query(
        "select c.oid::int8, nullif(n.nspname::text, current_schema()::text), c.relname::text, c.relkind in ('v', 'm'), \
           a.attname::text, a.atttypid::int8, not a.attnotnull, pg_catalog.format_type(a.atttypid, a.atttypmod) \
         from pg_catalog.pg_class c \
         join pg_catalog.pg_namespace n on n.oid = c.relnamespace \
         join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped \
         where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' \
           and coalesce(to_jsonb(c)->>'relispartition', 'false') = 'false' \
         order by n.nspname, c.relname, c.oid, a.attnum",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut tables: Vec<(i64, Table)> = Vec::new();
    let mut owners = Vec::with_capacity(rows.len());
    let mut seen = Vec::with_capacity(rows.len());
    for row in &rows {
        let oid: i64 = row.try_get(0)?;
        if tables.last().is_none_or(|(last, _)| *last != oid) {
            tables.push((oid, table(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)));
        }
        owners.push(tables.len() - 1);
        let (name, oid, nullable, shown) =
            (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?, row.try_get(7)?);
        seen.push(Seen { name, oid, nullable, shown });
    }
    for (owner, column) in owners.into_iter().zip(columns(&mut *connection, seen).await?) {
        tables[owner].1.columns.push((&column).into());
    }
    keys(&mut *connection, &mut tables).await?;
    references(connection, &mut tables).await?;
    Ok(Schema { tables: tables.into_iter().map(|(_, table)| table).collect() })
}

fn table(schema: Option<String>, name: String, view: bool) -> Table {
    Table { schema, name, view, columns: vec![], primary_key: vec![], unique: vec![], foreign_keys: vec![] }
}

async fn keys(connection: &mut PgConnection, tables: &mut [(i64, Table)]) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "select i.indrelid::int8, i.indisprimary, array(select a.attname::text \
             from unnest(i.indkey::int2[]) with ordinality k(attnum, place) \
             join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum \
             where k.place <= coalesce((to_jsonb(i)->>'indnkeyatts')::int, i.indnatts) order by k.place) \
         from pg_catalog.pg_index i \
         where i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null \
         order by i.indrelid, i.indexrelid",
    )
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let (oid, primary, columns): (i64, bool, Vec<String>) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let Some((_, table)) = tables.iter_mut().find(|(table, _)| *table == oid) else { continue };
        if primary {
            table.primary_key = columns;
        } else {
            table.unique.push(columns);
        }
    }
    Ok(())
}

async fn references(connection: &mut PgConnection, tables: &mut [(i64, Table)]) -> Result<(), sqlx::Error> {
    let rows = sqlx::query(
        "select f.conrelid::int8, \
           case when c.relnamespace = p.relnamespace then p.relname::text else n.nspname || '.' || p.relname end, \
           array(select a.attname::text from unnest(f.conkey) with ordinality k(attnum, place) \
             join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.attnum order by k.place), \
           array(select a.attname::text from unnest(f.confkey) with ordinality k(attnum, place) \
             join pg_catalog.pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.attnum order by k.place) \
         from pg_catalog.pg_constraint f \
         join pg_catalog.pg_class c on c.oid = f.conrelid \
         join pg_catalog.pg_class p on p.oid = f.confrelid \
         join pg_catalog.pg_namespace n on n.oid = p.relnamespace \
         where f.contype = 'f' and coalesce(to_jsonb(p)->>'relispartition', 'false') = 'false' \
         order by f.conrelid, f.conname",
    )
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let oid: i64 = row.try_get(0)?;
        let Some((_, table)) = tables.iter_mut().find(|(table, _)| *table == oid) else { continue };
        let (columns, referenced) = (row.try_get(2)?, row.try_get(3)?);
        table.foreign_keys.push(ForeignKey { columns, table: row.try_get(1)?, referenced });
    }
    Ok(())
}
