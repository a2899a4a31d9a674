//! Statements about whole tables: bounds of a key, candidates for keys, rows that refer to nothing.

use haulier_core::schema::{ForeignKey, Table};

use super::{Builder, Dialect, Statement};

/// What a query of one column returns; a second row is there to be seen.
pub(crate) fn scalar(from: &str, read: &str) -> Statement {
    let mut builder = Builder::new(Dialect::Sqlite);
    builder.push(&format!("select {read} from {from} as r limit 2"));
    builder.finish()
}

/// The least and the greatest value of a column of a relation that stands as `r`.
pub(crate) fn bounds(dialect: Dialect, relation: &str, column: &str) -> Statement {
    let column = format!("r.{}", dialect.quoted(column));
    let mut builder = Builder::new(dialect);
    builder.push(&format!("select min({column}), max({column}) from {relation}"));
    builder.finish()
}

/// Rows in all, distinct combinations without NULL, rows with a NULL.
pub(crate) fn key_quality(dialect: Dialect, table: &Table, columns: &[String]) -> Statement {
    let from = dialect.table(table.schema.as_deref(), &table.name);
    let columns: Vec<String> = columns.iter().map(|column| dialect.quoted(column)).collect();
    let list = columns.join(", ");
    let each = |test: &str, glue: &str| {
        columns.iter().map(|column| format!("{column} {test}")).collect::<Vec<_>>().join(glue)
    };
    let (full, null) = (each("is not null", " and "), each("is null", " or "));
    let mut builder = Builder::new(dialect);
    builder.push(&format!(
        "select (select count(*) from {from}), \
         (select count(*) from (select distinct {list} from {from} where {full}) as d), \
         (select count(*) from {from} where {null})"
    ));
    builder.finish()
}

/// How many rows refer to a row that is not there.
pub(crate) fn orphans(dialect: Dialect, child: &Table, parent: &str, reference: &ForeignKey) -> Statement {
    let from = dialect.table(child.schema.as_deref(), &child.name);
    let set: Vec<String> =
        reference.columns.iter().map(|column| format!("c.{} is not null", dialect.quoted(column))).collect();
    let same: Vec<String> = reference
        .columns
        .iter()
        .zip(&reference.referenced)
        .map(|(here, there)| format!("p.{} = c.{}", dialect.quoted(there), dialect.quoted(here)))
        .collect();
    let (set, same) = (set.join(" and "), same.join(" and "));
    let mut builder = Builder::new(dialect);
    builder.push(&format!(
        "select count(*) from {from} as c where {set} and not exists (select 1 from {parent} as p where {same})"
    ));
    builder.finish()
}
