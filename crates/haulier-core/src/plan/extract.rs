//! An extract: the columns whose agreement on both sides is the proof, without any local id.

use super::Reference;

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
