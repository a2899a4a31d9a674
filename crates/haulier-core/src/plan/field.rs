//! A field: how one source value becomes one member of the target's JSON.

/// One member of the body. A dotted name (`address.city`) makes nested objects.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The target's member.
    pub name: String,
    /// Where its value comes from.
    pub source: FieldSource,
}

/// Where a field's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldSource {
    /// The same JSON for every record, already encoded.
    Constant(String),
    /// A column, by a named conversion.
    Column {
        /// The source column.
        column: String,
        /// How it is converted.
        convert: Convert,
        /// Applied to text, in this order.
        text: Vec<TextRule>,
        /// JSON that stands for NULL, already encoded; without it `NullFields` of the request decides.
        default: Option<String>,
        /// What happens to dates with zero parts.
        zero_dates: ZeroDates,
        /// What happens to NaN and infinities.
        odd_numbers: OddNumbers,
        /// What happens to NUL characters in text.
        null_bytes: NullBytes,
    },
}

/// The conversion of a value. What does not fit is an error that names the column; nothing is rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Convert {
    /// By the value's own type: integers, floats and booleans as such; decimals as strings; timestamps RFC 3339; bytes base64; JSON as JSON; lists as arrays.
    Auto,
    /// A string.
    Text,
    /// A JSON integer of any size.
    Integer,
    /// A string with the decimal's exact value; with precision and scale, checked and padded to the scale.
    Decimal(Option<(u8, u8)>),
    /// A JSON number with the decimal's exact digits.
    Number,
    /// `true` / `false` from a boolean, 0/1, `t`/`f`, `true`/`false`, `yes`/`no`.
    Boolean,
    /// RFC 3339 in UTC, cut to so many fraction digits if the rest is zero; a source without zone is read in `zone`.
    Rfc3339 {
        /// Fraction digits kept; `None` keeps what there is.
        precision: Option<u8>,
        /// IANA zone of a timestamp without one; UTC where the plan says nothing.
        zone: Option<String>,
    },
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:MM:SS[.ffffff]`.
    Time,
    /// A JSON document parsed from text.
    Json,
    /// Base64 with padding.
    Base64,
    /// Lower-case hex.
    Hex,
    /// A lower-case UUID with hyphens, from text or 16 bytes.
    Uuid,
    /// An array, from a list or from text split at the separator.
    List(Option<char>),
    /// The encoded JSON for each text; a text without one is an error.
    Map(Vec<(String, String)>),
}

/// A rule for text, applied only where the plan names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextRule {
    /// Blanks at both ends are cut.
    Trim,
    /// Lower case, by Unicode.
    Lower,
    /// Empty text becomes NULL.
    EmptyIsNull,
}

/// Dates with zero parts (MySQL/MariaDB).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZeroDates {
    /// The record is refused, naming the column.
    Error,
    /// They become NULL.
    Null,
    /// They become this text.
    Fixed(String),
}

/// NaN and infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OddNumbers {
    /// The record is refused, naming the column.
    Error,
    /// They become NULL.
    Null,
    /// They become the strings `NaN`, `Infinity`, `-Infinity`.
    Text,
}

/// NUL characters in text, which many targets answer with 500 for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NullBytes {
    /// They are sent.
    Keep,
    /// The record is refused, naming the column.
    Error,
    /// They are cut out.
    Strip,
    /// They become U+FFFD.
    Replace,
}
