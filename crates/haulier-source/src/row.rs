//! From values as read to the port's rows; from keys to values as bound.

use haulier_core::port::SourceError;
use haulier_core::{Row, SourceKey, TenantKey, Value};

use crate::catalogue::BindAs;
use crate::driver::Bind;
use crate::sql::{Slot, Statement};
use crate::walk::{KeyPart, TenantRead, Walk};

/// Why a row cannot be taken.
pub(crate) enum RowProblem {
    /// The key column has no value, or one that does not order reliably.
    Key { column: String, problem: &'static str },
    /// A value that is not what it must be.
    Value { key: String, column: String, problem: String },
}

impl RowProblem {
    pub(crate) fn about(self, entity: &str) -> SourceError {
        let entity = entity.to_owned();
        match self {
            Self::Key { column, problem } => SourceError::Plan {
                entity,
                problem: format!("the key column `{column}` {problem}"),
                hint: Some(
                    "a key is unique and never NULL; choose other columns or filter such rows out".to_owned(),
                ),
            },
            Self::Value { key, column, problem } => SourceError::Value { entity, key, column, problem },
        }
    }
}

/// The row's key.
pub(crate) fn key(parts: &[KeyPart], values: &[Value]) -> Result<SourceKey, RowProblem> {
    let text = |part: &KeyPart| {
        let bad = |problem| RowProblem::Key { column: part.column.clone(), problem };
        let value = values.get(part.position).unwrap_or(&Value::Null);
        if let Some(problem) = unordered(part.bind, value) {
            return Err(bad(problem));
        }
        readable(value, "(unreadable)", &part.column)?;
        value.key_text().ok_or_else(|| bad("is NULL in some row"))
    };
    if let [only] = parts {
        return Ok(SourceKey::from_parts(&[text(only)?]));
    }
    let texts: Vec<String> = parts.iter().map(text).collect::<Result<_, _>>()?;
    Ok(SourceKey::from_parts(&texts))
}

/// Makes the port's row.
pub(crate) fn row(walk: &Walk, mut values: Vec<Value>) -> Result<Row, RowProblem> {
    let key = key(&walk.key, &values)?;
    let tenant = match &walk.tenant {
        TenantRead::None => None,
        TenantRead::Own => Some(TenantKey::new(key.as_str())),
        TenantRead::At(positions) => {
            for value in positions.iter().filter_map(|at| values.get(*at)) {
                readable(value, key.as_str(), "tenant")?;
            }
            let texts: Option<Vec<String>> =
                positions.iter().map(|at| values.get(*at).and_then(Value::key_text)).collect();
            texts.map(|texts| TenantKey::new(SourceKey::from_parts(&texts).as_str()))
        }
    };
    let generation = match walk.generation {
        None => 0,
        Some(at) => match values.get(at) {
            None | Some(Value::Null) => 0,
            Some(Value::Int(generation)) => *generation,
            Some(other) => {
                readable(other, key.as_str(), walk.entity.generation.as_deref().unwrap_or("generation"))?;
                let text = other.key_text().unwrap_or_default();
                text.parse().map_err(|_| RowProblem::Value {
                    key: key.to_string(),
                    column: walk.entity.generation.clone().unwrap_or_default(),
                    problem: "the generation is not an integer of 64 bits".to_owned(),
                })?
            }
        },
    };
    values.truncate(walk.entity.columns.len());
    Ok(Row { key, tenant, generation, values })
}

/// A row of which not even the key, the tenant or the generation can be read cannot be accounted for.
fn readable(value: &Value, key: &str, column: &str) -> Result<(), RowProblem> {
    let Value::Unreadable(problem) = value else { return Ok(()) };
    Err(RowProblem::Value { key: key.to_owned(), column: column.to_owned(), problem: problem.clone() })
}

/// SQLite only: a value that would be bound back as another type than it has, and so would be compared wrongly.
fn unordered(bind: BindAs, value: &Value) -> Option<&'static str> {
    match (bind, value) {
        (BindAs::Numeric | BindAs::Textual, Value::Bytes(_)) => {
            Some("holds bytes in some row, beside other values")
        }
        (BindAs::Untyped, Value::Text(text)) if untyped(text) != Bind::Text(text.clone()) => {
            Some("has no type and holds text that looks like a number or bytes; cast it in a query")
        }
        _ => None,
    }
}

