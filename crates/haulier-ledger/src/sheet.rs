//! The records that one call works on, and how it changed the counts.

use std::collections::BTreeMap;

use haulier_core::SourceKey;

use crate::record::{PLANNED, Record, state_code};

/// Which rows of the table `tally` a call changes, and by how much: run, entity, state, owner.
pub(crate) type Deltas = BTreeMap<(i64, i64, i64, i64), i64>;

/// Counts some records from one state to another.
pub(crate) fn moved(run: i64, entity: i64, from: (i64, i64), to: (i64, i64), records: usize) -> Deltas {
    let by = i64::try_from(records).unwrap_or(i64::MAX);
    Deltas::from([((run, entity, from.0, from.1), -by), ((run, entity, to.0, to.1), by)])
}

/// Adds up changes.
pub(crate) fn add(to: &mut Deltas, deltas: &Deltas) {
    for (key, by) in deltas {
        *to.entry(*key).or_default() += by;
    }
}

/// Records by entity and key, in the order in which they are locked and written.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    entries: BTreeMap<(i64, SourceKey), Entry>,
}

#[derive(Debug)]
struct Entry {
    /// The record as it was loaded; `None` when it is new.
    before: Option<Record>,
    record: Record,
}

impl Entry {
    fn changed(&self) -> bool {
        self.before.as_ref() != Some(&self.record)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    run: i64,
    state: i64,
    owner: i64,
}

impl Place {
    fn of(record: &Record) -> Self {
        Self { run: record.run, state: state_code(record.state), owner: record.owner.unwrap_or(0) }
    }
}

impl Sheet {
    pub(crate) fn of(records: Vec<Record>) -> Self {
        let mut sheet = Self::default();
        sheet.load(records);
        sheet
    }

    /// Adds what the database holds; a record that is there already stays as it is.
    pub(crate) fn load(&mut self, records: Vec<Record>) {
        for record in records {
            let at = (record.entity, record.key.clone());
            self.entries.entry(at).or_insert_with(|| Entry { before: Some(record.clone()), record });
        }
    }

    pub(crate) fn get(&self, entity: i64, key: &SourceKey) -> Option<&Record> {
        self.entries.get(&(entity, key.clone())).map(|entry| &entry.record)
    }

    /// Stores a record that was copied from here and changed, or a new one.
    pub(crate) fn put(&mut self, record: Record) {
        let at = (record.entity, record.key.clone());
        match self.entries.get_mut(&at) {
            Some(entry) => entry.record = record,
            None => {
                self.entries.insert(at, Entry { before: None, record });
            }
        }
    }

    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.entries.values().map(|entry| &entry.record)
    }

    /// New records.
    pub(crate) fn inserts(&self) -> Vec<&Record> {
        let new = self.entries.values().filter(|entry| entry.before.is_none());
        new.map(|entry| &entry.record).collect()
    }

    /// Changed records: those whose natural key, target id and first landing stayed, and the others.
    pub(crate) fn updates(&self) -> (Vec<&Record>, Vec<&Record>) {
        let (mut light, mut whole) = (Vec::new(), Vec::new());
        for entry in self.entries.values().filter(|entry| entry.changed()) {
            let Some(before) = &entry.before else { continue };
            let first =
                |record: &Record| record.landing.map(|landing| (landing.origin, landing.run, landing.at));
            let same = before.natural == entry.record.natural
                && before.target == entry.record.target
                && first(before) == first(&entry.record);
            if same { light.push(&entry.record) } else { whole.push(&entry.record) }
        }
        (light, whole)
    }

    /// Records that give up a unique value. They must do so before any other can take it.
    pub(crate) fn vacates(&self) -> Vec<&Record> {
        let vacates = |entry: &&Entry| {
            entry.before.as_ref().is_some_and(|before| {
                (before.natural.is_some() && before.natural != entry.record.natural)
                    || (before.target.is_some() && before.target != entry.record.target)
            })
        };
        self.entries.values().filter(vacates).map(|entry| &entry.record).collect()
    }

    /// How the counts change. A record that a newer run takes over stays counted in the older run as it ended there.
    pub(crate) fn deltas(&self) -> Deltas {
        let mut deltas = Deltas::new();
        for entry in self.entries.values().filter(|entry| entry.changed()) {
            let (now, entity) = (Place::of(&entry.record), entry.record.entity);
            let mut add = |place: Place, by: i64| {
                *deltas.entry((place.run, entity, place.state, place.owner)).or_default() += by;
            };
            match entry.before.as_ref().map(Place::of) {
                Some(before) if before.run == now.run => add(before, -1),
                Some(_) | None => add(Place { run: now.run, state: PLANNED, owner: 0 }, 1),
            }
            add(now, 1);
        }
        deltas.retain(|_, by| *by != 0);
        deltas
    }
}
