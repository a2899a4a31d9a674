//! A connection to the file, as calls see it. A set of rows travels as one JSON text.

use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, Either, Executor, Row, SqliteConnection};

use super::statements::SQLITE;
use crate::conn::{Arg, Args, Cells, Column, Conn, Fault};
use crate::sql::Sql;

/// A connection inside a transaction.
#[derive(Debug)]
pub(crate) struct Session<'c>(pub(crate) &'c mut SqliteConnection);

impl Conn for Session<'_> {
    type Row = SqliteRow;
    const SQL: &'static Sql = &SQLITE;

    /// There is one writer at a time anyway.
    fn shard(&self) -> i64 {
        0
    }

    async fn run(&mut self, sql: &'static str, args: Args<'_>) -> Result<u64, Fault> {
        let done = sqlx::query_with(sql, arguments(args)?).execute(&mut *self.0).await?;
        Ok(done.rows_affected())
    }

    async fn rows(&mut self, sql: &'static str, args: Args<'_>) -> Result<Vec<SqliteRow>, Fault> {
        Ok(sqlx::query_with(sql, arguments(args)?).fetch_all(&mut *self.0).await?)
    }

    /// The statement begins with `SAVEPOINT fast`, so that one trip to the connection's thread is enough.
    async fn all_or_none(&mut self, sql: &'static str, args: Args<'_>, wanted: usize) -> Result<bool, Fault> {
        let query = sqlx::query_with(sql, arguments(args)?);
        let mut changed = 0;
        {
            let mut steps = self.0.fetch_many(query);
            while let Some(step) = steps.try_next().await? {
                if let Either::Left(done) = step {
                    changed = done.rows_affected();
                }
            }
        }
        if changed == crate::store::count(wanted) {
            return Ok(true);
        }
        self.0.execute("ROLLBACK TO fast").await?;
        Ok(false)
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
