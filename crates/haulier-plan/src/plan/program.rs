//! The push program of an entity, with its names looked up and its requests checked.

use haulier_core::plan::{BulkWrite, IdSource, Lookup, Method, Part, PushProgram, RequestSpec};

use super::push::{IdDraft, LookupDraft, PushDraft, PushShape, RequestDraft};
use super::scope::Scope;
use super::template::TemplateDraft;
use crate::near;
use crate::notes::Notes;

/// Builds the program of an entity.
pub(crate) fn of<'d>(notes: &'d Notes<'d>, scope: &mut Scope<'_, 'd>, draft: &PushDraft<'d>) -> PushProgram {
    let mut write = request(notes, scope, &draft.write, None);
    let lookup = draft.lookup.as_ref().map(|draft| lookup(notes, scope, draft));
    let has_deferred = scope.draft.fields.refs.iter().any(|reference| reference.deferred);
    match draft.shape {
        PushShape::Put | PushShape::Link | PushShape::Bulk => {
            if let (Some(update), false) = (&draft.update, has_deferred) {
                notes.hinted(
                    update.at,
                    "nothing uses this `update`",
                    "in this shape only deferred references are sent by it",
                );
            }
        }
        PushShape::Create | PushShape::LookupThenWrite => {}
    }
    let update = match draft.shape {
        PushShape::Put | PushShape::Link | PushShape::Bulk => None,
        PushShape::Create | PushShape::LookupThenWrite => {
            draft.update.as_ref().map(|draft| update(notes, scope, draft, &Part::OwnId))
        }
    };
    if draft.shape != PushShape::Bulk && !draft.write.names_id {
        let example = match draft.shape {
            PushShape::Link => made_of_refs(scope),
            PushShape::Put | PushShape::Create | PushShape::LookupThenWrite | PushShape::Bulk => {
                "`id = \"/id\"` is a JSON pointer into the reply; or `id = \"location\"`".to_owned()
            }
        };
        let message = "the request does not say where the record's id comes from: it lacks `id`";
        notes.hinted(draft.write.at, message, example);
    }
    match draft.shape {
        PushShape::Put => {
            if !draft.write.path.has_place() {
                notes.hinted(
                    draft.write.path.at,
                    "a `put` path must hold the record's own key, or every record is written to one address",
                    "such as \"/accounts/{external_id}\"",
                );
            }
            PushProgram::Put { write }
        }
        PushShape::Link => {
            if scope.refs.is_empty() {
                notes.hinted(
                    draft.at,
                    "a `link` joins records, but the entity has no reference field",
                    "`{ ref = \"user\", by = \"user_id\" }`",
                );
            }
            PushProgram::Link { write }
        }
        PushShape::Create => PushProgram::Create { create: write, lookup, update },
        PushShape::LookupThenWrite => match lookup {
            Some(lookup) => PushProgram::LookupThenWrite { lookup, create: write, update },
            None => PushProgram::Create { create: write, lookup, update },
        },
        PushShape::Bulk => {
            if draft.write.path.has_place() {
                notes.add(
                    draft.write.path.at,
                    "a `bulk` path holds many records, so it has no `{place}` of one",
                );
            }
            write.id = None;
            match &draft.bulk {
                Some((max, results)) => {
                    PushProgram::Bulk(BulkWrite { write, max: *max, results: results.clone() })
                }
                None => PushProgram::Put { write },
            }
        }
    }
}

/// Whether the program's records can be read again: through a lookup, or by GET on a path that is written by key.
pub(crate) fn can_reread(draft: &PushDraft<'_>) -> bool {
    let by_key = |request: &RequestDraft<'_>| matches!(request.method, Method::Put | Method::Patch);
    match draft.shape {
        PushShape::Put | PushShape::Link => by_key(&draft.write),
        PushShape::Create => draft.lookup.is_some() || draft.update.as_ref().is_some_and(by_key),
        PushShape::LookupThenWrite => true,
        PushShape::Bulk => false,
    }
}

