//! One value of one source row, exact and free of the engine it came from.

/// A value as a source adapter reads it: nothing is rounded, localised or guessed.
///
/// | variant | text form |
/// |---|---|
/// | `Number` | canonical decimal without exponent, or `NaN`, `Infinity`, `-Infinity` |
/// | `Timestamp` | `2024-03-30T20:30:00.123456Z` with a zone in the source, without `Z` where the source has none; fraction as stored |
/// | `Date`, `Time` | `2024-03-30`, `20:30:00.123456` |
/// | `Json` | the text that the engine holds |
/// | `ZeroDate` | a MySQL/MariaDB date with zero parts, as text |
/// | `Unreadable` | none; says why, without the value |
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean of an engine that has one; `TINYINT(1)` is an `Int`.
    Bool(bool),
    /// A signed integer of at most 64 bits.
    Int(i64),
    /// A decimal, money, or an integer beyond `i64`.
    Number(String),
    /// A binary floating-point number.
    Float(f64),
    /// Text, enum, set, domain, xml, interval, range, and arrays in the engine's own text form.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A point in time.
    Timestamp(String),
    /// A calendar date.
    Date(String),
    /// A time of day.
    Time(String),
    /// A JSON document.
    Json(String),
    /// An array or set of scalars, element by element; `None` is a NULL element.
    List(Vec<Option<String>>),
    /// `0000-00-00` and its like.
    ZeroDate(String),
    /// What is stored is not what its column holds, such as text that is not UTF-8: the row is refused, the others go on.
    Unreadable(String),
}

impl Value {
    /// The text by which the value takes part in a key, a path or a lookup; `None` for NULL and for what cannot be read.
    ///
    /// Bytes become `\x` and lower-case hex, a list its elements joined by `,`.
    #[must_use]
    pub fn key_text(&self) -> Option<String> {
        Some(match self {
            Self::Null | Self::Unreadable(_) => return None,
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Number(text)
            | Self::Text(text)
            | Self::Timestamp(text)
            | Self::Date(text)
            | Self::Time(text)
            | Self::Json(text)
            | Self::ZeroDate(text) => text.clone(),
            Self::Bytes(bytes) => {
                let mut text = String::with_capacity(2 + bytes.len() * 2);
                text.push_str("\\x");
                crate::form::push_hex(&mut text, bytes);
                text
            }
            Self::List(items) => {
                let items: Vec<&str> = items.iter().map(|i| i.as_deref().unwrap_or("")).collect();
                items.join(",")
            }
        })
    }
}
