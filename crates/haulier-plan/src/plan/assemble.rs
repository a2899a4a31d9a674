//! Drafts become entities: natural keys, programs, and one more entity for each deferred reference.

use haulier_core::EntityName;
use haulier_core::plan::{
    Entity, Filter, KeyFold, Method, NaturalPart, NullFields, Part, PushProgram, Reference, UnknownPolicy,
    Verify,
};

use super::book::{Book, owned};
use super::entity::EntityDraft;
use super::field::RefDraft;
use super::scope::Scope;
use super::{agree, program};
use crate::near;
use crate::node::Text;

/// All entities in this order, the deferred ones last. `None` where one of them cannot be built.
pub(crate) fn all<'d>(book: &Book<'_, 'd>, order: &[usize]) -> Option<Vec<Entity>> {
    let drafts: Vec<&EntityDraft<'d>> = order.iter().filter_map(|index| book.drafts.get(*index)).collect();
    // Every entity is tried, so that the mistakes of all of them are told.
    let built: Vec<Option<Entity>> = drafts.iter().map(|draft| entity(book, draft)).collect();
    let mut entities: Vec<Entity> = built.into_iter().collect::<Option<_>>()?;
    for draft in drafts {
        for late in draft.fields.refs.iter().filter(|reference| reference.deferred) {
            entities.push(deferred(book, draft, late)?);
        }
    }
    Some(entities)
}

fn entity<'d>(book: &Book<'_, 'd>, draft: &EntityDraft<'d>) -> Option<Entity> {
    let mut scope = Scope::whole(book.notes, draft);
    let push = draft.push.as_ref().map(|push| program::of(book.notes, &mut scope, push));
    let natural_key = draft
        .natural_key
        .iter()
        .filter_map(|part| natural_part(book, &scope, "natural_key", *part))
        .collect();
    check_deferred(book, draft);
    check_verify(book, draft);
    let extract = agree::extract(book, draft, &scope);
    Some(Entity {
        name: EntityName::new(draft.name.value).ok()?,
        relation: draft.source.relation.clone(),
        key: owned(&draft.source.key),
        filters: draft.source.filters.clone(),
        generation: draft.source.generation.map(|column| column.value.to_owned()),
        tenant: book.tenant_path(draft),
        orphans: draft.orphans.clone(),
        columns: scope.columns,
        natural_key,
        fold: draft.fold,
        fields: scope.fields,
        refs: scope.refs,
        vars: scope.vars,
        push: push?,
        outcomes: draft.outcomes.clone(),
        verify: draft.verify,
        unknown: draft.unknown,
        target_unique: draft.target_unique,
        deferred_of: None,
        listing: draft.listing.clone(),
        stored: draft.stored.clone(),
        extract,
    })
}

fn natural_part<'d>(
    book: &Book<'_, 'd>,
    scope: &Scope<'_, 'd>,
    list: &str,
    part: Text<'d>,
) -> Option<NaturalPart> {
    if !part.value.contains('.') {
        return Some(NaturalPart::Column(part.value.to_owned()));
    }
    let (index, column) = through(book, scope.draft, &scope.refs, list, part)?;
    Some(NaturalPart::Reference { index, column: column.to_owned() })
}

/// The reference that `entity.column` (or `field.column`) goes through, and the column; `list` is the key that names it.
pub(crate) fn through<'d>(
    book: &Book<'_, 'd>,
    draft: &EntityDraft<'d>,
    refs: &[Reference],
    list: &str,
    part: Text<'d>,
) -> Option<(usize, &'d str)> {
    let (through, column) = part.value.split_once('.')?;
    let told = |message: String, hint: Option<String>| {
        book.notes.add_hinted(part.at, message, hint);
        None
    };
    let by_entity = refs.iter().enumerate().filter(|(_, reference)| reference.entity.as_str() == through);
    let by_field = refs.iter().enumerate().filter(|(_, reference)| reference.field == through);
    let mut candidates: Vec<_> = by_entity.collect();
    if candidates.is_empty() {
        candidates = by_field.collect();
    }
    let (index, reference) = match candidates.as_slice() {
        [only] => *only,
        [] if book.has_lost_references(draft) => return None,
        [] => {
            let names: Vec<&str> =
                refs.iter().flat_map(|found| [found.entity.as_str(), found.field.as_str()]).collect();
            return told(
                format!(
                    "`{list}`: \"{}\" goes through \"{through}\", to which entity \"{}\" has no reference",
                    part.value, draft.name.value
                ),
                near::hint(through, &names, "references"),
            );
        }
        [(_, first), ..] => {
            return told(
                format!("`{list}`: \"{}\" could go through several references to \"{through}\"", part.value),
                Some(format!("name the field instead: \"{}.{column}\"", first.field)),
            );
        }
    };
    let other = book.find(reference.entity.as_str()).and_then(|found| book.drafts.get(found))?;
    let known: Vec<&str> = other.natural_key.iter().map(|part| part.value).collect();
    if !known.contains(&column) {
        return told(
            format!("`{list}`: \"{column}\" is not in the natural key of entity \"{}\"", reference.entity),
            if known.is_empty() {
                Some(format!("give entity \"{}\" a `natural_key`", reference.entity))
            } else {
                near::hint(column, &known, "its natural key")
            },
        );
    }
    Some((index, column))
}

