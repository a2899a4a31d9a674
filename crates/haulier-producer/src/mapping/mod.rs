//! One row becomes one record, exactly as the plan says, or a refusal that names the column.

mod convert;
mod text;

use std::sync::Arc;

use haulier_core::digest::Digester;
use haulier_core::plan::{Entity, FieldSource, NaturalPart, NullFields, OrphanPolicy, Part, PushProgram};
use haulier_core::port::{Sighting, SightingIntent};
use haulier_core::{Digest, Failure, FailureKind, Record, Row, SourceKey, Value};

use text::push_json_string;

/// Maps the rows of one entity. Made once, used for every row.
#[derive(Debug)]
pub struct Mapper {
    entity: Entity,
    body: Vec<Member>,
    columns: Vec<Option<usize>>,
    refs: Vec<Vec<usize>>,
    vars: Vec<VarSource>,
    natural: Vec<Natural>,
    nulls: NullFields,
    path_key: Option<Arc<str>>,
}

/// A mapped row: what the ledger hears of it, and the record where it is to be sent.
#[derive(Debug)]
pub struct Mapped {
    /// What the ledger hears.
    pub sighting: Sighting,
    /// The record; `None` when the row is refused or left out.
    pub record: Option<Record>,
}

/// The body's shape: dotted field names make nested objects.
#[derive(Debug)]
enum Member {
    Field { name: String, index: usize },
    Object { name: String, members: Vec<Self> },
}

#[derive(Debug)]
enum VarSource {
    Field(usize),
    Column(usize),
}

#[derive(Debug)]
enum Natural {
    Column(usize),
    Reference(usize),
}

/// The entity names a column that it does not read: a plan that was not made by the plan's reader.
#[derive(Debug, thiserror::Error)]
#[error("entity `{entity}` uses the column `{column}` without reading it")]
pub struct UnreadColumn {
    entity: String,
    column: String,
}

