//! What stands for another record's id: the natural keys of parents, by their ids on one side.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use haulier_core::EntityName;
use haulier_validator::neutral::{Cell, Neutral};

use crate::agree::{Agreed, Slot};

/// A natural key may go through so many references.
const DEEPEST: usize = 16;

/// The natural keys of one side's records, entity by entity.
#[derive(Debug, Clone, Default)]
pub struct Naturals(HashMap<EntityName, Arc<Index>>);

/// Those of one entity.
#[derive(Debug)]
pub(crate) struct Index {
    agreed: Agreed,
    rows: HashMap<Box<str>, Entry>,
}

/// One record, as others refer to it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its natural key; a part that stands for another record is that record's id here.
    pub(crate) parts: Box<[Cell<'static>]>,
    /// The id of the record that leads to its tenant.
    pub(crate) up: Option<Box<str>>,
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
    /// Whether an entity's are known.
    #[must_use]
    pub fn knows(&self, entity: &EntityName) -> bool {
        self.0.contains_key(entity)
    }

    pub(crate) fn insert(&mut self, agreed: &Agreed, rows: HashMap<Box<str>, Entry>) {
        self.0.insert(agreed.entity.name.clone(), Arc::new(Index { agreed: agreed.clone(), rows }));
    }

    /// The row's cells, in the order of its columns.
    pub(crate) fn cells<'a>(&'a self, agreed: &Agreed, item: &'a Item<'_>) -> Vec<Cell<'a>> {
        let slots = agreed.slots.iter().enumerate();
        slots
            .map(|(index, slot)| match slot {
                Slot::Own(..) => item.cells.get(index).map_or(Cell::Missing, borrowed),
                Slot::Parent { reach, part } => self.through(agreed, *reach, *part, item.refs.get(*reach)),
                Slot::Tenant => match self.tenant_of(agreed, item) {
                    Ok(Some((root, id))) => root.key(&id),
                    Ok(None) => Cell::Null,
                    Err(lost) => lost,
                },
            })
            .collect()
    }

    fn through<'a>(
        &'a self,
        agreed: &Agreed,
        reach: usize,
        part: usize,
        id: Option<&'a Cell<'_>>,
    ) -> Cell<'a> {
        let Some(reach) = agreed.refs.get(reach) else { return Cell::Missing };
        match id.map(key_of) {
            None | Some(Id::Missing) => Cell::Missing,
            Some(Id::Null) => Cell::Null,
            Some(Id::Odd) => Cell::Unreadable(format!("`{}` holds no id", reach.reference.field).into()),
            Some(Id::Is(id)) => self
                .part(&reach.reference.entity, &id, part, DEEPEST)
                .unwrap_or_else(|| lost(&reach.reference.field, reach.reference.entity.as_str())),
        }
    }

    /// One part of a record's natural key; `None` where the record is not there.
    fn part(&self, entity: &EntityName, id: &str, part: usize, deeper: usize) -> Option<Cell<'_>> {
        let index = self.0.get(entity)?;
        let cell = index.rows.get(id)?.parts.get(part)?;
        let Some(Slot::Parent { reach, part }) = index.agreed.slots.get(part) else {
            return Some(borrowed(cell));
        };
        let reach = index.agreed.refs.get(*reach)?;
        match key_of(cell) {
            Id::Is(id) if deeper > 0 => self.part(&reach.reference.entity, &id, *part, deeper - 1),
            Id::Is(_) | Id::Odd => None,
            Id::Null => Some(Cell::Null),
            Id::Missing => Some(Cell::Missing),
        }
    }

    /// The tenants' index, and the id of the row's tenant in it.
    fn tenant_of<'a>(
        &'a self,
        agreed: &Agreed,
        item: &'a Item<'_>,
    ) -> Result<Option<(&'a Index, Cow<'a, str>)>, Cell<'a>> {
        let Some(reach) = agreed.up.and_then(|up| Some((agreed.refs.get(up)?, item.refs.get(up)?))) else {
            return Ok(None);
        };
        let (reach, id) = reach;
        let mut entity = &reach.reference.entity;
        let mut id = match key_of(id) {
            Id::Is(id) => id,
            Id::Null => return Ok(None),
            Id::Missing | Id::Odd => return Err(lost(&reach.reference.field, entity.as_str())),
        };
        for _ in 0..DEEPEST {
            let Some(index) = self.0.get(entity) else { break };
            let Some(entry) = index.rows.get(&*id) else { break };
            if index.agreed.is_tenant {
                return Ok(Some((&**index, id)));
            }
            let (Some(up), Some(next)) =
                (&entry.up, index.agreed.up.and_then(|up| index.agreed.refs.get(up)))
            else {
                return Ok(None);
            };
            entity = &next.reference.entity;
            id = Cow::Borrowed(up);
        }
        Err(lost(&reach.reference.field, entity.as_str()))
    }

    /// The id of the row's tenant on this side.
    pub(crate) fn tenant_id<'a>(&'a self, agreed: &Agreed, item: &'a Item<'_>) -> Option<Cow<'a, str>> {
        if agreed.is_tenant {
            return Some(Cow::Borrowed(&item.id));
        }
        if let Some(tenant) = &item.tenant {
            return Some(Cow::Borrowed(tenant));
        }
        self.tenant_of(agreed, item).ok().flatten().map(|(_, id)| id)
    }

    /// The ids of an entity's records whose neutral key is among these, and what is kept under that key.
    pub fn ids_of<T: Clone>(
        &self,
        agreed: &Agreed,
        neutral: &mut Neutral,
        wanted: &HashMap<Vec<u8>, T>,
    ) -> HashMap<String, T> {
        let Some(index) = self.0.get(&agreed.entity.name) else { return HashMap::new() };
        let mut found = HashMap::new();
        let mut line = Vec::new();
        for id in index.rows.keys() {
            let part = |part| self.part(&agreed.entity.name, id, part, DEEPEST).unwrap_or(Cell::Missing);
            line.clear();
            // A key that cannot be written is none that anybody asked for.
            if neutral.push((0..agreed.columns.key()).map(part), &mut line).is_ok()
                && let Some(kept) = wanted.get(&line)
            {
                found.insert(id.to_string(), kept.clone());
            }
        }
        found
    }
}