/// Builds an update; `own` is what `{id}` stands for.
pub(crate) fn update<'d>(
    notes: &'d Notes<'d>,
    scope: &mut Scope<'_, 'd>,
    draft: &RequestDraft<'d>,
    own: &Part,
) -> RequestSpec {
    let request = request(notes, scope, draft, Some(own));
    if !draft.path.has_place() {
        notes.hinted(
            draft.path.at,
            "an `update` path must say which record is meant",
            "`{id}` is the record's id in the target: \"/accounts/{id}\"",
        );
    }
    request
}

fn request<'d>(
    notes: &'d Notes<'d>,
    scope: &mut Scope<'_, 'd>,
    draft: &RequestDraft<'d>,
    own: Option<&Part>,
) -> RequestSpec {
    let path = scope.template(&draft.path, own);
    let headers =
        draft.headers.iter().map(|(name, value)| (name.clone(), scope.template(value, own))).collect();
    let id = draft.id.as_ref().map(|id| id_source(scope, id, own));
    for (name, _) in &draft.constants {
        if scope.sends(name.value) {
            notes.add(name.at, format!("`constants` and `fields` both set \"{}\"", name.value));
        }
    }
    for name in &draft.only {
        let all: Vec<&str> = scope.draft.fields.names().map(|field| field.value).collect();
        if !all.contains(&name.value) {
            notes.add_hinted(
                name.at,
                format!(
                    "`only` names \"{}\", which is not a field of entity \"{}\"",
                    name.value, scope.draft.name.value
                ),
                near::hint(name.value, &all, "fields"),
            );
        }
    }
    RequestSpec {
        method: draft.method,
        path,
        wrap: draft.wrap.clone(),
        constants: draft.constants.iter().map(|(name, json)| (name.value.to_owned(), json.clone())).collect(),
        only: super::book::owned(&draft.only),
        nulls: draft.nulls,
        media_type: draft.media_type.clone(),
        headers,
        id,
        empty: draft.empty,
    }
}

fn id_source<'d>(scope: &mut Scope<'_, 'd>, draft: &IdDraft<'d>, own: Option<&Part>) -> IdSource {
    match draft {
        IdDraft::Pointer(pointer) => IdSource::Pointer(pointer.clone()),
        IdDraft::Header(name) => IdSource::Header(name.clone()),
        IdDraft::Location => IdSource::Location,
        IdDraft::Made(template) => IdSource::Made(scope.template(template, own)),
    }
}

fn lookup<'d>(notes: &'d Notes<'d>, scope: &mut Scope<'_, 'd>, draft: &LookupDraft<'d>) -> Lookup {
    let path = scope.template(&draft.path, None);
    let body = draft.body.as_ref().map(|body| scope.template(body, None));
    if !draft.path.has_place() && !draft.body.as_ref().is_some_and(TemplateDraft::has_place) {
        notes.hinted(
            draft.at,
            "a lookup without a `{place}` asks the same question for every record",
            "such as `path = \"/users?email={email}\"`",
        );
    }
    if draft.method == Method::Post && draft.body.is_none() {
        notes.add(draft.at, "a lookup by POST lacks `body`");
    }
    for (field, _) in &draft.matches {
        if !scope.sends(field.value) {
            let all: Vec<&str> = scope.draft.fields.names().map(|field| field.value).collect();
            notes.add_hinted(
                field.at,
                format!(
                    "`match` names \"{}\", which is not a field of entity \"{}\"",
                    field.value, scope.draft.name.value
                ),
                near::hint(field.value, &all, "fields"),
            );
        }
    }
    Lookup {
        method: draft.method,
        path,
        body,
        items: draft.items.clone(),
        matches: draft.matches.iter().map(|(field, at)| (field.value.to_owned(), at.clone())).collect(),
        id: id_source(scope, &draft.id, None),
    }
}

/// What a link's id may look like.
fn made_of_refs(scope: &Scope<'_, '_>) -> String {
    let places: Vec<String> = scope.refs.iter().map(|reference| format!("{{{}}}", reference.field)).collect();
    format!("a link without an id of its own: `id = {{ made = \"{}\" }}`", places.join(":"))
}
