//! PostgreSQL's answers to values, by the forms that are known beforehand.

use haulier_core::Value;
use sqlx::postgres::{PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Row, Type, ValueRef};

use crate::catalogue::Form;
use crate::sql::Slot;
use crate::text;

/// The type under which a slot is bound.
pub(super) fn bound_type(slot: &Slot) -> PgTypeInfo {
    match slot {
        Slot::Filter(_) | Slot::Column(_) => <Vec<String> as Type<sqlx::Postgres>>::type_info(),
        Slot::Limit => <i64 as Type<sqlx::Postgres>>::type_info(),
        Slot::Tenant(_) | Slot::After(_) | Slot::Upto(_) | Slot::Key { .. } => {
            <String as Type<sqlx::Postgres>>::type_info()
        }
    }
}

/// One row, in the memory of the one before it.
pub(super) fn row(row: &PgRow, forms: &[Form], values: &mut Vec<Value>) {
    values.resize(forms.len(), Value::Null);
    for ((index, form), slot) in forms.iter().enumerate().zip(values) {
        let memory = text::memory(slot);
        let raw = row.try_get_raw(index).map_err(|error| error.to_string());
        *slot = raw.and_then(|raw| cell(&raw, *form, memory)).unwrap_or_else(Value::Unreadable);
    }
}

fn cell(raw: &PgValueRef<'_>, form: Form, memory: String) -> Result<Value, String> {
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let bytes = raw.as_bytes().map_err(|error| error.to_string())?;
    let text = || std::str::from_utf8(bytes).map_err(|_| "the text is not UTF-8".to_owned());
    Ok(match form {
        Form::Text => Value::Text(text::filled(memory, text()?)),
        Form::Integer => Value::Int(integer(bytes).ok_or("the integer has an odd width")?),
        Form::Boolean => Value::Bool(bytes == [1]),
        Form::Timestamp => text::moment(text()?, true, memory),
        Form::LocalTimestamp => text::moment(text()?, false, memory),
        Form::Number | Form::Natural | Form::Unsigned | Form::Bits => {
            Value::Number(text::filled(memory, text()?))
        }
        Form::Single => text::single(f32::from_be_bytes(array(bytes)?)),
        Form::Double => text::float(f64::from_be_bytes(array(bytes)?)),
        Form::Bytes => Value::Bytes(bytes.to_vec()),
        Form::Date => text::date(text()?, memory),
        Form::Time => text::time(text()?, memory),
        Form::Json => Value::Json(text::filled(memory, text()?)),
        Form::Array | Form::Set => text::array(text()?),
        Form::Any(_) => return Err("the column has no known type".to_owned()),
    })
}

fn integer(bytes: &[u8]) -> Option<i64> {
    Some(match bytes.len() {
        8 => i64::from_be_bytes(bytes.try_into().ok()?),
        4 => i64::from(i32::from_be_bytes(bytes.try_into().ok()?)),
        2 => i64::from(i16::from_be_bytes(bytes.try_into().ok()?)),
        _ => return None,
    })
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| "the number has an odd width".to_owned())
}