impl Mapper {
    /// Prepares the mapping of one entity.
    pub fn new(entity: &Entity) -> Result<Self, UnreadColumn> {
        let find = |column: &str| {
            let missing = || UnreadColumn { entity: entity.name.to_string(), column: column.to_owned() };
            entity.column(column).ok_or_else(missing)
        };
        let columns = entity.fields.iter().map(|field| match &field.source {
            FieldSource::Column { column, .. } => find(column).map(Some),
            FieldSource::Constant(_) => Ok(None),
        });
        let refs = entity.refs.iter().map(|reference| reference.by.iter().map(|by| find(by)).collect());
        let vars = entity.vars.iter().map(|var| {
            let field =
                var.field.as_ref().and_then(|name| entity.fields.iter().position(|f| f.name == *name));
            field.map_or_else(|| find(&var.name).map(VarSource::Column), |index| Ok(VarSource::Field(index)))
        });
        let natural = entity.natural_key.iter().map(|part| match part {
            NaturalPart::Column(column) => find(column).map(Natural::Column),
            NaturalPart::Reference { index, .. } => Ok(Natural::Reference(*index)),
        });
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            refs: refs.collect::<Result<_, _>>()?,
            vars: vars.collect::<Result<_, _>>()?,
            natural: natural.collect::<Result<_, _>>()?,
            body: shape(entity),
            nulls: wanted_nulls(&entity.push),
            path_key: path_key(entity),
            entity: entity.clone(),
        })
    }

    /// The entity that is mapped.
    #[must_use]
    pub fn entity(&self) -> &Entity {
        &self.entity
    }

    /// Maps one row.
    #[must_use]
    pub fn map(&self, row: &Row) -> Mapped {
        let mut tenant = row.tenant.clone();
        if tenant.is_none() && self.entity.tenant != haulier_core::plan::TenantPath::None {
            match &self.entity.orphans {
                OrphanPolicy::Attach(to) => tenant = Some(to.clone()),
                OrphanPolicy::Skip => {
                    let reason = "it belongs to no tenant".to_owned();
                    return self.without_record(row, SightingIntent::Skip(reason));
                }
                OrphanPolicy::Stop => {
                    let reason = "it belongs to no tenant, and the plan stops at such rows";
                    return self.without_record(
                        row,
                        SightingIntent::Refuse(Failure::new(FailureKind::Mapping, reason)),
                    );
                }
            }
        }
        match self.record(row) {
            Ok((mut record, natural)) => {
                record.tenant = tenant.clone();
                // A deferred reference that is empty is worth an update only where another was sent before.
                let empty = self.entity.deferred_of.is_some() && record.refs.last() == Some(&None);
                let intent = if empty { SightingIntent::SendIfLanded } else { SightingIntent::Send };
                let sighting = Sighting {
                    key: row.key.clone(),
                    tenant,
                    generation: row.generation,
                    hash: record.hash,
                    natural,
                    path_key: self.path_key.clone(),
                    intent,
                };
                Mapped { sighting, record: Some(record) }
            }
            Err(reason) => {
                self.without_record(row, SightingIntent::Refuse(Failure::new(FailureKind::Mapping, reason)))
            }
        }
    }

    fn without_record(&self, row: &Row, intent: SightingIntent) -> Mapped {
        let mut digester = Digester::default();
        for text in [self.entity.name.as_str(), row.key.as_str()] {
            digester.part(text);
        }
        for value in &row.values {
            digester.part(&value.key_text().unwrap_or_default());
        }
        let sighting = Sighting {
            key: row.key.clone(),
            tenant: row.tenant.clone(),
            generation: row.generation,
            hash: digester.finish(),
            natural: None,
            path_key: None,
            intent,
        };
        Mapped { sighting, record: None }
    }

    fn record(&self, row: &Row) -> Result<(Record, Option<Digest>), String> {
        // Also where only a reference or a path needs the column: there it would pass for NULL.
        for (column, value) in self.entity.columns.iter().zip(&row.values) {
            if let Value::Unreadable(problem) = value {
                return Err(format!("column `{column}`: {problem}"));
            }
        }
        let mut values: Vec<Option<String>> = Vec::with_capacity(self.entity.fields.len());
        for index in 0..self.entity.fields.len() {
            values.push(self.field(row, index)?);
        }
        let mut body =
            String::with_capacity(values.iter().flatten().map(|v| v.len() + 24).sum::<usize>() + 2);
        write_object(&mut body, &self.body, &values, self.nulls);
        let refs = self.refs(row);
        let vars = self.vars(row, &values)?;

        let natural = self.natural_digest(row, &refs);
        let mut record = Record {
            key: row.key.clone(),
            tenant: None,
            generation: row.generation,
            hash: Digest([0; 16]),
            body,
            vars,
            refs,
        };
        record.hash = record.content(&self.entity.name);
        Ok((record, natural))
    }

    /// The encoded JSON of the field at this position, as it would be sent; `None` is NULL. The error names column and field.
    pub fn field(&self, row: &Row, index: usize) -> Result<Option<String>, String> {
        let (Some(field), Some(column)) = (self.entity.fields.get(index), self.columns.get(index)) else {
            return Ok(None);
        };
        match (&field.source, column) {
            (FieldSource::Constant(json), _) => Ok(Some(json.clone())),
            (source @ FieldSource::Column { column, .. }, Some(index)) => {
                let value = row.values.get(*index).unwrap_or(&Value::Null);
                convert::encode(value, source)
                    .map_err(|problem| format!("column `{column}` for field `{}`: {problem}", field.name))
            }
            (FieldSource::Column { .. }, None) => Ok(None),
        }
    }

    /// The text of a field that is sent as it is read, as a string or a number; nothing where [`Mapper::field`] must be asked.
    #[must_use]
    pub fn plain<'r>(&self, row: &'r Row, index: usize) -> Option<&'r str> {
        let column = (*self.columns.get(index)?)?;
        convert::plain(row.values.get(column)?, &self.entity.fields.get(index)?.source)
    }

    fn refs(&self, row: &Row) -> Vec<Option<SourceKey>> {
        let key_of = |columns: &Vec<usize>| {
            let parts: Option<Vec<String>> =
                columns.iter().map(|index| row.values.get(*index).and_then(Value::key_text)).collect();
            parts.map(|parts| SourceKey::from_parts(&parts))
        };
        self.refs.iter().map(key_of).collect()
    }

    fn vars(&self, row: &Row, values: &[Option<String>]) -> Result<Vec<String>, String> {
        let text = |(source, var): (&VarSource, &haulier_core::plan::Var)| {
            let text = match source {
                VarSource::Field(index) => values.get(*index).and_then(|json| text::plain(json.as_deref()?)),
                VarSource::Column(index) => row.values.get(*index).and_then(Value::key_text),
            };
            text.ok_or_else(|| format!("`{{{}}}` is NULL, so the request's path cannot be made", var.name))
        };
        self.vars.iter().zip(&self.entity.vars).map(text).collect()
    }

    /// A natural key with a NULL part identifies nothing, so it takes no part in the check for duplicates.
    fn natural_digest(&self, row: &Row, refs: &[Option<SourceKey>]) -> Option<Digest> {
        if self.natural.is_empty() {
            return None;
        }
        let mut digester = Digester::default();
        for part in &self.natural {
            match part {
                Natural::Column(index) => {
                    let text = row.values.get(*index).and_then(Value::key_text)?;
                    digester.part(&text::fold(&text, self.entity.fold));
                }
                Natural::Reference(index) => digester.part(refs.get(*index)?.as_ref()?.as_str()),
            }
        }
        Some(digester.finish())
    }
}

