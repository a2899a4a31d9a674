//! The neutral form: one normaliser for both sides, so that equal data gives equal bytes.

mod cell;
mod column;
mod interval;
mod json;
mod value;

pub use cell::Cell;
pub use column::{BytesAs, Column, Columns, ColumnsError, Excess, HASHED, Kind, Rule, Side, Spelling};

use std::borrow::Cow;
use std::io::Write as _;

use haulier_core::form;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use unicode_normalization::UnicodeNormalization;

use crate::line;

/// Why a row has no neutral form. Names the place, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("row {row}{}, column `{column}`: {reason}", key.as_ref().map(|key| format!(" (key {key})")).unwrap_or_default())]
pub struct CellError {
    /// The row's number in the order of reading, from 1.
    pub row: u64,
    /// The row's key as it stands in the extract, where it was read before the error.
    pub key: Option<String>,
    /// The column.
    pub column: String,
    /// What is wrong.
    pub reason: String,
}

/// How many values of one column were changed, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Changed {
    /// By each of [`Rule::ALL`].
    pub rules: [u64; 5],
    /// By the column's kind: spelled otherwise, such as `1.10` for `1.1`, or `t` for `true`.
    pub kind: u64,
    /// By the side's own map.
    pub map: u64,
    /// Fraction digits that were cut.
    pub cut: u64,
    /// Not changed, but worth to know: values that the side does not send at all, where no rule makes them NULL.
    pub lacking: u64,
}

impl Changed {
    /// The counts that are not 0, by their words: the rules' own, `kind`, `map`, `cut`.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let rules = Rule::ALL.iter().zip(self.rules).map(|(rule, count)| (rule.as_str(), count));
        let others = [("kind", self.kind), ("map", self.map), ("cut", self.cut)];
        rules.chain(others).filter(|(_, count)| *count > 0)
    }

    fn rule(&mut self, rule: Rule) {
        let index = Rule::ALL.iter().position(|known| *known == rule);
        if let Some(count) = index.and_then(|index| self.rules.get_mut(index)) {
            *count += 1;
        }
    }

    /// Adds another's counts, of the same column.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.rules.iter_mut().zip(other.rules) {
            *count += more;
        }
        self.kind += other.kind;
        self.map += other.map;
        self.cut += other.cut;
        self.lacking += other.lacking;
    }
}

/// A column is hashed, and there is no key for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the column `{0}` is to be hashed, and no hash key of at least 16 bytes is given")]
pub struct NoHashKey(pub String);

/// Turns rows of one side into lines. One for each thread; their counts are added up.
#[derive(Debug, Clone)]
pub struct Neutral {
    columns: Columns,
    side: Side,
    changed: Vec<Changed>,
    secret: Option<Hmac<Sha256>>,
    rows: u64,
    scratch: String,
}

impl Neutral {
    /// A normaliser for one side. `hash_key` is the secret of hashed columns; both sides need the same.
    ///
    /// # Errors
    /// A column is hashed, and the key is missing or short.
    pub fn new(columns: Columns, side: Side, hash_key: Option<&[u8]>) -> Result<Self, NoHashKey> {
        let secret = hash_key
            .filter(|key| key.len() >= 16)
            .and_then(|key| <Hmac<Sha256> as KeyInit>::new_from_slice(key).ok());
        if let Some(column) = columns.all().iter().find(|column| column.hashed && secret.is_none()) {
            return Err(NoHashKey(column.name.clone()));
        }
        let changed = vec![Changed::default(); columns.all().len()];
        Ok(Self { columns, side, changed, secret, rows: 0, scratch: String::new() })
    }

    /// The column set.
    #[must_use]
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// What was changed so far, a column each.
    #[must_use]
    pub fn changed(&self) -> &[Changed] {
        &self.changed
    }

    /// Appends the row's line, without its line feed. The cells come in the order of [`Columns::all`].
    ///
    /// # Errors
    /// A cell does not hold what its column is declared to hold, is NULL in a key, or there are too few or too many. What was
    /// appended of the row is taken back.
    pub fn push<'a>(
        &mut self,
        cells: impl IntoIterator<Item = Cell<'a>>,
        line: &mut Vec<u8>,
    ) -> Result<(), CellError> {
        let start = line.len();
        self.rows += 1;
        let outcome = self.cells(cells, line, start);
        if outcome.is_err() {
            line.truncate(start);
        }
        outcome
    }

    fn cells<'a>(
        &mut self,
        cells: impl IntoIterator<Item = Cell<'a>>,
        line: &mut Vec<u8>,
        start: usize,
    ) -> Result<(), CellError> {
        let mut cells = cells.into_iter();
        let Self { columns, side, changed, secret, rows, scratch } = self;
        for (index, (column, changed)) in columns.all().iter().zip(changed).enumerate() {
            if index > 0 {
                line.push(b',');
            }
            let done = match cells.next() {
                None => Err("the row ends before it".into()),
                Some(cell) if as_it_is(column, *side, &cell, changed, line) => Ok(()),
                Some(cell) => one(column, *side, cell, changed, scratch).and_then(|token| {
                    let token = if column.hashed { hashed(token, secret.as_ref(), scratch) } else { token };
                    match token {
                        Token::Text => line::push_text(line, scratch),
                        Token::Null | Token::Missing if index < columns.key() => {
                            return Err("it is part of the key, and NULL or missing".into());
                        }
                        Token::Null => line.extend_from_slice(line::NULL),
                        Token::Missing => line.extend_from_slice(line::MISSING),
                    }
                    Ok(())
                }),
            };
            if let Err(reason) = done {
                let key = (index >= columns.key()).then(|| key_text(line.get(start..), columns.key()));
                return Err(CellError {
                    row: *rows,
                    key,
                    column: column.name.clone(),
                    reason: reason.into(),
                });
            }
        }
        if cells.next().is_some() {
            let column = columns.all().last().map(|column| column.name.clone()).unwrap_or_default();
            let reason = "the row has more cells than the column set".to_owned();
            return Err(CellError { row: *rows, key: None, column, reason });
        }
        line::close(line, start);
        Ok(())
    }
}

