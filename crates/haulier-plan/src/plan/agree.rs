//! The extract's columns looked up: what each comes from, and what it is.

use haulier_core::EntityName;
use haulier_core::plan::{
    Extract, ExtractColumn, ExtractFrom, FieldSource, Neutral, NeutralRules, Reference,
};

use super::assemble::through;
use super::book::Book;
use super::entity::EntityDraft;
use super::extract::ColumnDraft;
use super::scope::{self, Scope};
use crate::near;
use crate::node::Text;

/// A natural key may go through so many references.
const DEEPEST: usize = 8;

/// The agreed columns, the natural key's first; `None` where the entity has none.
pub(crate) fn extract<'d>(
    book: &Book<'_, 'd>,
    draft: &EntityDraft<'d>,
    scope: &Scope<'_, 'd>,
) -> Option<Extract> {
    // A list without any readable column was told where it is read.
    let at = draft.extract.at.filter(|_| !draft.extract.columns.is_empty())?;
    let refs: Vec<Reference> = draft.fields.refs.iter().filter_map(scope::reference).collect();
    let columns = draft.extract.columns.iter();
    let mut rest: Vec<ExtractColumn> =
        columns.filter_map(|column| agreed(book, draft, scope, &refs, column)).collect();
    if draft.natural_key.is_empty() {
        book.notes.hinted(
            at,
            format!(
                "`extract`: entity \"{}\" has no natural key to tell its records apart",
                draft.name.value
            ),
            "ids differ on both sides: give it a `natural_key`",
        );
        return None;
    }
    let mut columns = Vec::with_capacity(rest.len());
    for part in &draft.natural_key {
        match rest.iter().position(|column| column.name == part.value) {
            Some(found) => columns.push(rest.remove(found)),
            None if draft.extract.columns.iter().any(|column| column.name.value == part.value) => {}
            None => book.notes.hinted(
                at,
                format!("`extract` lacks \"{}\", a part of the natural key", part.value),
                "a record without its whole natural key cannot be found on the other side",
            ),
        }
    }
    let key = columns.len();
    columns.append(&mut rest);
    Some(Extract { columns, key })
}

fn agreed<'d>(
    book: &Book<'_, 'd>,
    draft: &EntityDraft<'d>,
    scope: &Scope<'_, 'd>,
    refs: &[Reference],
    column: &ColumnDraft<'d>,
) -> Option<ExtractColumn> {
    let name = column.name;
    let from = match from_row(draft, scope, name.value) {
        Some(from) => from,
        None if name.value.contains('.') => {
            let (index, part) = through(book, draft, refs, "extract", name)?;
            let reference = refs.get(index)?.clone();
            return parent(book, column, reference, part);
        }
        None => return stranger(book, draft, scope, name),
    };
    let (kind, rules) = declared(draft, column, &from);
    Some(ExtractColumn { name: name.value.to_owned(), from, kind, rules, at: column.at.clone() })
}

/// The field of that name, or the one that sends the column of that name, or else the column itself.
fn from_row(draft: &EntityDraft<'_>, scope: &Scope<'_, '_>, name: &str) -> Option<ExtractFrom> {
    let column = || scope.columns.iter().any(|column| column == name);
    field_of(draft, name)
        .map(ExtractFrom::Field)
        .or_else(|| column().then(|| ExtractFrom::Column(name.to_owned())))
}

fn field_of(draft: &EntityDraft<'_>, name: &str) -> Option<usize> {
    let fields = &draft.fields.plain;
    if let Some(index) = fields.iter().position(|(field, _)| field.value == name) {
        return Some(index);
    }
    let sends = |source: &FieldSource| matches!(source, FieldSource::Column { column, .. } if column == name);
    let mut sending = fields.iter().enumerate().filter(|(_, (_, field))| sends(&field.source));
    match (sending.next(), sending.next()) {
        (Some((index, _)), None) => Some(index),
        _ => None,
    }
}

fn declared(
    draft: &EntityDraft<'_>,
    column: &ColumnDraft<'_>,
    from: &ExtractFrom,
) -> (Option<Neutral>, NeutralRules) {
    let field = match from {
        ExtractFrom::Field(index) => draft.fields.plain.get(*index),
        ExtractFrom::Column(_) | ExtractFrom::Parent { .. } => None,
    };
    let kind = column.kind.clone().or_else(|| field?.1.neutral());
    (kind, column.rules.clone())
}

/// What stands for another record's id: its own extract says what that part is.
fn parent<'d>(
    book: &Book<'_, 'd>,
    column: &ColumnDraft<'d>,
    reference: Reference,
    part: &str,
) -> Option<ExtractColumn> {
    if column.is_declared() {
        book.notes.hinted(
            column.name.at,
            format!(
                "`extract`: \"{}\" is written as entity \"{}\" writes \"{part}\"",
                column.name.value, reference.entity
            ),
            format!("say it in the `extract` of \"{}\"; here only `at` has a meaning", reference.entity),
        );
    }
    let (kind, rules) = written(book, &reference.entity, part, column.name, DEEPEST)?;
    let from = ExtractFrom::Parent { reference, part: part.to_owned() };
    Some(ExtractColumn { name: column.name.value.to_owned(), from, kind, rules, at: column.at.clone() })
}

/// How an entity's extract writes a part of its natural key.
fn written<'d>(
    book: &Book<'_, 'd>,
    entity: &EntityName,
    part: &str,
    asked: Text<'d>,
    deeper: usize,
) -> Option<(Option<Neutral>, NeutralRules)> {
    let draft = book.find(entity.as_str()).and_then(|found| book.drafts.get(found))?;
    let Some(column) = draft.extract.columns.iter().find(|column| column.name.value == part) else {
        // Where it has an `extract` that lacks its natural key, that is told there.
        if draft.extract.at.is_none() {
            book.notes.hinted(
                asked.at,
                format!(
                    "`extract`: \"{}\" needs the records of entity \"{entity}\", which has no `extract`",
                    asked.value
                ),
                format!("give \"{entity}\" an `extract` of at least its natural key"),
            );
        }
        return None;
    };
    if let Some(index) = field_of(draft, part) {
        return Some(declared(draft, column, &ExtractFrom::Field(index)));
    }
    if !part.contains('.') || deeper == 0 {
        return Some(declared(draft, column, &ExtractFrom::Column(part.to_owned())));
    }
    let refs: Vec<Reference> = draft.fields.refs.iter().filter_map(scope::reference).collect();
    let (index, next) = through(book, draft, &refs, "extract", column.name)?;
    written(book, &refs.get(index)?.entity, next, asked, deeper - 1)
}

fn stranger<T>(
    book: &Book<'_, '_>,
    draft: &EntityDraft<'_>,
    scope: &Scope<'_, '_>,
    name: Text<'_>,
) -> Option<T> {
    let fields = draft.fields.names().map(|field| field.value);
    let natural = draft.natural_key.iter().map(|part| part.value);
    let known: Vec<&str> = fields.chain(natural).chain(scope.columns.iter().map(String::as_str)).collect();
    let near = near::nearest(name.value, known);
    book.notes.add_hinted(
        name.at,
        format!("`extract` names \"{}\", which is no field, column or natural key part here", name.value),
        near.map(|near| format!("did you mean \"{near}\"?")),
    );
    None
}
