//! Every mapped field of one record, fresh from the source, against the record as the target holds it.

use std::borrow::Cow;

use haulier_core::plan::{Entity, ExtractFrom, FieldSource, NeutralRules};
use haulier_core::{Row, TargetId};
use haulier_producer::mapping::{Mapped, Mapper};
use haulier_validator::extract::sha256;
use haulier_validator::line;
use haulier_validator::neutral::{Cell, Column, Columns, Kind, Neutral, Side};
use serde_json::Value;

use crate::SidesError;
use crate::agree::{self, Types};
use crate::list::pointer;
use crate::source::encoded;

/// The name of the column that holds the source key; no field is called so.
const KEY: &str = "source key";

/// An entity's fields, made ready to be compared.
#[derive(Debug)]
pub struct Whole {
    mapper: Mapper,
    /// A pointer for each field.
    at: Vec<String>,
    source: Neutral,
    target: Neutral,
    row: usize,
}

/// A field that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDifference {
    /// The field.
    pub field: String,
    /// What would be sent, in its neutral form.
    pub source: String,
    /// What the target holds, in its neutral form.
    pub target: String,
}

/// Both sides of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSides {
    /// SHA-256 of all fields and references in their neutral form, as they would be sent.
    pub source: String,
    /// The same as the target holds them. It is the same text exactly when nothing differs.
    pub target: String,
    /// What differs.
    pub differences: Vec<FieldDifference>,
}

impl Whole {
    /// Makes an entity's fields ready.
    pub fn new(entity: &Entity, types: &Types) -> Result<Self, SidesError> {
        let wrong = |problem: String| SidesError::Columns { entity: entity.name.clone(), problem };
        let mut columns: Vec<Column> = Vec::with_capacity(entity.fields.len());
        let mut at = Vec::with_capacity(entity.fields.len());
        for (index, field) in entity.fields.iter().enumerate() {
            let declared = entity.extract.as_ref().and_then(|extract| {
                extract.columns.iter().find(|column| column.from == ExtractFrom::Field(index))
            });
            let read = match &field.source {
                FieldSource::Column { column, .. } => agree::read_as(entity, column, types),
                FieldSource::Constant(_) => None,
            };
            let kind = declared.and_then(|column| column.kind.clone()).or_else(|| field.neutral()).or(read);
            let kind = kind.ok_or_else(|| {
                wrong(format!(
                    "nobody says what the field `{0}` holds: name it in `extract` with an `as`",
                    field.name
                ))
            })?;
            let rules = declared.map_or_else(NeutralRules::default, |column| NeutralRules {
                // A hash would not be a value to look at.
                pii: false,
                ..column.rules.clone()
            });
            columns.push(agree::neutral(&field.name, &kind, &rules));
            at.push(pointer(declared.and_then(|column| column.at.as_deref()), &field.name));
        }
        let columns = Columns::new(vec![Column::new(KEY, Kind::Text)], columns);
        let columns = columns.map_err(|error| wrong(error.to_string()))?;
        let side = |side| Neutral::new(columns.clone(), side, None).map_err(|error| wrong(error.to_string()));
        let mapper = Mapper::new(entity).map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            mapper,
            at,
            source: side(Side::Source)?,
            target: side(Side::Target)?,
            row: entity.fields.len(),
        })
    }

    /// The entity.
    #[must_use]
    pub fn entity(&self) -> &Entity {
        self.mapper.entity()
    }

    /// The row as it would be sent.
    #[must_use]
    pub fn mapped(&self, row: &Row) -> Mapped {
        self.mapper.map(row)
    }

    /// The digest of what is compared: the fields, and what each is declared to hold.
    #[must_use]
    pub fn digest(&self) -> String {
        self.source.columns().digest()
    }

    /// Compares. `refs` are the target ids of the referenced records, in the order of the entity's `refs`.
    ///
    /// # Errors
    /// A value has no neutral form; the field's name stands first.
    pub fn compare(
        &mut self,
        row: &Row,
        refs: &[Option<TargetId>],
        held: &Value,
    ) -> Result<RecordSides, (String, String)> {
        let key = || Cell::Text(Cow::Borrowed(row.key.as_str()));
        let mut sent = vec![key()];
        for index in 0..self.row {
            sent.push(match self.mapper.field(row, index) {
                Ok(json) => json.map_or(Cell::Null, encoded),
                Err(problem) => Cell::Unreadable(problem.into()),
            });
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.source
            .push(sent, &mut left)
            .map_err(|error| (error.column, format!("source: {}", error.reason)))?;
        let found = std::iter::once(key()).chain(self.at.iter().map(|at| Cell::from(held.pointer(at))));
        self.target
            .push(found, &mut right)
            .map_err(|error| (error.column, format!("target: {}", error.reason)))?;
        let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
        let cells = line::cells(&left).zip(line::cells(&right));
        let names = self.source.columns().all().iter().map(|column| column.name.clone());
        let mut pairs: Vec<FieldDifference> = names
            .zip(cells)
            .map(|(field, (left, right))| {
                // What is NULL and left out of a request is nothing that the target would have to show.
                let left_out = *left == *line::NULL && *right == *line::MISSING;
                let right = if left_out { left.clone() } else { right };
                FieldDifference { field, source: text(&left), target: text(&right) }
            })
            .collect();
        for (reference, id) in self.mapper.entity().refs.iter().zip(refs) {
            let there = held.pointer(&pointer(None, &reference.field));
            let there = match there {
                None if !reference.in_body => continue,
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(text.clone()),
                Some(other) => Some(other.to_string()),
            };
            let wanted = id.as_ref().map(|id| id.as_str().to_owned());
            let null = || String::from_utf8_lossy(line::NULL).into_owned();
            pairs.push(FieldDifference {
                field: reference.field.clone(),
                source: wanted.unwrap_or_else(null),
                target: there.unwrap_or_else(null),
            });
        }
        let digest = |side: fn(&FieldDifference) -> &String| {
            let lengths = |pair| format!("{}:{},", side(pair).len(), side(pair));
            sha256(pairs.iter().map(lengths).collect::<String>().as_bytes())
        };
        let (source, target) = (digest(|pair| &pair.source), digest(|pair| &pair.target));
        pairs.retain(|pair| pair.source != pair.target);
        Ok(RecordSides { source, target, differences: pairs })
    }
}