fn check_deferred(book: &Book<'_, '_>, draft: &EntityDraft<'_>) {
    let lacks_update = draft.push.as_ref().is_some_and(|push| push.update.is_none());
    for late in draft.fields.refs.iter().filter(|reference| reference.deferred && lacks_update) {
        book.notes.hinted(
            late.field.at,
            format!("field \"{}\" is deferred, but the push has no `update` to send it by", late.field.value),
            "add `update = { path = \"/.../{id}\" }` to `push`",
        );
    }
}

fn check_verify(book: &Book<'_, '_>, draft: &EntityDraft<'_>) {
    let Some(push) = &draft.push else { return };
    if draft.verify == Verify::Reread && !program::can_reread(push) {
        book.notes.hinted(
            draft.verify_at,
            "`verify = \"reread\"` has no way to read a record again",
            "it takes a `lookup`, or a write by PUT or PATCH to the record's own path; `echo` compares the reply",
        );
    }
}

/// The update that sends a deferred reference once both records exist.
fn deferred(book: &Book<'_, '_>, draft: &EntityDraft<'_>, late: &RefDraft<'_>) -> Option<Entity> {
    let name = format!("{}.{}", draft.name.value, late.field.value);
    let name = match EntityName::new(&name) {
        Ok(name) => name,
        Err(error) => {
            book.notes
                .add(late.field.at, format!("a deferred field becomes an entity of its own, and {error}"));
            return None;
        }
    };
    let mut scope = Scope::deferred(book.notes, draft, late)?;
    let update = draft.push.as_ref()?.update.as_ref()?;
    let mut write = program::update(book.notes, &mut scope, update, &Part::Ref(0));
    let verify = match (draft.verify, write.method) {
        (Verify::Reread, Method::Put | Method::Patch) => Verify::Reread,
        (Verify::None, _) => Verify::None,
        (Verify::Reread | Verify::Echo, _) => Verify::Echo,
    };
    write.only = vec![late.field.value.to_owned()];
    // An emptied reference is sent as null. A path cannot say it, nor can a request without a body.
    let told = !write.empty && !write.path.parts.iter().any(|part| matches!(part, Part::Ref(at) if *at > 0));
    if told {
        write.nulls = NullFields::Send;
    }
    let set = late.by.iter().filter(|_| !told).map(|column| Filter::NotNull(column.value.to_owned()));
    Some(Entity {
        name,
        relation: draft.source.relation.clone(),
        key: owned(&draft.source.key),
        filters: draft.source.filters.iter().cloned().chain(set).collect(),
        generation: draft.source.generation.map(|column| column.value.to_owned()),
        tenant: book.tenant_path(draft),
        orphans: draft.orphans.clone(),
        columns: scope.columns,
        natural_key: Vec::new(),
        fold: KeyFold { trim: false, case: false },
        fields: scope.fields,
        refs: scope.refs,
        vars: scope.vars,
        push: PushProgram::Update { write },
        outcomes: draft.outcomes.clone(),
        verify,
        // The same update twice is the same record.
        unknown: UnknownPolicy::Resend,
        target_unique: draft.target_unique,
        deferred_of: Some(EntityName::new(draft.name.value).ok()?),
        listing: None,
        stored: None,
        extract: None,
    })
}
