//! A value on its way into an extract, from either side.

use std::borrow::Cow;

use haulier_core::Value;

/// One value as a side gives it.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// The side does not send it at all.
    Missing,
    /// NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A binary float.
    Float(f64),
    /// Text, or anything that the side spells as text: decimals, dates, enums.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A list of texts; `None` is a NULL element.
    List(Cow<'a, [Option<String>]>),
    /// A JSON document.
    Json(Cow<'a, str>),
    /// What cannot be read, and why.
    Unreadable(Cow<'a, str>),
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Float(*value),
            Value::Number(text)
            | Value::Text(text)
            | Value::Timestamp(text)
            | Value::Date(text)
            | Value::Time(text)
            | Value::ZeroDate(text) => Self::Text(Cow::Borrowed(text)),
            Value::Bytes(bytes) => Self::Bytes(Cow::Borrowed(bytes)),
            Value::Json(text) => Self::Json(Cow::Borrowed(text)),
            Value::List(items) => Self::List(Cow::Borrowed(items)),
            Value::Unreadable(why) => Self::Unreadable(Cow::Borrowed(why)),
        }
    }
}

/// A member of a target's JSON. `None` is a member that is not there.
impl<'a> From<Option<&'a serde_json::Value>> for Cell<'a> {
    fn from(value: Option<&'a serde_json::Value>) -> Self {
        match value {
            None => Self::Missing,
            Some(serde_json::Value::Null) => Self::Null,
            Some(serde_json::Value::Bool(value)) => Self::Bool(*value),
            Some(serde_json::Value::Number(number)) => Self::Text(Cow::Owned(number.to_string())),
            Some(serde_json::Value::String(text)) => Self::Text(Cow::Borrowed(text)),
            Some(document @ (serde_json::Value::Array(_) | serde_json::Value::Object(_))) => {
                Self::Json(Cow::Owned(document.to_string()))
            }
        }
    }
}
