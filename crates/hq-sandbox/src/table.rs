//! A table in memory: rows by number, by natural key and by what they refer to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::page::{Page, Window};
use crate::record::{Id, Row};

/// The rows of one collection. Numbers grow and are never given twice.
#[derive(Debug)]
pub(crate) struct Table<R> {
    rows: BTreeMap<u64, R>,
    by_key: HashMap<String, Vec<u64>>,
    by_reference: HashMap<Id, BTreeSet<u64>>,
    last: u64,
    surplus: u64,
}

impl<R> Default for Table<R> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            by_key: HashMap::new(),
            by_reference: HashMap::new(),
            last: 0,
            surplus: 0,
        }
    }
}

impl<R: Row> Table<R> {
    pub(crate) fn get(&self, number: u64) -> Option<&R> {
        self.rows.get(&number)
    }

    /// The oldest row with this natural key.
    pub(crate) fn find(&self, key: &str) -> Option<(u64, &R)> {
        let number = *self.by_key.get(key)?.first()?;
        Some((number, self.rows.get(&number)?))
    }

    /// The number after the last one.
    pub(crate) fn next_number(&self) -> u64 {
        self.last + 1
    }

    /// The last number that was given.
    pub(crate) fn last_number(&self) -> u64 {
        self.last
    }

    /// Takes up the numbering where an earlier process left it.
    pub(crate) fn continue_after(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// Puts a row in place of the one with its number, if there is one.
    pub(crate) fn put(&mut self, number: u64, row: R) {
        self.remove(number);
        let owners = self.by_key.entry(row.natural_key()).or_default();
        if !owners.is_empty() {
            self.surplus += 1;
        }
        let at = owners.partition_point(|other| *other < number);
        owners.insert(at, number);
        for (_, id) in row.references() {
            self.by_reference.entry(id).or_default().insert(number);
        }
        self.rows.insert(number, row);
        self.last = self.last.max(number);
    }

    /// Takes a row away.
    pub(crate) fn remove(&mut self, number: u64) -> bool {
        let Some(row) = self.rows.remove(&number) else { return false };
        let key = row.natural_key();
        if let Some(owners) = self.by_key.get_mut(&key) {
            owners.retain(|other| *other != number);
            if owners.is_empty() {
                self.by_key.remove(&key);
            } else {
                self.surplus -= 1;
            }
        }
        for (_, id) in row.references() {
            if let Some(numbers) = self.by_reference.get_mut(&id) {
                numbers.remove(&number);
                if numbers.is_empty() {
                    self.by_reference.remove(&id);
                }
            }
        }
        true
    }

    /// Whether a row refers to this record.
    pub(crate) fn refers_to(&self, id: Id) -> bool {
        self.by_reference.contains_key(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Rows beyond the first of their natural key.
    pub(crate) fn surplus(&self) -> u64 {
        self.surplus
    }

    /// A page of all rows.
    pub(crate) fn page(&self, window: &Window) -> Page<'_, R> {
        let after = self.rows.range(window.after + 1..).map(|(number, row)| (*number, row));
        window.cut(after, self.rows.len())
    }

    /// A page of the rows with this natural key.
    pub(crate) fn page_by_key(&self, key: &str, window: &Window) -> Page<'_, R> {
        let numbers = self.by_key.get(key).map(Vec::as_slice).unwrap_or_default();
        let rows = numbers.iter().filter(|number| **number > window.after);
        let rows = rows.filter_map(|number| Some((*number, self.rows.get(number)?)));
        window.cut(rows, numbers.len())
    }

    /// A page of the rows that refer to this record.
    pub(crate) fn page_by_reference(&self, id: Id, window: &Window) -> Page<'_, R> {
        let Some(numbers) = self.by_reference.get(&id) else { return Page::empty() };
        let rows = numbers.range(window.after + 1..);
        let rows = rows.filter_map(|number| Some((*number, self.rows.get(number)?)));
        window.cut(rows, numbers.len())
    }
}