/// The key as it stands in the line.
pub(crate) fn key_text(line: Option<&[u8]>, key: usize) -> String {
    let line = line.unwrap_or_default();
    let end = line::prefix(line, key);
    let text = String::from_utf8_lossy(line.get(..end).unwrap_or_default()).into_owned();
    text.strip_suffix(',').map(ToOwned::to_owned).unwrap_or(text)
}

/// Appends what is in its neutral form already, or holds it: most values, and none of them copied twice. The others are for [`one`].
fn as_it_is(column: &Column, side: Side, cell: &Cell<'_>, changed: &mut Changed, line: &mut Vec<u8>) -> bool {
    if column.hashed || !column.rules.is_empty() || !column.spelling(side).map.is_empty() {
        return false;
    }
    match (cell, &column.kind) {
        (Cell::Text(text), Kind::Text) => line::push_text(line, text),
        (Cell::Text(text), kind) => {
            let Some(form) = value::within(kind, text) else { return false };
            changed.kind += u64::from(form.len() != text.len());
            line.extend_from_slice(form.as_bytes());
        }
        (Cell::Int(value), Kind::Integer | Kind::Decimal(None)) => {
            // Writing to memory cannot fail.
            let _written = write!(line, "{value}");
        }
        _ => return false,
    }
    true
}

enum Token {
    Null,
    Missing,
    Text,
}

/// One cell into `out`, by rules and kind.
fn one(
    column: &Column,
    side: Side,
    cell: Cell<'_>,
    changed: &mut Changed,
    out: &mut String,
) -> Result<Token, Cow<'static, str>> {
    out.clear();
    let has = |rule: Rule| column.rules.contains(&rule);
    let cell = match cell {
        Cell::Null => return Ok(Token::Null),
        Cell::Missing if has(Rule::MissingAsNull) => {
            changed.rule(Rule::MissingAsNull);
            return Ok(Token::Null);
        }
        Cell::Missing => {
            changed.lacking += 1;
            return Ok(Token::Missing);
        }
        Cell::Unreadable(why) => return Err(why.into_owned().into()),
        Cell::Text(text) => {
            let text = ruled(column, text, changed);
            if text.is_empty() && has(Rule::EmptyAsNull) {
                changed.rule(Rule::EmptyAsNull);
                return Ok(Token::Null);
            }
            Cell::Text(text)
        }
        other @ (Cell::Bool(_)
        | Cell::Int(_)
        | Cell::Float(_)
        | Cell::Bytes(_)
        | Cell::List(_)
        | Cell::Json(_)) => other,
    };
    value::write(column, column.spelling(side), cell, changed, out)?;
    Ok(Token::Text)
}

fn ruled<'a>(column: &Column, text: Cow<'a, str>, changed: &mut Changed) -> Cow<'a, str> {
    let mut text = text;
    for rule in Rule::ALL.into_iter().filter(|rule| column.rules.contains(rule)) {
        let next = match rule {
            Rule::MissingAsNull | Rule::EmptyAsNull => continue,
            Rule::Nfc if text.is_ascii() => continue,
            Rule::Nfc => text.nfc().collect::<String>(),
            Rule::Trim => text.trim().to_owned(),
            Rule::Lower => text.to_lowercase(),
        };
        if next != *text {
            changed.rule(rule);
            text = Cow::Owned(next);
        }
    }
    text
}

/// Tells hash keys apart without telling anything of them: 16 hex digits.
#[must_use]
pub fn hash_key_mark(key: &[u8]) -> String {
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return String::new() };
    mac.update(b"the mark of a hash key");
    let mut mark = form::hex(&mac.finalize().into_bytes());
    mark.truncate(16);
    mark
}

fn hashed(token: Token, secret: Option<&Hmac<Sha256>>, text: &mut String) -> Token {
    if let (Token::Text, Some(secret)) = (&token, secret) {
        let mut mac = secret.clone();
        mac.update(text.as_bytes());
        text.clear();
        text.push_str("hmac-sha256:");
        form::push_hex(text, &mac.finalize().into_bytes());
    }
    token
}

#[cfg(test)]
mod tests;
