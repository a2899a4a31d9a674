//! Entities, records and throttles for tests of targets.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use haulier_core::plan::{
    Entity, IdSource, KeyFold, Lookup, Method, NullFields, OrphanPolicy, Part, PushProgram, Reference,
    Relation, RequestSpec, Template, TenantPath, UnknownPolicy, Var, Verify,
};
use haulier_core::port::Throttle;
use haulier_core::{Digest, EntityName, Record, SourceKey};

/// An entity that is pushed by this program: two vars, no references, no rules, nothing verified.
///
/// # Panics
/// When `name` is not a name.
#[must_use]
#[expect(clippy::expect_used, reason = "the name stands in a test")]
pub fn entity(name: &str, push: PushProgram) -> Entity {
    let var = |name: &str| Var { name: name.to_owned(), field: Some(name.to_owned()) };
    Entity {
        name: EntityName::new(name).expect("the test's entity has no proper name"),
        relation: Relation::Table { schema: None, name: name.to_owned() },
        key: vec!["id".to_owned()],
        filters: Vec::new(),
        generation: None,
        tenant: TenantPath::None,
        orphans: OrphanPolicy::Skip,
        columns: vec!["id".to_owned()],
        natural_key: Vec::new(),
        fold: KeyFold { trim: false, case: false },
        fields: Vec::new(),
        refs: Vec::new(),
        vars: vec![var("v0"), var("v1")],
        push,
        outcomes: Vec::new(),
        verify: Verify::None,
        unknown: UnknownPolicy::Hold,
        target_unique: true,
        deferred_of: None,
        listing: None,
        stored: None,
        extract: None,
    }
}

/// A reference field, written into the body as a string.
///
/// # Panics
/// When `entity` is not a name.
#[must_use]
#[expect(clippy::expect_used, reason = "the name stands in a test")]
pub fn reference(field: &str, entity: &str) -> Reference {
    Reference {
        field: field.to_owned(),
        entity: EntityName::new(entity).expect("the test's entity has no proper name"),
        by: vec![field.to_owned()],
        in_body: true,
        numeric: false,
    }
}

/// A request that sends all fields as JSON and reads the id at `/id`.
#[must_use]
pub fn request(method: Method, path: &str) -> RequestSpec {
    RequestSpec {
        method,
        path: template(path),
        wrap: None,
        constants: Vec::new(),
        only: Vec::new(),
        nulls: NullFields::Omit,
        media_type: None,
        headers: Vec::new(),
        id: Some(IdSource::Pointer("/id".to_owned())),
        empty: false,
    }
}

/// A GET lookup whose candidates stand at `/items` with their id at `/id`.
#[must_use]
pub fn lookup(path: &str, matches: &[(&str, &str)]) -> Lookup {
    Lookup {
        method: Method::Get,
        path: template(path),
        body: None,
        items: Some("/items".to_owned()),
        matches: matches.iter().map(|(field, at)| ((*field).to_owned(), (*at).to_owned())).collect(),
        id: IdSource::Pointer("/id".to_owned()),
    }
}

/// A template: `{v0}` is the first var, `{r0}` the first reference, `{id}` the record's own target id.
#[must_use]
pub fn template(text: &str) -> Template {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        let place = from.split_once('}').and_then(|(name, after)| {
            let index = name.get(1..).and_then(|index| index.parse().ok());
            let part = match (name.get(..1), index) {
                (Some("v"), Some(index)) => Part::Var(index),
                (Some("r"), Some(index)) => Part::Ref(index),
                _ if name == "id" => Part::OwnId,
                _ => return None,
            };
            Some((part, after))
        });
        if let Some((part, after)) = place {
            literal(&mut parts, before);
            parts.push(part);
            rest = after;
        } else {
            literal(&mut parts, before);
            literal(&mut parts, "{");
            rest = from;
        }
    }
    literal(&mut parts, rest);
    Template { parts }
}

fn literal(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(Part::Literal(last)) => last.push_str(text),
        Some(Part::Var(_) | Part::Ref(_) | Part::OwnId) | None => parts.push(Part::Literal(text.to_owned())),
    }
}

/// A record with this key, body and these vars.
#[must_use]
pub fn record(key: &str, body: &str, vars: &[&str]) -> Record {
    Record {
        key: SourceKey::from_parts(&[key]),
        tenant: None,
        generation: 0,
        hash: Digest([0; 16]),
        body: body.to_owned(),
        vars: vars.iter().map(|text| (*text).to_owned()).collect(),
        refs: Vec::new(),
    }
}

/// A throttle that lets everything through and counts.
#[derive(Debug, Default)]
pub struct CountingThrottle(AtomicUsize);

impl CountingThrottle {
    /// How many requests it let through.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Throttle for CountingThrottle {
    async fn pass(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
