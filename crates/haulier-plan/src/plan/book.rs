//! All entities of a plan together: who refers to whom, who is whose parent, and which tenant that makes.

use haulier_core::EntityName;
use haulier_core::plan::TenantPath;

use super::entity::EntityDraft;
use super::field::RefDraft;
use crate::near;
use crate::node::Text;
use crate::notes::Notes;

/// The entities, with what only all of them can tell.
#[derive(Debug)]
pub(crate) struct Book<'p, 'd> {
    pub(crate) notes: &'d Notes<'d>,
    pub(crate) drafts: &'p [EntityDraft<'d>],
    tenant: Option<Text<'d>>,
}

impl<'p, 'd> Book<'p, 'd> {
    pub(crate) fn new(notes: &'d Notes<'d>, drafts: &'p [EntityDraft<'d>], tenant: Option<Text<'d>>) -> Self {
        Self { notes, drafts, tenant }
    }

    /// The position of an entity.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.drafts.iter().position(|draft| draft.name.value == name)
    }

    fn names(&self) -> Vec<&'d str> {
        self.drafts.iter().map(|draft| draft.name.value).collect()
    }

    /// Notes what is wrong between entities, the order apart.
    pub(crate) fn check(&self) {
        for (index, draft) in self.drafts.iter().enumerate() {
            if self.find(draft.name.value) != Some(index) {
                self.notes.add(draft.name.at, format!("there is another entity \"{}\"", draft.name.value));
            }
            for reference in &draft.fields.refs {
                self.check_reference(draft, reference);
            }
        }
        self.check_tenants();
    }

    fn check_reference(&self, draft: &EntityDraft<'d>, reference: &RefDraft<'d>) {
        let name = draft.name.value;
        let Some(referenced) = self.find(reference.entity.value).and_then(|found| self.drafts.get(found))
        else {
            self.notes.add_hinted(
                reference.entity.at,
                format!(
                    "entity \"{name}\" refers to \"{}\", which the plan does not have",
                    reference.entity.value
                ),
                near::hint(reference.entity.value, &self.names(), "entities"),
            );
            return;
        };
        let key = &referenced.source.key;
        let both_known = !key.is_empty() && !reference.by.is_empty();
        if both_known && key.len() != reference.by.len() {
            let columns: Vec<&str> = key.iter().map(|column| column.value).collect();
            self.notes.hinted(
                reference.entity.at,
                format!(
                    "field \"{}\" of entity \"{name}\" holds a key of {} column(s), but the key of \"{}\" has {}",
                    reference.field.value,
                    reference.by.len(),
                    referenced.name.value,
                    key.len()
                ),
                format!("`by` must name, in this order, the columns here that hold: {}", columns.join(", ")),
            );
        }
    }

    fn check_tenants(&self) {
        let Some(tenant) = self.tenant else { return };
        let Some(root) = self.find(tenant.value) else {
            if !self.drafts.is_empty() {
                self.notes.add_hinted(
                    tenant.at,
                    format!("`tenant` is \"{}\", which the plan does not have", tenant.value),
                    near::hint(tenant.value, &self.names(), "entities"),
                );
            }
            return;
        };
        for (index, draft) in self.drafts.iter().enumerate() {
            if let (true, Some(parent)) = (index == root, draft.parent) {
                self.notes.add(
                    parent.at,
                    format!("entity \"{}\" is the tenant itself, so it has no parent", draft.name.value),
                );
            }
            if draft.parent.is_some() && index != root {
                self.check_path(index);
            }
            if draft.parent.is_none() && index != root {
                self.check_shared(draft);
            }
        }
    }

    /// A path of parents must end at the tenant.
    fn check_path(&self, from: usize) {
        let mut seen = vec![from];
        let mut at = from;
        while let Some(draft) = self.drafts.get(at) {
            let Some(parent) = draft.parent else {
                if !self.is_tenant(draft) {
                    let first = self.drafts.get(from).and_then(|draft| draft.parent);
                    self.notes.hinted(
                        first.map_or(draft.name.at, |parent| parent.at),
                        format!(
                            "the parents lead to \"{}\", which is not the tenant and has no parent",
                            draft.name.value
                        ),
                        format!("give \"{}\" a `parent`, or drop this one", draft.name.value),
                    );
                }
                return;
            };
            if self.is_tenant(draft) {
                return;
            }
            let Some((_, next)) = self.parent_of(draft, at == from) else { return };
            if seen.contains(&next) {
                self.notes.add(parent.at, "the parents run in a circle and never reach the tenant");
                return;
            }
            seen.push(next);
            at = next;
        }
    }

    /// Shared records move before all tenants, so they cannot refer to a tenant's.
    fn check_shared(&self, draft: &EntityDraft<'d>) {
        for reference in &draft.fields.refs {
            let owned = self
                .find(reference.entity.value)
                .and_then(|found| self.drafts.get(found))
                .is_some_and(|other| other.parent.is_some() || self.is_tenant(other));
            if owned {
                self.notes.hinted(
                    reference.entity.at,
                    format!(
                        "entity \"{}\" has no parent, so it moves before all tenants, but it refers to \"{}\", which belongs to one",
                        draft.name.value, reference.entity.value
                    ),
                    format!("add `parent = \"{}\"`", reference.entity.value),
                );
                return;
            }
        }
    }

    fn is_tenant(&self, draft: &EntityDraft<'d>) -> bool {
        self.tenant.is_some_and(|tenant| tenant.value == draft.name.value)
    }

    /// The reference that leads to the parent, and the parent's position. `parent` names the parent entity, or the
    /// reference field where several lead to the same entity.
    fn parent_of(&self, draft: &'p EntityDraft<'d>, tell: bool) -> Option<(&'p RefDraft<'d>, usize)> {
        let parent = draft.parent?;
        let by_field = draft.fields.refs.iter().filter(|reference| reference.field.value == parent.value);
        let by_entity: Vec<_> =
            draft.fields.refs.iter().filter(|reference| reference.entity.value == parent.value).collect();
        let told = |message: String, hint: Option<String>| {
            if tell {
                self.notes.add_hinted(parent.at, message, hint);
            }
            None
        };
        let candidates = if by_entity.is_empty() { by_field.collect() } else { by_entity };
        match candidates.as_slice() {
            [only] => Some((*only, self.find(only.entity.value)?)),
            [] if self.has_lost_references(draft) => None,
            [] if self.find(parent.value).is_none() => told(
                format!(
                    "the parent of entity \"{}\" is \"{}\", which the plan does not have",
                    draft.name.value, parent.value
                ),
                near::hint(parent.value, &self.names(), "entities"),
            ),
            [] => told(
                format!(
                    "entity \"{}\" has no reference field that leads to its parent \"{}\"",
                    draft.name.value, parent.value
                ),
                Some(format!(
                    "add a field `{{ ref = \"{}\", by = \"...\" }}`, with `in_body = false` if the target does not want it",
                    parent.value
                )),
            ),
            [first, ..] => told(
                format!(
                    "entity \"{}\" refers to its parent \"{}\" by several fields",
                    draft.name.value, parent.value
                ),
                Some(format!("name the field instead: `parent = \"{}\"`", first.field.value)),
            ),
        }
    }

    /// Whether a reference of the entity is wrong in itself, which is told where it stands.
    pub(crate) fn has_lost_references(&self, draft: &EntityDraft<'d>) -> bool {
        draft.fields.lost
            || draft.fields.refs.iter().any(|reference| self.find(reference.entity.value).is_none())
    }

    /// How an entity's tenant is found.
    pub(crate) fn tenant_path(&self, draft: &EntityDraft<'d>) -> TenantPath {
        let index = self.find(draft.name.value);
        index.map_or(TenantPath::None, |index| self.path_from(index, self.drafts.len()))
    }

    fn path_from(&self, index: usize, steps_left: usize) -> TenantPath {
        let Some(draft) = self.drafts.get(index) else { return TenantPath::None };
        if self.is_tenant(draft) {
            return TenantPath::Own;
        }
        let Some((reference, next)) = self.parent_of(draft, false) else { return TenantPath::None };
        let (Some(parent), Ok(entity)) = (self.drafts.get(next), EntityName::new(reference.entity.value))
        else {
            return TenantPath::None;
        };
        if steps_left == 0 {
            return TenantPath::None;
        }
        TenantPath::Parent {
            entity,
            relation: parent.source.relation.clone(),
            key: owned(&parent.source.key),
            by: owned(&reference.by),
            next: Box::new(self.path_from(next, steps_left - 1)),
        }
    }
}

/// The texts without their places.
pub(crate) fn owned(texts: &[Text<'_>]) -> Vec<String> {
    texts.iter().map(|text| text.value.to_owned()).collect()
}
