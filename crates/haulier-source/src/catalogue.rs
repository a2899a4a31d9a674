//! What a relation has: its columns, how each is read, compared and bound, and what proves its key unique.

use std::borrow::Cow;

use haulier_core::schema::{Column, ColumnKind};

/// A relation as the catalogue knows it.
#[derive(Debug, Clone)]
pub(crate) struct Described {
    /// How it stands in a FROM clause.
    pub(crate) from: String,
    /// How it is called in messages.
    pub(crate) label: String,
    /// Its columns, in order.
    pub(crate) columns: Vec<DescribedColumn>,
    /// Column sets that a unique index covers.
    pub(crate) unique: Vec<Vec<String>>,
}

/// A column as the schema shows it.
impl From<&DescribedColumn> for Column {
    fn from(column: &DescribedColumn) -> Self {
        Self {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            nullable: column.nullable,
            kind: column.form.kind(),
        }
    }
}

impl Described {
    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&DescribedColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether an index proves that no two rows share these columns.
    pub(crate) fn proves_unique(&self, columns: &[String]) -> bool {
        self.unique.iter().any(|set| set.iter().all(|column| columns.contains(column)))
    }
}

/// A column and everything that SQL about it needs.
#[derive(Debug, Clone)]
pub(crate) struct DescribedColumn {
    pub(crate) name: String,
    /// The engine's own name of its type.
    pub(crate) type_name: String,
    pub(crate) nullable: bool,
    /// What its values look like when they arrive.
    pub(crate) form: Form,
    /// Around the column where it is read.
    pub(crate) read: Around,
    /// Around the column where its text is compared, byte by byte.
    pub(crate) as_text: Around,
    /// Around the column where keys are compared and ordered.
    pub(crate) order: Around,
    /// Around the placeholder of a key.
    pub(crate) place: Around,
    /// How a part of a key is bound.
    pub(crate) bind: BindAs,
    /// Around the column where it is read as a generation, and what arrives; `None` where it cannot be one.
    pub(crate) generation: Option<(Around, Form)>,
}

/// SQL before and after an operand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Around {
    before: Cow<'static, str>,
    after: Cow<'static, str>,
}

impl Around {
    pub(crate) const PLAIN: Self = Self::new("", "");

    pub(crate) const fn new(before: &'static str, after: &'static str) -> Self {
        Self { before: Cow::Borrowed(before), after: Cow::Borrowed(after) }
    }

    pub(crate) fn ending(before: &'static str, after: String) -> Self {
        Self { before: Cow::Borrowed(before), after: Cow::Owned(after) }
    }

    pub(crate) fn put(&self, operand: &str) -> String {
        format!("{}{operand}{}", self.before, self.after)
    }
}

/// What a value looks like when it arrives, and so what it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Boolean,
    Integer,
    /// An unsigned integer of at most 32 bits.
    Natural,
    /// An unsigned integer of 64 bits.
    Unsigned,
    /// Up to 64 bits, as big-endian bytes.
    Bits,
    Single,
    Double,
    Number,
    Text,
    Bytes,
    Timestamp,
    LocalTimestamp,
    Date,
    Time,
    Json,
    /// A PostgreSQL array in its text form.
    Array,
    /// A MySQL set: names joined by commas.
    Set,
    /// SQLite: whatever each value is.
    Any(ColumnKind),
}

impl Form {
    /// What the port calls it.
    pub(crate) fn kind(self) -> ColumnKind {
        match self {
            Self::Boolean => ColumnKind::Boolean,
            Self::Integer | Self::Natural | Self::Bits => ColumnKind::Integer,
            Self::Unsigned | Self::Number => ColumnKind::Number,
            Self::Single | Self::Double => ColumnKind::Float,
            Self::Text => ColumnKind::Text,
            Self::Bytes => ColumnKind::Bytes,
            Self::Timestamp => ColumnKind::Timestamp,
            Self::LocalTimestamp => ColumnKind::LocalTimestamp,
            Self::Date => ColumnKind::Date,
            Self::Time => ColumnKind::Time,
            Self::Json => ColumnKind::Json,
            Self::Array | Self::Set => ColumnKind::List,
            Self::Any(kind) => kind,
        }
    }
}

/// How a part of a key, which is text, is bound so that the server compares it as the column's own type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BindAs {
    Text,
    Integer,
    /// An integer, bound as text and cast there.
    Digits,
    Unsigned,
    Double,
    Bytes,
    /// MySQL date and time: without `T` and `Z`.
    Moment,
    /// SQLite column that turns numeric text into numbers.
    Numeric,
    /// SQLite column that turns numbers into text.
    Textual,
    /// SQLite column without a type.
    Untyped,
    /// Not orderable reliably; refused as a key.
    Never,
}

/// The candidate that a misspelt name most likely means.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let scored =
        candidates.into_iter().map(|candidate| (distance(&wanted, &candidate.to_lowercase()), candidate));
    let (score, candidate) = scored.min()?;
    (score <= 1 + wanted.chars().count() / 4).then_some(candidate)
}

fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut current = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let swap = previous[j] + usize::from(a != *b);
            current.push(swap.min(previous[j + 1] + 1).min(current[j] + 1));
        }
        previous = current;
    }
    previous.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("acounts", ["projects", "accounts"]), Some("accounts"));
        assert_eq!(nearest("Email", ["email", "mail"]), Some("email"));
        assert_eq!(nearest("zzz", ["email", "name"]), None);
    }
}