impl Index {
    /// The natural key of one of its records as one cell.
    fn key(&self, id: &str) -> Cell<'_> {
        let Some(entry) = self.rows.get(id) else { return Cell::Missing };
        if let [only] = &*entry.parts {
            return borrowed(only);
        }
        let texts: Vec<String> =
            entry.parts.iter().map(|part| text(part).unwrap_or_default().into_owned()).collect();
        Cell::Text(Cow::Owned(texts.join("|")))
    }
}

impl Entry {
    /// What others need of a row.
    pub(crate) fn of(agreed: &Agreed, item: &Item<'_>) -> Self {
        let key = agreed.slots.iter().enumerate().take(agreed.columns.key());
        let parts = key.map(|(index, slot)| {
            let cell = match slot {
                Slot::Parent { reach, .. } => item.refs.get(*reach),
                Slot::Own(..) | Slot::Tenant => item.cells.get(index),
            };
            cell.map_or(Cell::Missing, owned)
        });
        let up = agreed.up.and_then(|up| item.refs.get(up)).and_then(|id| match key_of(id) {
            Id::Is(id) => Some(id.into()),
            Id::Null | Id::Missing | Id::Odd => None,
        });
        Self { parts: parts.collect(), up }
    }
}

enum Id<'a> {
    Is(Cow<'a, str>),
    Null,
    Missing,
    Odd,
}

/// A cell as an id.
fn key_of<'a>(cell: &'a Cell<'_>) -> Id<'a> {
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

fn borrowed<'a>(cell: &'a Cell<'_>) -> Cell<'a> {
    match cell {
        Cell::Missing => Cell::Missing,
        Cell::Null => Cell::Null,
        Cell::Bool(value) => Cell::Bool(*value),
        Cell::Int(value) => Cell::Int(*value),
        Cell::Float(value) => Cell::Float(*value),
        Cell::Text(text) => Cell::Text(Cow::Borrowed(text)),
        Cell::Bytes(bytes) => Cell::Bytes(Cow::Borrowed(bytes)),
        Cell::List(items) => Cell::List(Cow::Borrowed(items)),
        Cell::Json(text) => Cell::Json(Cow::Borrowed(text)),
        Cell::Unreadable(why) => Cell::Unreadable(Cow::Borrowed(why)),
    }
}

fn owned(cell: &Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Missing => Cell::Missing,
        Cell::Null => Cell::Null,
        Cell::Bool(value) => Cell::Bool(*value),
        Cell::Int(value) => Cell::Int(*value),
        Cell::Float(value) => Cell::Float(*value),
        Cell::Text(text) => Cell::Text(Cow::Owned(text.clone().into_owned())),
        Cell::Bytes(bytes) => Cell::Bytes(Cow::Owned(bytes.clone().into_owned())),
        Cell::List(items) => Cell::List(Cow::Owned(items.clone().into_owned())),
        Cell::Json(text) => Cell::Json(Cow::Owned(text.clone().into_owned())),
        Cell::Unreadable(why) => Cell::Unreadable(Cow::Owned(why.clone().into_owned())),
    }
}
