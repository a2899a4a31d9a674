//! What the names in an entity's templates stand for.

use haulier_core::EntityName;
use haulier_core::plan::{Field, FieldSource, Part, Reference, Template, Var};

use super::book::owned;
use super::entity::EntityDraft;
use super::field::RefDraft;
use super::template::{Piece, TemplateDraft};
use crate::near;
use crate::node::Text;
use crate::notes::Notes;

/// The names of one entity, and what its program turns out to need of them.
#[derive(Debug)]
pub(crate) struct Scope<'p, 'd> {
    notes: &'d Notes<'d>,
    pub(crate) draft: &'p EntityDraft<'d>,
    /// What is sent or named by templates.
    pub(crate) fields: Vec<Field>,
    pub(crate) refs: Vec<Reference>,
    pub(crate) vars: Vec<Var>,
    /// What is read for that.
    pub(crate) columns: Vec<String>,
    /// Every column that the plan names for the entity.
    known: Vec<String>,
}

impl<'p, 'd> Scope<'p, 'd> {
    /// For the entity itself: all its fields, all its references that are not deferred.
    pub(crate) fn whole(notes: &'d Notes<'d>, draft: &'p EntityDraft<'d>) -> Self {
        let known = columns_of(draft);
        Self {
            notes,
            draft,
            fields: draft.fields.plain.iter().map(|(_, field)| field.clone()).collect(),
            refs: draft
                .fields
                .refs
                .iter()
                .filter(|reference| !reference.deferred)
                .filter_map(reference)
                .collect(),
            vars: Vec::new(),
            columns: known.clone(),
            known,
        }
    }

    /// For one deferred reference of the entity: first the record itself, then the reference; the rest as it is needed.
    pub(crate) fn deferred(
        notes: &'d Notes<'d>,
        draft: &'p EntityDraft<'d>,
        late: &RefDraft<'d>,
    ) -> Option<Self> {
        let own = Reference {
            field: OWN_ID.to_owned(),
            entity: EntityName::new(draft.name.value).ok()?,
            by: owned(&draft.source.key),
            in_body: false,
            numeric: false,
        };
        let mut scope = Self {
            notes,
            draft,
            fields: Vec::new(),
            refs: vec![own, reference(late)?],
            vars: Vec::new(),
            columns: Vec::new(),
            known: columns_of(draft),
        };
        for column in draft.source.key.iter().chain(&late.by).chain(&draft.source.generation) {
            scope.read(column.value);
        }
        Some(scope)
    }

    fn read(&mut self, column: &str) {
        push_new(&mut self.columns, column);
    }

    /// Looks the names of a template up. `own` is what `{id}` stands for where the record's id is known.
    pub(crate) fn template(&mut self, draft: &TemplateDraft<'d>, own: Option<&Part>) -> Template {
        let mut parts = Vec::with_capacity(draft.pieces.len());
        for piece in &draft.pieces {
            match piece {
                Piece::Literal(text) => parts.push(Part::Literal(text.clone())),
                Piece::Place(name) => match own {
                    Some(part) if name.value == OWN_ID => parts.push(part.clone()),
                    _ => parts.extend(self.place(*name)),
                },
            }
        }
        Template { parts }
    }

    fn place(&mut self, name: Text<'d>) -> Option<Part> {
        if let Some(index) = self.refs.iter().position(|reference| reference.field == name.value) {
            return Some(Part::Ref(index));
        }
        if let Some(late) =
            self.draft.fields.refs.iter().find(|reference| reference.field.value == name.value)
        {
            return self.further_ref(name, late);
        }
        let field = self.draft.fields.plain.iter().find(|(field, _)| field.value == name.value);
        if let Some((_, field)) = field {
            if !self.fields.contains(field) {
                self.fields.push(field.clone());
            }
            if let FieldSource::Column { column, .. } = &field.source {
                self.read(column);
            }
            return Some(self.var(name.value, Some(name.value)));
        }
        if self.known.iter().any(|column| column == name.value) {
            self.read(name.value);
            return Some(self.var(name.value, None));
        }
        self.unknown(name);
        None
    }

    /// A reference that the entity's own list does not hold (yet).
    fn further_ref(&mut self, name: Text<'d>, draft: &RefDraft<'d>) -> Option<Part> {
        if draft.deferred {
            self.notes.hinted(
                name.at,
                format!(
                    "`{{{}}}` is a deferred reference, which is not known yet when this is sent",
                    name.value
                ),
                "deferred references are known to their own update only",
            );
            return None;
        }
        for column in &draft.by {
            self.read(column.value);
        }
        let found = Reference { in_body: false, ..reference(draft)? };
        self.refs.push(found);
        Some(Part::Ref(self.refs.len() - 1))
    }

    fn var(&mut self, name: &str, field: Option<&str>) -> Part {
        let known = self.vars.iter().position(|var| var.name == name);
        Part::Var(known.unwrap_or_else(|| {
            self.vars.push(Var { name: name.to_owned(), field: field.map(str::to_owned) });
            self.vars.len() - 1
        }))
    }

    fn unknown(&self, name: Text<'d>) {
        let entity = self.draft.name.value;
        let message =
            format!("`{{{}}}` is neither a field nor a known column of entity \"{entity}\"", name.value);
        if name.value == OWN_ID {
            self.notes.hinted(
                name.at,
                message,
                "the record's own id in the target is known to `update` only",
            );
            return;
        }
        let names = self.draft.fields.names().map(|field| field.value);
        let near = near::nearest(name.value, names.chain(self.known.iter().map(String::as_str)));
        self.notes.hinted(
            name.at,
            message,
            match near {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!(
                    "a column that only templates need is named in `source.columns = [\"{}\"]`",
                    name.value
                ),
            },
        );
    }

    /// Whether the entity sends something under this name.
    pub(crate) fn sends(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
            || self.refs.iter().any(|reference| reference.field == name)
    }
}

/// The name that stands for the record's own id in the target.
const OWN_ID: &str = "id";

/// A reference as the plan's types hold it.
pub(crate) fn reference(draft: &RefDraft<'_>) -> Option<Reference> {
    Some(Reference {
        field: draft.field.value.to_owned(),
        entity: EntityName::new(draft.entity.value).ok()?,
        by: owned(&draft.by),
        in_body: draft.in_body,
        numeric: draft.numeric,
    })
}

fn push_new(columns: &mut Vec<String>, column: &str) {
    if !columns.iter().any(|known| known == column) {
        columns.push(column.to_owned());
    }
}

/// Every column that the plan names for the entity, each once, the key first.
fn columns_of(draft: &EntityDraft<'_>) -> Vec<String> {
    let mut columns = Vec::new();
    let source = &draft.source;
    let of_refs = draft.fields.refs.iter().flat_map(|reference| &reference.by);
    let natural = draft.natural_key.iter().filter(|part| !part.value.contains('.'));
    let named = source.key.iter().chain(of_refs).chain(natural);
    for column in named.chain(&source.columns).chain(&source.generation) {
        push_new(&mut columns, column.value);
    }
    for (_, field) in &draft.fields.plain {
        if let FieldSource::Column { column, .. } = &field.source {
            push_new(&mut columns, column);
        }
    }
    columns
}
