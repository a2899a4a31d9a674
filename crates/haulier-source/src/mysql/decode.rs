//! MySQL's answers to values, by the forms that are known beforehand.

use haulier_core::Value;
use sqlx::Row;
use sqlx::mysql::MySqlRow;

use crate::catalogue::Form;
use crate::text;

/// One row, in the memory of the one before it.
pub(super) fn row(row: &MySqlRow, forms: &[Form], values: &mut Vec<Value>) {
    values.resize(forms.len(), Value::Null);
    for ((index, form), slot) in forms.iter().enumerate().zip(values) {
        // Unchecked: the bytes are wanted as they are, whatever type the driver would make of them.
        let bytes = row.try_get_unchecked::<Option<&[u8]>, _>(index).map_err(|error| error.to_string());
        let memory = text::memory(slot);
        let value = bytes.and_then(|bytes| bytes.map_or(Ok(Value::Null), |bytes| cell(bytes, *form, memory)));
        *slot = value.unwrap_or_else(Value::Unreadable);
    }
}

fn cell(bytes: &[u8], form: Form, memory: String) -> Result<Value, String> {
    let text = || std::str::from_utf8(bytes).map_err(|_| "the text is not UTF-8".to_owned());
    Ok(match form {
        Form::Text => Value::Text(text::filled(memory, text()?)),
        Form::Integer | Form::Boolean => Value::Int(integer(bytes)?),
        Form::Natural => Value::Int(i64::try_from(unsigned(bytes)?).unwrap_or(i64::MAX)),
        Form::Unsigned => Value::Number(unsigned(bytes)?.to_string()),
        Form::Bits => bits(bytes),
        Form::Number => text::number(text()?, memory),
        Form::Single => text::single(f32::from_le_bytes(array(bytes)?)),
        Form::Double => text::float(f64::from_le_bytes(array(bytes)?)),
        Form::Bytes => Value::Bytes(bytes.to_vec()),
        Form::Timestamp => text::moment(text()?, true, memory),
        Form::LocalTimestamp => text::moment(text()?, false, memory),
        Form::Date => text::date(text()?, memory),
        Form::Time => text::time(text()?, memory),
        Form::Json => Value::Json(text::filled(memory, text()?)),
        Form::Array | Form::Set => text::set(text()?),
        Form::Any(_) => return Err("the column has no known type".to_owned()),
    })
}

fn integer(bytes: &[u8]) -> Result<i64, String> {
    Ok(match bytes.len() {
        1 => i64::from(i8::from_le_bytes(array(bytes)?)),
        2 => i64::from(i16::from_le_bytes(array(bytes)?)),
        4 => i64::from(i32::from_le_bytes(array(bytes)?)),
        _ => i64::from_le_bytes(array(bytes)?),
    })
}

fn unsigned(bytes: &[u8]) -> Result<u64, String> {
    let mut wide = [0; 8];
    let part = wide.get_mut(..bytes.len()).ok_or("the number has an odd width")?;
    part.copy_from_slice(bytes);
    Ok(u64::from_le_bytes(wide))
}

fn bits(bytes: &[u8]) -> Value {
    let number = bytes.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    i64::try_from(number).map_or_else(|_| Value::Number(number.to_string()), Value::Int)
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| "the number has an odd width".to_owned())
}
