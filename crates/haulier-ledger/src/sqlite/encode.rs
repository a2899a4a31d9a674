//! How sets of rows travel to SQLite.

use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use crate::conn::{Arg, Args, Column, Fault, Quick, Shortcut};
use crate::sheet::Deltas;

/// A fast statement and its parameters: see [`super::quick`].
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) quick: Quick,
    pub(crate) rows: usize,
    pub(crate) deltas: Deltas,
    rest: Parts,
}

impl Packed {
    pub(crate) fn of(shortcut: Shortcut<'_>) -> Self {
        let Shortcut { quick, args, rows, deltas } = shortcut;
        Self { quick, rows, deltas, rest: Parts::of(&args) }
    }

    pub(crate) fn arguments(&self) -> Result<SqliteArguments, Fault> {
        let mut arguments = SqliteArguments::default();
        self.append(&mut arguments)?;
        Ok(arguments)
    }

    pub(crate) fn append(&self, arguments: &mut SqliteArguments) -> Result<(), Fault> {
        self.rest.append(arguments)
    }
}

/// The parameters of a fast statement.
pub(crate) fn packed(args: &Args<'_>) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    Parts::of(args).append(&mut arguments)?;
    Ok(arguments)
}

#[derive(Debug)]
struct Parts {
    single: Vec<i64>,
    fixed: Vec<u8>,
    texts: String,
}

impl Parts {
    fn of(args: &Args<'_>) -> Self {
        let single = args.single.iter().map(|arg| match arg {
            Arg::Int(value) => value.unwrap_or(0),
            Arg::Text(_) => 0,
        });
        let (texts, fixed): (Vec<_>, Vec<_>) =
            args.set.iter().partition(|column| matches!(column, Column::Texts(_)));
        let rows = args.set.first().map_or(0, Column::len);
        Self { single: single.collect(), fixed: blob(&fixed, rows), texts: object(&texts, rows) }
    }

    fn append(&self, arguments: &mut SqliteArguments) -> Result<(), Fault> {
        for value in &self.single {
            arguments.add(*value).map_err(bad)?;
        }
        arguments.add(self.fixed.as_slice()).map_err(bad)?;
        arguments.add(self.texts.as_str()).map_err(bad)
    }
}

pub(crate) fn append_number(arguments: &mut SqliteArguments, number: usize) -> Result<(), Fault> {
    arguments.add(i64::try_from(number).unwrap_or(i64::MAX)).map_err(bad)
}

fn bad(error: sqlx::error::BoxDynError) -> Fault {
    Fault::Database(sqlx::Error::Encode(error))
}

/// Row after row: digests as they are, or 16 zeros, and numbers as 20 digits.
fn blob(columns: &[&Column<'_>], rows: usize) -> Vec<u8> {
    let mut blob = Vec::with_capacity(rows * columns.len() * 20);
    for row in 0..rows {
        for column in columns {
            match column {
                Column::Ints(values) => number(&mut blob, values.get(row).copied().flatten().unwrap_or(0)),
                Column::Digests(values) => {
                    blob.extend_from_slice(&values.get(row).copied().flatten().unwrap_or([0; 16]));
                }
                Column::Texts(_) => {}
            }
        }
    }
    blob
}

fn number(blob: &mut Vec<u8>, value: i64) {
    let start = blob.len();
    blob.extend_from_slice(b"00000000000000000000");
    let mut rest = value.unsigned_abs();
    let digits = blob.get_mut(start..).unwrap_or_default();
    if value < 0
        && let Some(sign) = digits.first_mut()
    {
        *sign = b'-';
    }
    for digit in digits.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

/// The first text of each row with its second, or with nothing.
fn object(columns: &[&Column<'_>], rows: usize) -> String {
    let mut text = String::with_capacity(2 + rows * 24);
    for row in 0..rows {
        text.push(if row == 0 { '{' } else { ',' });
        for (column, after) in columns.iter().zip([":", ""]) {
            cell(&mut text, column, row);
            text.push_str(after);
        }
        if columns.len() == 1 {
            text.push_str("null");
        }
    }
    text.push_str(if rows == 0 { "{}" } else { "}" });
    text
}

/// Parameters of a statement; a set of rows is one JSON text.
pub(crate) fn arguments(args: Args<'_>) -> Result<SqliteArguments, Fault> {
    let mut arguments = SqliteArguments::default();
    append_set(&mut arguments, args)?;
    Ok(arguments)
}

/// Adds the parameters of a statement.
pub(crate) fn append_set(arguments: &mut SqliteArguments, args: Args<'_>) -> Result<(), Fault> {
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
    Ok(())
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

    const ODD: &str = "a\"b\\c\n\u{1}ü|";

    #[test]
    fn a_set_is_json_that_keeps_every_character() {
        let columns = [
            Column::Texts(vec![Some(ODD), None]),
            Column::Ints(vec![Some(i64::MIN), Some(7)]),
            Column::Digests(vec![Some([0xab; 16]), None]),
        ];
        let read: serde_json::Value = serde_json::from_str(&json(&columns)).unwrap();
        let digest = "ab".repeat(16);
        assert_eq!(read, serde_json::json!([[ODD, i64::MIN, digest], [null, 7, null]]));
        let keys: serde_json::Value = serde_json::from_str(&json(&columns[..1])).unwrap();
        assert_eq!(keys, serde_json::json!([ODD, null]));
    }

    #[test]
    fn packed_rows_stand_at_the_place_that_their_number_tells() {
        let keys = Column::Texts(vec![Some(ODD), Some("k")]);
        let others = Column::Texts(vec![None, Some("x")]);
        let numbers = Column::Ints(vec![Some(-42), Some(i64::MIN)]);
        let digests = Column::Digests(vec![Some([7; 16]), None]);
        let blob = blob(&[&numbers, &digests], 2);
        assert_eq!(&blob[..20], b"-0000000000000000042");
        assert_eq!((&blob[20..36], &blob[36..56]), (&[7; 16][..], &b"-9223372036854775808"[..]));
        assert_eq!(&blob[56..], [0; 16]);
        let both: serde_json::Value = serde_json::from_str(&object(&[&keys, &others], 2)).unwrap();
        assert_eq!(both, serde_json::json!({ODD: null, "k": "x"}));
        let one: serde_json::Value = serde_json::from_str(&object(&[&keys], 2)).unwrap();
        assert_eq!(one, serde_json::json!({ODD: null, "k": null}));
        assert_eq!(object(&[&keys], 0), "{}");
    }
}