/// What is bound at each place of a statement.
pub(crate) struct Binds<'a> {
    pub(crate) walk: &'a Walk,
    pub(crate) after: &'a [String],
    pub(crate) upto: &'a [String],
    pub(crate) limit: u32,
    pub(crate) keys: &'a [Vec<String>],
}

impl Binds<'_> {
    /// The values in order; `None` when a key has not the parts that it must have, or one that no row can have.
    pub(crate) fn list(&self, statement: &Statement) -> Option<Vec<Bind>> {
        statement.slots().iter().map(|slot| self.at(*slot)).collect()
    }

    fn at(&self, slot: Slot) -> Option<Bind> {
        let part = |texts: &[String], part: usize| bound(self.walk.key.get(part)?.bind, texts.get(part)?);
        match slot {
            Slot::Filter(index) => self.walk.filters.get(index).cloned(),
            Slot::Tenant(index) => self.walk.tenants.get(index).cloned(),
            Slot::After(index) => part(self.after, index),
            Slot::Upto(index) => part(self.upto, index),
            Slot::Limit => Some(Bind::Int(i64::from(self.limit))),
            Slot::Key { key, part: index } => part(self.keys.get(key)?, index),
            Slot::Column(index) => {
                let column = self.keys.iter().map(|key| key.get(index).cloned()).collect::<Option<_>>()?;
                Some(Bind::Texts(column))
            }
        }
    }
}

/// Whether a key has as many parts as the entity's, each of the kind of its column.
pub(crate) fn fits(walk: &Walk, parts: &[String]) -> bool {
    parts.len() == walk.key.len()
        && walk.key.iter().zip(parts).all(|(column, part)| bound(column.bind, part).is_some())
}

/// A part of a key as it is bound; `None` where no value of the column can be that.
pub(crate) fn bound(bind: BindAs, text: &str) -> Option<Bind> {
    Some(match bind {
        BindAs::Never => return None,
        BindAs::Text | BindAs::Textual => Bind::Text(text.to_owned()),
        BindAs::Integer => Bind::Int(text.parse().ok()?),
        BindAs::Digits => text.parse::<i64>().ok().map(|_| Bind::Text(text.to_owned()))?,
        BindAs::Unsigned => Bind::Unsigned(text.parse().ok()?),
        BindAs::Double => Bind::Float(text.parse().ok()?),
        BindAs::Bytes => Bind::Bytes(bytes(text)?),
        BindAs::Moment => Bind::Text(moment(text)),
        BindAs::Numeric => number(text).unwrap_or_else(|| Bind::Text(text.to_owned())),
        BindAs::Untyped => untyped(text),
    })
}

/// MySQL's own form of a date and time.
pub(crate) fn moment(text: &str) -> String {
    text.trim_end_matches('Z').replacen('T', " ", 1)
}

fn untyped(text: &str) -> Bind {
    number(text).or_else(|| bytes(text).map(Bind::Bytes)).unwrap_or_else(|| Bind::Text(text.to_owned()))
}

/// Reads what `Value::key_text` writes for numbers; the standard library would also read `inf` and `nan`.
fn number(text: &str) -> Option<Bind> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '-') && text != "Infinity" {
        return None;
    }
    text.parse().map(Bind::Int).ok().or_else(|| text.parse().map(Bind::Float).ok())
}

/// Reads `\x` and hex.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let hex = text.strip_prefix("\\x")?;
    if hex.len() % 2 != 0 || !hex.is_ascii() {
        return None;
    }
    let pairs = hex.as_bytes().chunks_exact(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
