//! The natural keys that some rows of the source need, asked for by key: for a few rows of a large source.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use haulier_core::port::Source;
use haulier_core::{EntityName, SourceKey};

use crate::SidesError;
use crate::agree::Agreed;
use crate::entry::Entry;
use crate::naturals::{DEEPEST, Id, Item, Naturals, key_of};
use crate::source::as_mapped;

/// Ids by the entity that they are of.
type Wanted = BTreeMap<EntityName, BTreeSet<String>>;

/// What these rows of an entity refer to, and what that refers to for its own natural keys and tenants. `all` are the entities
/// with an extract.
pub(crate) async fn parents(
    source: &dyn Source,
    all: &[Arc<Agreed>],
    agreed: &Agreed,
    items: &[Item<'_>],
) -> Result<Naturals, SidesError> {
    let mut naturals = Naturals::new(usize::MAX, haulier_validator::sort::SortOptions::default());
    let mut wanted = Wanted::new();
    items.iter().for_each(|item| note(agreed, item, &mut wanted));
    let mut gathered = BTreeMap::new();
    let mut asked: HashSet<(EntityName, String)> = HashSet::new();
    for _ in 0..=DEEPEST {
        let mut next = Wanted::new();
        for (name, ids) in wanted {
            let Some(parent) = all.iter().find(|agreed| agreed.entity.name == name) else { continue };
            let fresh = ids.into_iter().filter(|id| asked.insert((name.clone(), id.clone())));
            let keys: Vec<SourceKey> = fresh.map(|id| SourceKey::from_canonical(&id)).collect();
            let (_, gather) =
                gathered.entry(name.clone()).or_insert_with(|| (Arc::clone(parent), naturals.gather()));
            if keys.is_empty() {
                continue;
            }
            let plan = as_mapped(parent)?;
            let rows = source.rows(&plan.entity, &keys).await?;
            let mut entries = Vec::with_capacity(rows.len());
            for row in &rows {
                let item = plan.item(row);
                note(parent, &item, &mut next);
                entries.push(((*item.id).into(), Entry::of(parent, &item)));
            }
            gather.add(entries)?;
        }
        if next.is_empty() {
            break;
        }
        wanted = next;
    }
    for (parent, gather) in gathered.values() {
        naturals.insert(parent, gather.finish()?);
    }
    Ok(naturals)
}

/// Notes whom a row refers to.
fn note(agreed: &Agreed, item: &Item<'_>, wanted: &mut Wanted) {
    for (reach, id) in agreed.refs.iter().zip(&item.refs) {
        if let Id::Is(id) = key_of(id) {
            wanted.entry(reach.reference.entity.clone()).or_default().insert(id.into_owned());
        }
    }
}