/// The parts of the natural key by name, if the path of a put is made of one of them: another key is another record then.
fn path_key(entity: &Entity) -> Option<Arc<str>> {
    let PushProgram::Put { write } = &entity.push else { return None };
    let column_of = |name: &str| {
        let field = entity.fields.iter().find(|field| field.name == name)?;
        if let FieldSource::Column { column, .. } = &field.source { Some(column.as_str()) } else { None }
    };
    let used = |part: &NaturalPart| {
        write.path.parts.iter().any(|place| match (place, part) {
            (Part::Var(at), NaturalPart::Column(column)) => entity.vars.get(*at).is_some_and(|var| {
                var.field.as_deref().map_or(Some(var.name.as_str()), column_of) == Some(column)
            }),
            (Part::Ref(at), NaturalPart::Reference { index, .. }) => at == index,
            (Part::Literal(_) | Part::OwnId | Part::Var(_) | Part::Ref(_), _) => false,
        })
    };
    let names = entity.natural_key.iter().map(|part| match part {
        NaturalPart::Column(column) => format!("`{column}`"),
        NaturalPart::Reference { index, column } => {
            format!(
                "`{}.{column}`",
                entity.refs.get(*index).map_or("", |reference| reference.entity.as_str())
            )
        }
    });
    entity.natural_key.iter().any(used).then(|| names.collect::<Vec<_>>().join(", ").into())
}

/// NULL members are written when any request of the program sends them; the others leave them out again.
fn wanted_nulls(push: &PushProgram) -> NullFields {
    let requests: Vec<_> = match push {
        PushProgram::Put { write } | PushProgram::Link { write } | PushProgram::Update { write } => {
            vec![write]
        }
        PushProgram::Create { create, update, .. } | PushProgram::LookupThenWrite { create, update, .. } => {
            std::iter::once(create).chain(update).collect()
        }
        PushProgram::Bulk(bulk) => vec![&bulk.write],
    };
    if requests.iter().any(|request| request.nulls == NullFields::Send) {
        NullFields::Send
    } else {
        NullFields::Omit
    }
}

fn shape(entity: &Entity) -> Vec<Member> {
    let mut members = Vec::new();
    for (index, field) in entity.fields.iter().enumerate() {
        place(&mut members, &field.name, index);
    }
    members
}

fn place(members: &mut Vec<Member>, name: &str, index: usize) {
    let Some((head, rest)) = name.split_once('.') else {
        members.push(Member::Field { name: name.to_owned(), index });
        return;
    };
    for member in members.iter_mut() {
        if let Member::Object { name, members } = member
            && name == head
        {
            return place(members, rest, index);
        }
    }
    let mut inner = Vec::new();
    place(&mut inner, rest, index);
    members.push(Member::Object { name: head.to_owned(), members: inner });
}

fn write_object(out: &mut String, members: &[Member], values: &[Option<String>], nulls: NullFields) {
    out.push('{');
    let mut first = true;
    let mut separate = |out: &mut String| {
        if !std::mem::take(&mut first) {
            out.push(',');
        }
    };
    for member in members {
        match member {
            Member::Field { name, index } => {
                let value = values.get(*index).and_then(Option::as_deref);
                if value.is_none() && nulls == NullFields::Omit {
                    continue;
                }
                separate(out);
                push_json_string(out, name);
                out.push(':');
                out.push_str(value.unwrap_or("null"));
            }
            Member::Object { name, members } => {
                separate(out);
                push_json_string(out, name);
                out.push(':');
                write_object(out, members, values, nulls);
            }
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests;
