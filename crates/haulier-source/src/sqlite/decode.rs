//! SQLite's answers to values: each by its own storage class, whatever the column is declared as.

use haulier_core::Value;
use sqlx::sqlite::{SqliteRow, SqliteValueRef};
use sqlx::{Decode, Row, Sqlite, TypeInfo, ValueRef};

use crate::catalogue::Form;
use crate::text;

/// One row, in the memory of the one before it.
pub(super) fn row(row: &SqliteRow, forms: &[Form], values: &mut Vec<Value>) {
    values.resize(forms.len(), Value::Null);
    for (index, slot) in values.iter_mut().enumerate() {
        let memory = text::memory(slot);
        let raw = row.try_get_raw(index).map_err(|error| error.to_string());
        *slot = raw.and_then(|raw| cell(raw, memory)).unwrap_or_else(Value::Unreadable);
    }
}

fn cell(raw: SqliteValueRef<'_>, memory: String) -> Result<Value, String> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let class = raw.type_info().name().to_owned();
    let said = |error: sqlx::error::BoxDynError| error.to_string();
    Ok(match &*class {
        "INTEGER" => Value::Int(<i64 as Decode<Sqlite>>::decode(raw).map_err(said)?),
        "REAL" => text::float(<f64 as Decode<Sqlite>>::decode(raw).map_err(said)?),
        "TEXT" => {
            let said =
                <&str as Decode<Sqlite>>::decode(raw).map_err(|_| "the text is not UTF-8".to_owned())?;
            Value::Text(text::filled(memory, said))
        }
        "BLOB" => Value::Bytes(<&[u8] as Decode<Sqlite>>::decode(raw).map_err(said)?.to_vec()),
        other => return Err(format!("the storage class {other} is not known")),
    })
}
