//! What stands for another record's id: the natural keys of parents, by their ids on one side.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use haulier_core::EntityName;
use haulier_validator::neutral::{Cell, Neutral};
use haulier_validator::sort::{SortError, SortOptions};

use crate::SidesError;
use crate::agree::{Agreed, Slot};
use crate::entry::{borrowed, owned};
use crate::gather::{Gather, Store};

/// A natural key may go through so many references.
pub(crate) const DEEPEST: usize = 16;

/// The natural keys of one side's records, entity by entity.
#[derive(Debug, Clone, Default)]
pub struct Naturals {
    known: HashMap<EntityName, Arc<Index>>,
    /// Bytes of memory that are left; what does not fit goes to a file.
    left: usize,
    sort: SortOptions,
}

/// Those of one entity.
#[derive(Debug)]
pub(crate) struct Index {
    agreed: Agreed,
    rows: Store,
}

/// One row of a side, not yet neutral.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    /// The id by which others refer to it.
    pub(crate) id: Cow<'a, str>,
    /// The row's own columns, in the order of the slots; nothing at the others.
    pub(crate) cells: Vec<Cell<'a>>,
    /// The ids that it refers to, in the order of `refs`.
    pub(crate) refs: Vec<Cell<'a>>,
    /// The tenant's id, where the side knows it by itself.
    pub(crate) tenant: Option<Cow<'a, str>>,
}

impl Naturals {
    /// None are known yet. They may take `memory`; the others go to files, which `sort` says how to make.
    #[must_use]
    pub fn new(memory: usize, sort: SortOptions) -> Self {
        Self { known: HashMap::new(), left: memory, sort }
    }

    /// Whether an entity's are known.
    #[must_use]
    pub fn knows(&self, entity: &EntityName) -> bool {
        self.known.contains_key(entity)
    }

    /// Begins to collect those of an entity; [`Naturals::keep`] ends it.
    #[must_use]
    pub fn gather(&self) -> Arc<Gather> {
        Arc::new(Gather::new(self.left, self.sort.clone()))
    }

    /// Keeps what was collected of an entity.
    pub async fn keep(&mut self, agreed: &Agreed, gather: &Arc<Gather>) -> Result<(), SidesError> {
        let gather = Arc::clone(gather);
        // Many are sorted and written now.
        let kept = tokio::task::spawn_blocking(move || gather.finish());
        let rows = kept.await.map_err(|error| SidesError::Panicked(error.to_string()))??;
        self.insert(agreed, rows);
        Ok(())
    }

    pub(crate) fn insert(&mut self, agreed: &Agreed, rows: Store) {
        self.left = self.left.saturating_sub(rows.bytes());
        self.known.insert(agreed.entity.name.clone(), Arc::new(Index { agreed: agreed.clone(), rows }));
    }

    fn unread(&self, error: std::io::Error) -> SidesError {
        SortError::spill(&self.sort.spill, error).into()
    }

