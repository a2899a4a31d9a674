//! Collects what others need of an entity's records while these are read: in memory while they are few, else in a file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use haulier_validator::sort::{SortOptions, Sorter};

use crate::SidesError;
use crate::entry::Entry;
use crate::shelf::Shelf;

/// A collection under way; several tasks add to it.
#[derive(Debug)]
pub struct Gather {
    state: Mutex<State>,
    /// Bytes that may stay in memory.
    memory: usize,
    sort: SortOptions,
}

#[derive(Debug)]
enum State {
    Few { rows: HashMap<Box<str>, Entry>, bytes: usize },
    Many(Box<Sorter>),
}

/// The records of one entity by their ids.
#[derive(Debug)]
pub(crate) enum Store {
    Few { rows: HashMap<Box<str>, Entry>, bytes: usize },
    Many(Shelf),
}

impl Gather {
    /// Nothing yet. Beyond `memory`, `sort` says where the file is and how much the sort takes on the way to it.
    pub(crate) fn new(memory: usize, sort: SortOptions) -> Self {
        Self { state: Mutex::new(State::few()), memory, sort }
    }

    /// Adds records.
    pub(crate) fn add(&self, records: Vec<(Box<str>, Entry)>) -> Result<(), SidesError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = Vec::new();
        for (id, entry) in records {
            match &mut *state {
                State::Few { rows, bytes } => {
                    *bytes += entry.size(&id);
                    rows.insert(id, entry);
                    if *bytes > self.memory {
                        let mut sorter = Box::new(Sorter::new(self.sort.clone()));
                        for (id, entry) in std::mem::take(rows) {
                            line.clear();
                            entry.write(&id, &mut line);
                            sorter.push(&line)?;
                        }
                        *state = State::Many(sorter);
                    }
                }
                State::Many(sorter) => {
                    line.clear();
                    entry.write(&id, &mut line);
                    sorter.push(&line)?;
                }
            }
        }
        Ok(())
    }

    /// All are added.
    pub(crate) fn finish(&self) -> Result<Store, SidesError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::few()) {
            State::Few { rows, bytes } => Ok(Store::Few { rows, bytes }),
            State::Many(sorter) => {
                let mut sorted = sorter.finish()?;
                Ok(Store::Many(Shelf::write(&mut sorted, &self.sort.spill)?))
            }
        }
    }
}

impl State {
    fn few() -> Self {
        Self::Few { rows: HashMap::new(), bytes: 0 }
    }
}

impl Store {
    /// The record of that id.
    pub(crate) fn find(&self, id: &str) -> std::io::Result<Option<Cow<'_, Entry>>> {
        match self {
            Self::Few { rows, .. } => Ok(rows.get(id).map(Cow::Borrowed)),
            Self::Many(shelf) => Ok(shelf.find(id)?.map(Cow::Owned)),
        }
    }

    /// Every record.
    pub(crate) fn each(&self, mut take: impl FnMut(&str, &Entry)) -> std::io::Result<()> {
        match self {
            Self::Few { rows, .. } => rows.iter().for_each(|(id, entry)| take(id, entry)),
            Self::Many(shelf) => shelf.each(|id, entry| take(&id, &entry))?,
        }
        Ok(())
    }

    /// Bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Few { bytes, .. } => *bytes,
            Self::Many(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_validator::neutral::Cell;

    fn record(number: usize) -> (Box<str>, Entry) {
        let parts = [Cell::Text(format!("name {number}").into()), Cell::Null];
        (number.to_string().into(), Entry { parts: parts.into(), up: Some((number / 7).to_string().into()) })
    }

    #[test]
    fn few_and_many_are_found_alike() {
        const RECORDS: usize = 30_000;
        let folder = tempfile::tempdir().unwrap();
        let sort = SortOptions { memory: 1, spill: folder.path().to_owned(), ..SortOptions::default() };
        let stores = [usize::MAX, 0, 100_000].map(|memory| {
            let gather = Gather::new(memory, sort.clone());
            for start in [0, RECORDS / 2] {
                gather.add((start..start + RECORDS / 2).map(record).collect()).unwrap();
            }
            gather.finish().unwrap()
        });
        assert!(matches!(&stores[0], Store::Few { .. }) && stores[0].bytes() > RECORDS);
        for store in &stores[1..] {
            assert!(matches!(store, Store::Many(_)) && store.bytes() == 0);
        }
        for store in &stores {
            for number in (0..RECORDS).step_by(97).chain([0, 1, 9, 10, RECORDS - 1]) {
                let (id, entry) = record(number);
                assert_eq!(store.find(&id).unwrap().as_deref(), Some(&entry), "{number}");
            }
            for unknown in ["", "-1", "30000", "0x", "999999"] {
                assert!(store.find(unknown).unwrap().is_none(), "{unknown}");
            }
            let mut count = 0;
            store
                .each(|id, entry| {
                    assert_eq!(record(id.parse().unwrap()).1, *entry);
                    count += 1;
                })
                .unwrap();
            assert_eq!(count, RECORDS);
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_was_added() {
        let gather = Gather::new(0, SortOptions::default());
        let store = gather.finish().unwrap();
        assert!(store.find("1").unwrap().is_none());
    }
}
