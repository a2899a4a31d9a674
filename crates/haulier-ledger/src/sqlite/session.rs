//! A connection to the file, as calls see it.

use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Executor, Row, SqliteConnection};

use super::encode::{Packed, append, arguments};
use super::error::is_taken;
use super::quick::Texts;
use super::statements::{SQLITE, TALLY_AND_COMMIT};
use crate::conn::{Args, Cells, Conn, Fast, Fault, Shortcut};
use crate::sheet::{self, Deltas};
use crate::sql::Sql;
use crate::store;

/// A connection, and the transaction that it is in or about to begin.
#[derive(Debug)]
pub(crate) struct Session<'c> {
    conn: &'c mut SqliteConnection,
    texts: Option<&'c mut Texts>,
    /// `None` for questions, which need no transaction.
    begun: Option<bool>,
    /// Changes of the counts, written once for all calls of the transaction.
    deltas: Deltas,
    /// The fast statement was tried and was wrong.
    careful: bool,
}

impl<'c> Session<'c> {
    pub(crate) fn writing(conn: &'c mut SqliteConnection, texts: &'c mut Texts, careful: bool) -> Self {
        Self { conn, texts: Some(texts), begun: Some(false), deltas: Deltas::new(), careful }
    }

    pub(crate) fn reading(conn: &'c mut SqliteConnection) -> Self {
        Self { conn, texts: None, begun: None, deltas: Deltas::new(), careful: true }
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

    async fn fast(&mut self, shortcut: Shortcut<'_>) -> Result<Fast, Fault> {
        let Some(texts) = self.texts.as_mut().filter(|_| !self.careful && shortcut.rows > 0) else {
            return Ok(Fast::None);
        };
        let text = texts.single(shortcut.quick, self.begun == Some(true));
        let packed = Packed::of(shortcut);
        let mut args = sqlx::sqlite::SqliteArguments::default();
        append(&mut args, &packed)?;
        let done = sqlx::query_with(AssertSqlSafe(text), args).fetch_one(&mut *self.conn).await;
        let row = done.map_err(|error| if is_taken(&error) { Fault::Again } else { error.into() })?;
        self.begun = Some(true);
        let done = Fast::of(row.number(0)?, row.number(1)? != 0, packed.rows)?;
        if done != Fast::None {
            self.count(&packed.deltas);
        }
        Ok(done)
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
