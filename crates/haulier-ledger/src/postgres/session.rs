//! A connection to the server, as calls see it. A set of rows travels as one array a column.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, Column as _, PgConnection, Row, TypeInfo};

use super::statements::POSTGRES;
use crate::conn::{Arg, Args, Cells, Column, Conn, Fault};
use crate::sql::Sql;

/// A connection inside a transaction.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    pub(crate) conn: &'c mut PgConnection,
    /// Which part of the counts this transaction changes.
    pub(crate) shard: i64,
    /// The fast path was tried and was wrong, or somebody came between.
    pub(crate) careful: bool,
}

impl Conn for Session<'_> {
    type Row = PgRow;
    const SQL: &'static Sql = &POSTGRES;

    fn shard(&self) -> i64 {
        self.shard
    }

    async fn run(&mut self, sql: &'static str, args: Args<'_>) -> Result<u64, Fault> {
        let done = sqlx::query_with(sql, arguments(args)?).execute(&mut *self.conn).await?;
        Ok(done.rows_affected())
    }

    async fn rows(&mut self, sql: &'static str, args: Args<'_>) -> Result<Vec<PgRow>, Fault> {
        Ok(sqlx::query_with(sql, arguments(args)?).fetch_all(&mut *self.conn).await?)
    }

    /// A transaction that changed a part of the rows is rolled back, and begun anew without trying this.
    async fn all_or_none(&mut self, sql: &'static str, args: Args<'_>, wanted: usize) -> Result<bool, Fault> {
        if self.careful {
            return Ok(false);
        }
        match self.run(sql, args).await? {
            0 => Ok(wanted == 0),
            changed if changed == crate::store::count(wanted) => Ok(true),
            _ => Err(Fault::Again),
        }
    }
}

impl Cells for PgRow {
    fn int(&self, column: usize) -> Result<Option<i64>, Fault> {
        let narrow = self.try_column(column)?.type_info().name();
        Ok(match narrow {
            "INT2" => self.try_get::<Option<i16>, _>(column)?.map(i64::from),
            "INT4" => self.try_get::<Option<i32>, _>(column)?.map(i64::from),
            _ => self.try_get(column)?,
        })
    }

    fn text(&self, column: usize) -> Result<Option<String>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.try_get(column)?)
    }
}

fn arguments(args: Args<'_>) -> Result<PgArguments, Fault> {
    let mut arguments = PgArguments::default();
    let bad = |error| Fault::Database(sqlx::Error::Encode(error));
    for arg in args.single {
        match arg {
            Arg::Int(value) => arguments.add(value),
            Arg::Text(value) => arguments.add(value),
        }
        .map_err(bad)?;
    }
    for column in args.set {
        match column {
            Column::Ints(values) => arguments.add(values),
            Column::Texts(values) => arguments.add(values),
            Column::Digests(values) => arguments.add(values),
        }
        .map_err(bad)?;
    }
    Ok(arguments)
}
