//! A connection to the file, as calls see it. A set of rows travels as one JSON text.

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Executor, Row, SqliteConnection};

use super::error::is_taken;
use super::statements::{BEGIN, SQLITE, TALLY_AND_COMMIT};
use crate::conn::{Arg, Args, Cells, Column, Conn, Fast, Fault};
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
    pub(crate) careful: bool,
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

    pub(crate) async fn roll_back(&mut self) {
        // SQLite has rolled back by itself after some errors; then this one fails, and that is fine.
        if let Err(error) = self.conn.execute("ROLLBACK").await {
            tracing::debug!(error = %error, "there was nothing left to roll back");
        }
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

    async fn fast(&mut self, sql: &'static str, args: Args<'_>, wanted: usize) -> Result<Fast, Fault> {
        if self.careful {
            return Ok(Fast::None);
        }
        let begun = self.begun == Some(true);
        let sql = if begun { sql.strip_prefix(BEGIN).unwrap_or(sql) } else { sql };
        let done = sqlx::query_with(sql, arguments(args)?).fetch_one(&mut *self.conn).await;
        let row = done.map_err(|error| if is_taken(&error) { Fault::Again } else { error.into() })?;
        self.begun = Some(true);
        Fast::of(row.number(0)?, row.number(1)? != 0, wanted)
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

fn arguments(args: Args<'_>) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    let bad = |error| Fault::Database(sqlx::Error::Encode(error));
    for arg in args.single {
        match arg {
            Arg::Int(value) => arguments.add(value),
            Arg::Text(value) => arguments.add(value),
        }
        .map_err(bad)?;
    }
    if !args.set.is_empty() {
        arguments.add(json(&args.set)).map_err(bad)?;
    }
    Ok(arguments)
}

/// An array of values for one column, of arrays for several.
fn json(columns: &[Column<'_>]) -> String {
    let rows = columns.first().map_or(0, Column::len);
    let mut text = String::with_capacity(2 + rows * columns.len() * 12);
    text.push('[');
    for row in 0..rows {
        if row > 0 {
            text.push(',');
        }
        if columns.len() > 1 {
            text.push('[');
        }
        for (index, column) in columns.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            cell(&mut text, column, row);
        }
        if columns.len() > 1 {
            text.push(']');
        }
    }
    text.push(']');
    text
}

fn cell(text: &mut String, column: &Column<'_>, row: usize) {
    match column {
        Column::Ints(values) => match values.get(row).copied().flatten() {
            Some(value) => text.push_str(&value.to_string()),
            None => text.push_str("null"),
        },
        Column::Texts(values) => match values.get(row).copied().flatten() {
            Some(value) => string(text, value),
            None => text.push_str("null"),
        },
        Column::Digests(values) => match values.get(row).copied().flatten() {
            Some(value) => {
                text.push('"');
                for byte in value {
                    text.push(hex(byte >> 4));
                    text.push(hex(byte & 15));
                }
                text.push('"');
            }
            None => text.push_str("null"),
        },
    }
}

fn hex(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap_or('0')
}

fn string(text: &mut String, value: &str) {
    text.push('"');
    if value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        text.push_str(value);
    } else {
        for c in value.chars() {
            match c {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                c if c < ' ' => {
                    let code = u32::from(c);
                    text.push_str("\\u00");
                    text.push(char::from_digit(code >> 4, 16).unwrap_or('0'));
                    text.push(char::from_digit(code & 15, 16).unwrap_or('0'));
                }
                c => text.push(c),
            }
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_json_that_keeps_every_character() {
        let odd = "a\"b\\c\n\u{1}ü|";
        let columns = [
            Column::Texts(vec![Some(odd), None]),
            Column::Ints(vec![Some(i64::MIN), Some(7)]),
            Column::Digests(vec![Some([0xab; 16]), None]),
        ];
        let read: serde_json::Value = serde_json::from_str(&json(&columns)).unwrap();
        assert_eq!(read[0][0], odd);
        assert_eq!(read[0][1].as_i64(), Some(i64::MIN));
        assert_eq!(read[0][2], "ab".repeat(16));
        assert!(read[1][0].is_null() && read[1][2].is_null());
        let keys: serde_json::Value = serde_json::from_str(&json(&columns[..1])).unwrap();
        assert_eq!(keys, serde_json::json!([odd, null]));
    }
}