    /// The row's cells, in the order of its columns.
    pub(crate) fn cells<'a>(
        &'a self,
        agreed: &Agreed,
        item: &'a Item<'_>,
    ) -> Result<Vec<Cell<'a>>, SidesError> {
        let slots = agreed.slots.iter().enumerate();
        let cells = slots.map(|(index, slot)| match slot {
            Slot::Own(..) => Ok(item.cells.get(index).map_or(Cell::Missing, borrowed)),
            Slot::Parent { reach, part } => self.through(agreed, *reach, *part, item.refs.get(*reach)),
            Slot::Tenant => Ok(match self.tenant_of(agreed, item)? {
                Tenant::Is(root, id) => root.key(&id).map_err(|error| self.unread(error))?,
                Tenant::None => Cell::Null,
                Tenant::Lost(why) => why,
            }),
        });
        cells.collect()
    }

    fn through<'a>(
        &'a self,
        agreed: &Agreed,
        reach: usize,
        part: usize,
        id: Option<&'a Cell<'_>>,
    ) -> Result<Cell<'a>, SidesError> {
        let Some(reach) = agreed.refs.get(reach) else { return Ok(Cell::Missing) };
        Ok(match id.map(key_of) {
            None | Some(Id::Missing) => Cell::Missing,
            Some(Id::Null) => Cell::Null,
            Some(Id::Odd) => Cell::Unreadable(format!("`{}` holds no id", reach.reference.field).into()),
            Some(Id::Is(id)) => self
                .part(&reach.reference.entity, &id, part, DEEPEST)?
                .unwrap_or_else(|| lost(&reach.reference.field, reach.reference.entity.as_str())),
        })
    }

    /// One part of a record's natural key; `None` where the record is not there.
    fn part(
        &self,
        entity: &EntityName,
        id: &str,
        part: usize,
        deeper: usize,
    ) -> Result<Option<Cell<'_>>, SidesError> {
        let Some(index) = self.known.get(entity) else { return Ok(None) };
        let cell = match index.rows.find(id).map_err(|error| self.unread(error))? {
            Some(Cow::Borrowed(entry)) => entry.parts.get(part).map(borrowed),
            Some(Cow::Owned(entry)) => entry.parts.get(part).map(owned),
            None => None,
        };
        let Some(cell) = cell else { return Ok(None) };
        let Some(Slot::Parent { reach, part }) = index.agreed.slots.get(part) else {
            return Ok(Some(cell));
        };
        let Some(reach) = index.agreed.refs.get(*reach) else { return Ok(None) };
        match key_of(&cell) {
            Id::Is(id) if deeper > 0 => self.part(&reach.reference.entity, &id, *part, deeper - 1),
            Id::Is(_) | Id::Odd => Ok(None),
            Id::Null => Ok(Some(Cell::Null)),
            Id::Missing => Ok(Some(Cell::Missing)),
        }
    }

    /// The tenants' index, and the id of the row's tenant in it.
    fn tenant_of<'a>(&'a self, agreed: &Agreed, item: &'a Item<'_>) -> Result<Tenant<'a>, SidesError> {
        let Some((reach, id)) = agreed.up.and_then(|up| Some((agreed.refs.get(up)?, item.refs.get(up)?)))
        else {
            return Ok(Tenant::None);
        };
        let mut entity = &reach.reference.entity;
        let mut id = match key_of(id) {
            Id::Is(id) => id,
            Id::Null => return Ok(Tenant::None),
            Id::Missing | Id::Odd => return Ok(Tenant::Lost(lost(&reach.reference.field, entity.as_str()))),
        };
        for _ in 0..DEEPEST {
            let Some(index) = self.known.get(entity) else { break };
            let entry = index.rows.find(&id).map_err(|error| self.unread(error))?;
            let Some(entry) = entry else { break };
            if index.agreed.is_tenant {
                return Ok(Tenant::Is(index, id));
            }
            let next = index.agreed.up.and_then(|up| index.agreed.refs.get(up));
            let (Some(next), Some(_)) = (next, &entry.up) else { return Ok(Tenant::None) };
            entity = &next.reference.entity;
            id = match entry {
                Cow::Borrowed(entry) => Cow::Borrowed(entry.up.as_deref().unwrap_or_default()),
                Cow::Owned(entry) => Cow::Owned(entry.up.map(String::from).unwrap_or_default()),
            };
        }
        Ok(Tenant::Lost(lost(&reach.reference.field, entity.as_str())))
    }

    /// The id of the row's tenant on this side.
    pub(crate) fn tenant_id<'a>(
        &'a self,
        agreed: &Agreed,
        item: &'a Item<'_>,
    ) -> Result<Option<Cow<'a, str>>, SidesError> {
        if agreed.is_tenant {
            return Ok(Some(Cow::Borrowed(&item.id)));
        }
        if let Some(tenant) = &item.tenant {
            return Ok(Some(Cow::Borrowed(tenant)));
        }
        Ok(match self.tenant_of(agreed, item)? {
            Tenant::Is(_, id) => Some(id),
            Tenant::None | Tenant::Lost(_) => None,
        })
    }

    /// The ids of an entity's records whose neutral key is among these, and what is kept under that key.
    pub fn ids_of<T: Clone>(
        &self,
        agreed: &Agreed,
        neutral: &mut Neutral,
        wanted: &HashMap<Vec<u8>, T>,
    ) -> Result<HashMap<String, T>, SidesError> {
        let Some(index) = self.known.get(&agreed.entity.name) else { return Ok(HashMap::new()) };
        let mut found = HashMap::new();
        let mut line = Vec::new();
        let mut failed = None;
        let each = index.rows.each(|id, _| {
            let part = |part| {
                let cell = self.part(&agreed.entity.name, id, part, DEEPEST)?;
                Ok::<_, SidesError>(cell.unwrap_or(Cell::Missing))
            };
            match (0..agreed.columns.key()).map(part).collect::<Result<Vec<_>, _>>() {
                Ok(cells) => {
                    line.clear();
                    // A key that cannot be written is none that anybody asked for.
                    if neutral.push(cells, &mut line).is_ok()
                        && let Some(kept) = wanted.get(&line)
                    {
                        found.insert(id.to_owned(), kept.clone());
                    }
                }
                Err(error) => failed = Some(error),
            }
        });
        each.map_err(|error| self.unread(error))?;
        failed.map_or(Ok(found), Err)
    }
}

