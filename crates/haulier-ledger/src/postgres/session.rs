//! A connection to the server, as calls see it. A set of rows travels as one array a column.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{Arguments, AssertSqlSafe, Column as _, Executor, PgConnection, Row, TypeInfo};

use super::statements::{ADMIT, POSTGRES, each};
use crate::conn::{Arg, Args, Cells, Column, Conn, Each, Fault, Quick, Shortcut, all_or_none};
use crate::sheet::{self, Deltas};
use crate::sql::Sql;
use crate::store;

/// A connection, and the transaction that it is in or about to begin.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    conn: &'c mut PgConnection,
    /// What begins the transaction, locks included; empty when it has begun, or is not needed.
    opening: String,
    /// Changes of the counts, written before the commit.
    deltas: Deltas,
    /// The fast statement was tried and was wrong, or somebody came between.
    careful: bool,
}

impl<'c> Session<'c> {
    pub(crate) fn writing(conn: &'c mut PgConnection, careful: bool) -> Self {
        Self { conn, opening: "BEGIN".to_owned(), deltas: Deltas::new(), careful }
    }

    pub(crate) fn reading(conn: &'c mut PgConnection) -> Self {
        Self { conn, opening: String::new(), deltas: Deltas::new(), careful: true }
    }

    async fn begin(&mut self) -> Result<(), Fault> {
        if !self.opening.is_empty() {
            let opening = std::mem::take(&mut self.opening);
            self.conn.execute(AssertSqlSafe(opening)).await?;
        }
        Ok(())
    }

    /// Writes what is left to write. Each transaction changes its own part of the counts, so that few wait for others.
    pub(crate) async fn finish(mut self, shard: i64) -> Result<(), Fault> {
        self.begin().await?;
        if !self.deltas.is_empty() {
            let args = store::tally(&std::mem::take(&mut self.deltas), shard);
            self.run(POSTGRES.tally, args).await?;
        }
        Ok(())
    }
}

impl Conn for Session<'_> {
    type Row = PgRow;
    const SQL: &'static Sql = &POSTGRES;

    fn count(&mut self, deltas: &Deltas) {
        sheet::add(&mut self.deltas, deltas);
    }

    fn lock(&mut self, number: i64, alone: bool) {
        let how = if alone { "" } else { "_shared" };
        let lock = format!("; SELECT pg_advisory_xact_lock{how}(hashtext(current_schema()), {number})");
        self.opening.push_str(&lock);
    }

    async fn run(&mut self, sql: &'static str, args: Args<'_>) -> Result<u64, Fault> {
        self.begin().await?;
        let done = sqlx::query_with(sql, arguments(args)?).execute(&mut *self.conn).await?;
        Ok(done.rows_affected())
    }

    async fn rows(&mut self, sql: &'static str, args: Args<'_>) -> Result<Vec<PgRow>, Fault> {
        self.begin().await?;
        Ok(sqlx::query_with(sql, arguments(args)?).fetch_all(&mut *self.conn).await?)
    }

    /// Only new rows are worth a statement of their own: a part of what the others do needs no second look.
    async fn fast(&mut self, shortcut: Shortcut<'_>) -> Result<bool, Fault> {
        if self.careful || shortcut.rows == 0 || shortcut.quick != Quick::Admit {
            return Ok(false);
        }
        self.begin().await?;
        let query = sqlx::query_with(ADMIT, arguments(shortcut.args)?);
        let row = query.fetch_one(&mut *self.conn).await?;
        let done = all_or_none(row.number(0)?, shortcut.rows)?;
        if done {
            self.count(&shortcut.deltas);
        }
        Ok(done)
    }

    async fn some(&mut self, how: Each, args: Args<'_>) -> Result<Vec<PgRow>, Fault> {
        // A target id that another record has fails the whole statement.
        if self.careful && how == Each::Land {
            return Ok(Vec::new());
        }
        self.rows(each(how), args).await
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
