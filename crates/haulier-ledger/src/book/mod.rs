//! The ledger port over either database.

mod controls;
mod cursors;
mod outbox;
mod records;
mod stages;

use std::collections::HashSet;
use std::sync::Mutex;

use crate::conn::Backend;
use crate::names::Names;

/// A ledger: turns names into numbers, and hands the calls to the database.
#[derive(Debug)]
pub(crate) struct Book<B> {
    backend: B,
    names: Names,
    /// Entities whose rows were unchanged when a later run saw them last: the next rows will be, too.
    unchanged: Mutex<HashSet<i64>>,
}

impl<B: Backend> Book<B> {
    pub(crate) fn new(backend: B) -> Self {
        Self { backend, names: Names::default(), unchanged: Mutex::default() }
    }
}
