//! The agreed column set: which columns prove a migration, and what each of them holds.

use haulier_core::form;
use sha2::{Digest as _, Sha256};

/// One side of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Where the records come from.
    Source,
    /// Where they go to.
    Target,
}

impl Side {
    /// `source` or `target`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

/// What a column holds, and so its neutral form: the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// An integer of any size: canonical decimal.
    Integer,
    /// A decimal by value, without zeros at its end; with a scale, exactly so many fraction digits.
    Decimal(Option<u8>),
    /// A binary float: the shortest text that reads back the same; `NaN`, `Infinity`, `-Infinity` by name.
    Float,
    /// `true` or `false`.
    Boolean,
    /// RFC 3339 in UTC with so many fraction digits.
    Timestamp {
        /// Fraction digits, 0 to 9.
        precision: u8,
        /// What happens to digits beyond them.
        excess: Excess,
    },
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:MM:SS[.fraction]`.
    Time,
    /// An ISO 8601 duration in months, days and seconds.
    Interval,
    /// Text as it is.
    Text,
    /// One of these texts; anything else is an error.
    Enum(Vec<String>),
    /// JSON with sorted keys, numbers by value and no blanks.
    Json,
    /// A JSON array of texts; `None` elements are `null`.
    List {
        /// Whether the order means nothing: the elements are sorted by their bytes.
        set: bool,
        /// Whether the elements are numbers, compared by value.
        numbers: bool,
    },
    /// A UUID in lower case with hyphens.
    Uuid,
    /// `sha256:` and the hex digest of the bytes.
    Binary,
}

/// Fraction digits beyond the declared precision: nothing is ever rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Excess {
    /// The value is an error.
    Refuse,
    /// They are cut, and counted.
    Cut,
}

/// A rule that makes values alike which the plan declares to be alike. Applied in this order, whatever order they are named in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A missing value is NULL.
    MissingAsNull,
    /// Unicode normalisation form C.
    Nfc,
    /// White space at both ends is cut.
    Trim,
    /// Lower case, by Unicode.
    Lower,
    /// Empty text is NULL.
    EmptyAsNull,
}

impl Rule {
    /// Every rule, in the order of their application.
    pub const ALL: [Self; 5] = [Self::MissingAsNull, Self::Nfc, Self::Trim, Self::Lower, Self::EmptyAsNull];

    /// The rule's word in plans, manifests and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingAsNull => "missing-as-null",
            Self::Nfc => "nfc",
            Self::Trim => "trim",
            Self::Lower => "lower",
            Self::EmptyAsNull => "empty-as-null",
        }
    }

    /// Reads what [`Rule::as_str`] wrote.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }
}

/// How bytes are spelled in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BytesAs {
    /// The text's own bytes.
    #[default]
    Raw,
    /// Hex, with or without `\x` or `0x` in front.
    Hex,
    /// Base64, with or without padding.
    Base64,
}

/// How one side spells a column's values. It is no part of the agreed column set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spelling {
    /// IANA zone of timestamps without an offset; UTC without one.
    pub zone: Option<String>,
    /// What this side calls the values, and what they are called in the extract; others stay as they are.
    pub map: Vec<(String, String)>,
    /// The separator of a list that is held as text.
    pub separator: Option<char>,
    /// How bytes are spelled where they come as text.
    pub bytes: BytesAs,
    /// Whether a JSON text that holds JSON is read once more.
    pub json_in_text: bool,
}

/// How the agreement of a hashed column ends.
pub const HASHED: &str = ", hashed";

/// One column of an extract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Rules declared for it.
    pub rules: Vec<Rule>,
    /// Whether only a keyed hash of its values is written (personal data).
    pub hashed: bool,
    /// How the source spells it.
    pub source: Spelling,
    /// How the target spells it.
    pub target: Spelling,
}

impl Column {
    /// A column without rules, spelled plainly on both sides.
    #[must_use]
    pub fn new(name: &str, kind: Kind) -> Self {
        let plain = Spelling::default;
        Self { name: name.to_owned(), kind, rules: vec![], hashed: false, source: plain(), target: plain() }
    }

    /// How a side spells it.
    #[must_use]
    pub fn spelling(&self, side: Side) -> &Spelling {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Kind, rules and hashing in one text, such as `timestamp(6), trim`: what has to be agreed.
    #[must_use]
    pub fn agreement(&self) -> String {
        let mut text = match &self.kind {
            Kind::Integer => "integer".to_owned(),
            Kind::Decimal(None) => "decimal".to_owned(),
            Kind::Decimal(Some(scale)) => format!("decimal({scale})"),
            Kind::Float => "float".to_owned(),
            Kind::Boolean => "boolean".to_owned(),
            Kind::Timestamp { precision, excess: Excess::Refuse } => format!("timestamp({precision})"),
            Kind::Timestamp { precision, excess: Excess::Cut } => format!("timestamp({precision}, cut)"),
            Kind::Date => "date".to_owned(),
            Kind::Time => "time".to_owned(),
            Kind::Interval => "interval".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Enum(values) => format!("enum({})", values.join("|")),
            Kind::Json => "json".to_owned(),
            Kind::List { set, numbers } => {
                format!("{}({})", if *set { "set" } else { "list" }, if *numbers { "number" } else { "text" })
            }
            Kind::Uuid => "uuid".to_owned(),
            Kind::Binary => "binary".to_owned(),
        };
        for rule in Rule::ALL.into_iter().filter(|rule| self.rules.contains(rule)) {
            text.push_str(", ");
            text.push_str(rule.as_str());
        }
        if self.hashed {
            text.push_str(HASHED);
        }
        text
    }
}

/// Why columns are no column set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// Nothing would identify a row.
    #[error("the column set has no key column: name the natural key")]
    NoKey,
    /// Two columns share a name.
    #[error("the column `{0}` is named twice")]
    Twice(String),
    /// A name that would not survive in a header.
    #[error("a column has an empty name, or one with a line break")]
    Name,
}

/// The agreed column set of one entity: its key columns first, then the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    all: Vec<Column>,
    key: usize,
}

impl Columns {
    /// Checks and takes the columns.
    ///
    /// # Errors
    /// Without a key column, with a name twice, or with a name that cannot stand in a header.
    pub fn new(key: Vec<Column>, others: Vec<Column>) -> Result<Self, ColumnsError> {
        let count = key.len();
        if count == 0 {
            return Err(ColumnsError::NoKey);
        }
        let mut all = key;
        all.extend(others);
        for (index, column) in all.iter().enumerate() {
            if column.name.is_empty() || column.name.contains(['\n', '\r', '\0']) {
                return Err(ColumnsError::Name);
            }
            if all.iter().take(index).any(|earlier| earlier.name == column.name) {
                return Err(ColumnsError::Twice(column.name.clone()));
            }
        }
        Ok(Self { all, key: count })
    }

    /// All columns, key columns first: the order of the cells of a row.
    #[must_use]
    pub fn all(&self) -> &[Column] {
        &self.all
    }

    /// How many of them, from the first, are the key.
    #[must_use]
    pub fn key(&self) -> usize {
        self.key
    }

    /// SHA-256 of what has to be agreed, as hex: names, kinds, rules, key, in their order. What a decision signs.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{}\n", self.key));
        for column in &self.all {
            let agreement = column.agreement();
            hash.update(format!("{}:{}={}\n", column.name.len(), column.name, agreement));
        }
        form::hex(&hash.finalize())
    }
}