/// Whose a row is.
enum Tenant<'a> {
    /// The record of that id there.
    Is(&'a Index, Cow<'a, str>),
    None,
    /// What stands in place of it, where the way to it ends early.
    Lost(Cell<'a>),
}

impl Index {
    /// The natural key of one of its records as one cell.
    fn key(&self, id: &str) -> std::io::Result<Cell<'_>> {
        let Some(entry) = self.rows.find(id)? else { return Ok(Cell::Missing) };
        if let [only] = &*entry.parts {
            return Ok(match &entry {
                Cow::Borrowed(entry) => entry.parts.first().map_or(Cell::Missing, borrowed),
                Cow::Owned(_) => owned(only),
            });
        }
        let texts: Vec<String> =
            entry.parts.iter().map(|part| text(part).unwrap_or_default().into_owned()).collect();
        Ok(Cell::Text(Cow::Owned(texts.join("|"))))
    }
}

/// A cell as an id.
pub(crate) enum Id<'a> {
    Is(Cow<'a, str>),
    Null,
    Missing,
    Odd,
}

pub(crate) fn key_of<'a>(cell: &'a Cell<'_>) -> Id<'a> {
    match cell {
        Cell::Null => Id::Null,
        Cell::Missing => Id::Missing,
        Cell::Bool(_)
        | Cell::Int(_)
        | Cell::Float(_)
        | Cell::Text(_)
        | Cell::Bytes(_)
        | Cell::List(_)
        | Cell::Json(_)
        | Cell::Unreadable(_) => text(cell).map_or(Id::Odd, Id::Is),
    }
}

fn text<'a>(cell: &'a Cell<'_>) -> Option<Cow<'a, str>> {
    match cell {
        Cell::Text(text) | Cell::Json(text) => Some(Cow::Borrowed(text)),
        Cell::Int(number) => Some(Cow::Owned(number.to_string())),
        Cell::Bool(flag) => Some(Cow::Owned(flag.to_string())),
        Cell::Float(number) => Some(Cow::Owned(number.to_string())),
        Cell::Null | Cell::Missing | Cell::Bytes(_) | Cell::List(_) | Cell::Unreadable(_) => None,
    }
}

fn lost<'a>(field: &str, entity: &str) -> Cell<'a> {
    Cell::Unreadable(
        format!("`{field}` refers to a record of `{entity}` that this side does not show").into(),
    )
}
