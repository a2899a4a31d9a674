//! A connection to the file, as calls see it.

use sqlx::sqlite::SqliteRow;
use sqlx::{Executor, Row, SqliteConnection};

use super::encode::{Packed, arguments, packed};
use super::quick;
use super::statements::{SQLITE, TALLY_AND_COMMIT};
use crate::conn::{Args, Cells, Conn, Each, Fault, Quick, Shortcut, all_or_none};
use crate::sheet::{self, Deltas};
use crate::sql::Sql;
use crate::store;

/// A connection, and the transaction that it is in or about to begin.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    conn: &'c mut SqliteConnection,
    /// `None` for questions, which need no transaction.
    begun: Option<bool>,
    /// Changes of the counts, written once for all calls of the transaction.
    deltas: Deltas,
    /// The fast statement was tried and was wrong.
    careful: bool,
}

impl<'c> Session<'c> {
    pub(crate) fn writing(conn: &'c mut SqliteConnection, careful: bool) -> Self {
        Self { conn, begun: Some(false), deltas: Deltas::new(), careful }
    }

    pub(crate) fn reading(conn: &'c mut SqliteConnection) -> Self {
        Self { conn, begun: None, deltas: Deltas::new(), careful: true }
    }

    async fn begin(&mut self) -> Result<(), Fault> {
        if self.begun == Some(false) {
            self.conn.execute("BEGIN IMMEDIATE").await?;
            self.begun = Some(true);
        }
        // Whoever reads the counts in this transaction sees them as they are by now.
        if !self.deltas.is_empty() {
            let args = arguments(store::tally(&std::mem::take(&mut self.deltas), 0))?;
            sqlx::query_with(SQLITE.tally, args).execute(&mut *self.conn).await?;
        }
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Fault> {
        if self.begun != Some(true) {
            return Ok(());
        }
        if self.deltas.is_empty() {
            self.conn.execute("COMMIT").await?;
        } else {
            let args = arguments(store::tally(&self.deltas, 0))?;
            sqlx::query_with(TALLY_AND_COMMIT, args).execute(&mut *self.conn).await?;
        }
        Ok(())
    }
}

impl Conn for Session<'_> {
    type Row = SqliteRow;
    const SQL: &'static Sql = &SQLITE;

    fn count(&mut self, deltas: &Deltas) {
        sheet::add(&mut self.deltas, deltas);
    }

    /// One transaction at a time writes anyway.
    fn lock(&mut self, _number: i64, _alone: bool) {}

    async fn run(&mut self, sql: &'static str, args: Args<'_>) -> Result<u64, Fault> {
        self.begin().await?;
        let done = sqlx::query_with(sql, arguments(args)?).execute(&mut *self.conn).await?;
        Ok(done.rows_affected())
    }

    async fn rows(&mut self, sql: &'static str, args: Args<'_>) -> Result<Vec<SqliteRow>, Fault> {
        self.begin().await?;
        Ok(sqlx::query_with(sql, arguments(args)?).fetch_all(&mut *self.conn).await?)
    }

    /// The others were tried before, as a whole transaction: see [`super::writer`].
    async fn fast(&mut self, shortcut: Shortcut<'_>) -> Result<bool, Fault> {
        if self.careful || shortcut.rows == 0 || shortcut.quick != Quick::Admit {
            return Ok(false);
        }
        self.begin().await?;
        let packed = Packed::of(shortcut);
        let query = sqlx::query_with(quick::ADMIT.as_str(), packed.arguments()?);
        let row = query.fetch_one(&mut *self.conn).await?;
        let done = all_or_none(row.number(0)?, packed.rows)?;
        if done {
            self.count(&packed.deltas);
        }
        Ok(done)
    }

    async fn some(&mut self, each: Each, args: Args<'_>) -> Result<Vec<SqliteRow>, Fault> {
        self.begin().await?;
        let query = sqlx::query_with(quick::each(each), packed(&args)?);
        Ok(query.fetch_all(&mut *self.conn).await?)
    }
}

impl Cells for SqliteRow {
    fn int(&self, column: usize) -> Result<Option<i64>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn text(&self, column: usize) -> Result<Option<String>, Fault> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.try_get(column)?)
    }
}
