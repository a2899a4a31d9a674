//! An extract: the columns whose agreement on both sides is the proof, without any local id.

use super::{Convert, Field, FieldSource, Reference};

/// The agreed columns of an entity: those of the natural key first, so that lines of two sorted extracts compare as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    /// The columns, in the order of the file.
    pub columns: Vec<ExtractColumn>,
    /// How many of them, from the first, are the key.
    pub key: usize,
}

/// One column of an extract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractColumn {
    /// Its name in the header.
    pub name: String,
    /// Where its value comes from.
    pub from: ExtractFrom,
    /// What it is; `None` where only the source's own type can tell.
    pub kind: Option<Neutral>,
    /// What is done to the value before it is written.
    pub rules: NeutralRules,
    /// Where the target calls it otherwise: a JSON pointer into a list's item, or a column of its database.
    pub at: Option<String>,
}

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtractFrom {
    /// The field at this position of the entity's `fields`: in the source as it is mapped, in the target the member of its name.
    Field(usize),
    /// A source column that is not sent as a field of its own; in the target a member of that name.
    Column(String),
    /// A part of the natural key of the record that this reference points to, in place of its id.
    Parent {
        /// The reference; it need not be among the entity's `refs`.
        reference: Reference,
        /// The part of that entity's natural key.
        part: String,
    },
}

/// The type of a column: how two spellings of one value become the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Neutral {
    /// Digits, without zeros before them.
    Integer,
    /// By value, without zeros at its end; with a scale, padded to it, and refused where it has more digits.
    Decimal(Option<u8>),
    /// The shortest text that reads back the same.
    Float,
    /// `true`, `false`.
    Boolean,
    /// RFC 3339 in UTC.
    Timestamp {
        /// Fraction digits.
        precision: u8,
        /// Whether further digits are cut off; refused otherwise. Nothing is ever rounded.
        cut: bool,
        /// IANA zone of a time that has none; UTC where the plan says nothing.
        zone: Option<String>,
    },
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:MM:SS[.ffffff]`.
    Time,
    /// As it is, by the declared rules.
    Text,
    /// Sorted members, numbers by value, no blanks.
    Json,
    /// A JSON array; sorted where its order says nothing.
    List {
        /// Whether its order says nothing.
        set: bool,
        /// The character between the elements of a text.
        separator: Option<char>,
    },
    /// Lower case with hyphens.
    Uuid,
    /// `sha256:` and hex, of the bytes.
    Binary(BinaryText),
}

/// How bytes are written where they are a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BinaryText {
    /// Base64.
    Base64,
    /// Hex, also after `\x` or `0x`.
    Hex,
}

/// What is done to a value before it is written: nothing unless declared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of its own in the plan, and any of them may go with any"
)]
pub struct NeutralRules {
    /// The text for each text; a text without one is an error. Before all others.
    pub map: Vec<(String, String)>,
    /// Unicode NFC.
    pub nfc: bool,
    /// Blanks at both ends are cut.
    pub trim: bool,
    /// Lower case, by Unicode.
    pub lower: bool,
    /// Empty text is NULL.
    pub empty_is_null: bool,
    /// A member that is not there is NULL.
    pub missing_is_null: bool,
    /// Written as a keyed hash.
    pub pii: bool,
}

impl Neutral {
    /// A timestamp; as precise as the databases are, where nobody says how precise.
    #[must_use]
    pub fn timestamp(precision: Option<u8>) -> Self {
        Self::Timestamp { precision: precision.unwrap_or(6), cut: false, zone: None }
    }
}

impl Field {
    /// What its conversion makes of its values; `None` where that follows from the source's own type.
    #[must_use]
    pub fn neutral(&self) -> Option<Neutral> {
        match &self.source {
            FieldSource::Constant(json) => of_json([json.as_str()]),
            FieldSource::Column { convert, .. } => Some(match convert {
                Convert::Auto => return None,
                Convert::Text => Neutral::Text,
                Convert::Integer => Neutral::Integer,
                Convert::Decimal(_) | Convert::Number => Neutral::Decimal(None),
                Convert::Boolean => Neutral::Boolean,
                Convert::Rfc3339 { precision, .. } => Neutral::timestamp(*precision),
                Convert::Date => Neutral::Date,
                Convert::Time => Neutral::Time,
                Convert::Json => Neutral::Json,
                Convert::Base64 => Neutral::Binary(BinaryText::Base64),
                Convert::Hex => Neutral::Binary(BinaryText::Hex),
                Convert::Uuid => Neutral::Uuid,
                Convert::List(_) => Neutral::List { set: false, separator: None },
                Convert::Map(map) => return of_json(map.iter().map(|(_, json)| json.as_str())),
            }),
        }
    }
}

/// The type of encoded values that are all of one kind; JSON where they are not.
fn of_json<'j>(values: impl IntoIterator<Item = &'j str>) -> Option<Neutral> {
    let kind = |json: &str| match json.as_bytes().first() {
        Some(b'"') => Some(Neutral::Text),
        Some(b't' | b'f') => Some(Neutral::Boolean),
        Some(b'n') => None,
        Some(b'{' | b'[') | None => Some(Neutral::Json),
        Some(_) => Some(Neutral::Decimal(None)),
    };
    let mut kinds = values.into_iter().filter_map(kind);
    let first = kinds.next()?;
    Some(if kinds.all(|kind| kind == first) { first } else { Neutral::Json })
}
