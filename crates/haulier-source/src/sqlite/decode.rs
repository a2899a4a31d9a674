//! SQLite's answers to values: each by its own storage class, whatever the column is declared as.

use haulier_core::Value;
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef};

use crate::catalogue::Form;
use crate::text;

/// One row.
pub(super) fn row(row: &SqliteRow, forms: &[Form]) -> Vec<Value> {
    let mut values = Vec::with_capacity(forms.len());
    for index in 0..forms.len() {
        let value = row.try_get_raw(index).map_err(|error| error.to_string()).and_then(cell);
        values.push(value.unwrap_or_else(Value::Unreadable));
    }
    values
}

fn cell(raw: SqliteValueRef<'_>) -> Result<Value, String> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let class = raw.type_info().name().to_owned();
    let said = |error: sqlx::error::BoxDynError| error.to_string();
    Ok(match &*class {
        "INTEGER" => Value::Int(<i64 as Decode<Sqlite>>::decode(raw).map_err(said)?),
        "REAL" => text::float(<f64 as Decode<Sqlite>>::decode(raw).map_err(said)?),
        "TEXT" => {
            let text =
                <&str as Decode<Sqlite>>::decode(raw).map_err(|_| "the text is not UTF-8".to_owned())?;
            Value::Text(text.to_owned())
        }
        "BLOB" => Value::Bytes(<&[u8] as Decode<Sqlite>>::decode(raw).map_err(said)?.to_vec()),
        other => return Err(format!("the storage class {other} is not known")),
    })
}
