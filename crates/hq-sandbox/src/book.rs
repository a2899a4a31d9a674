//! Everything that is stored, and the rules for changing it.

use serde_json::{Map, Value};

use crate::member::Members;
use crate::record::{Account, Collection, Id, Membership, Project, Row, User};
use crate::reply::Refusal;
use crate::saved::{SavedReplies, SavedReply};
use crate::table::Table;

/// Members that a request's path gives.
pub(crate) type Given = [(&'static str, String)];

/// A change that the file does not hold yet.
#[derive(Debug)]
pub(crate) enum Change {
    /// A row as JSON, or its end.
    Row(Collection, u64, Option<String>),
    /// An answer that is kept, and the number below which answers are forgotten.
    Saved(SavedReply, u64),
    /// Everything is gone.
    Wiped,
}

/// A record that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) created: bool,
    pub(crate) json: String,
    pub(crate) id: String,
    pub(crate) natural_key: String,
}

/// The tables, the kept answers, and what of them the file does not hold yet.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) accounts: Table<Account>,
    pub(crate) projects: Table<Project>,
    pub(crate) users: Table<User>,
    pub(crate) memberships: Table<Membership>,
    pub(crate) saved: SavedReplies,
    unique: bool,
    keys: usize,
    /// Whether changes are noted for a file at all.
    noted: bool,
    pending: Vec<Change>,
    ticket: u64,
}

impl Book {
    pub(crate) fn new(unique: bool, keys: usize, noted: bool) -> Self {
        Self {
            accounts: Table::default(),
            projects: Table::default(),
            users: Table::default(),
            memberships: Table::default(),
            saved: SavedReplies::new(keys),
            unique,
            keys,
            noted,
            pending: Vec::new(),
            ticket: 0,
        }
    }

    /// Stores a new record.
    pub(crate) fn create<R: Row>(&mut self, object: &Map<String, Value>) -> Result<Written, Refusal> {
        let number = R::table(self).next_number();
        let row = self.checked::<R>(object, &[], number, None)?;
        self.refuse_second(&row, number)?;
        Ok(self.store(number, row, true))
    }

    /// Stores a record in place of the one with its natural key, or as a new one.
    pub(crate) fn put<R: Row>(
        &mut self,
        object: &Map<String, Value>,
        given: &Given,
    ) -> Result<Written, Refusal> {
        let number = R::table(self).next_number();
        let row = self.checked::<R>(object, given, number, None)?;
        let Some((there, _)) = R::table(self).find(&row.natural_key()) else {
            return Ok(self.store(number, row, true));
        };
        let row = self.checked::<R>(object, given, there, None)?;
        Ok(self.store(there, row, false))
    }

    /// Changes the members that the object names.
    pub(crate) fn change<R: Row>(
        &mut self,
        number: u64,
        object: &Map<String, Value>,
    ) -> Result<Written, Refusal> {
        let old = R::table(self).get(number).ok_or(Refusal::NotFound)?;
        let row = self.checked(object, &[], number, Some(old))?;
        self.refuse_second(&row, number)?;
        Ok(self.store(number, row, false))
    }

    /// Takes a record away, unless another one refers to it.
    pub(crate) fn remove<R: Row>(&mut self, number: u64) -> Result<(), Refusal> {
        let id = Id::new(R::KIND, number);
        let in_use = [
            (self.projects.refers_to(id), Collection::Projects),
            (self.users.refers_to(id), Collection::Users),
            (self.memberships.refers_to(id), Collection::Memberships),
        ];
        if let Some((_, by)) = in_use.into_iter().find(|(used, _)| *used) {
            return Err(Refusal::InUse(by));
        }
        if !R::table_mut(self).remove(number) {
            return Err(Refusal::NotFound);
        }
        self.note(Change::Row(R::KIND, number, None));
        Ok(())
    }

    /// Notes a change for the file.
    pub(crate) fn note(&mut self, change: Change) {
        if self.noted {
            self.pending.push(change);
            self.ticket += 1;
        }
    }

    /// Forgets everything but the numbering.
    pub(crate) fn wipe(&mut self) {
        let mut fresh = Self::new(self.unique, self.keys, self.noted);
        fresh.accounts.continue_after(self.accounts.last_number());
        fresh.projects.continue_after(self.projects.last_number());
        fresh.users.continue_after(self.users.last_number());
        fresh.memberships.continue_after(self.memberships.last_number());
        fresh.ticket = self.ticket;
        *self = fresh;
        self.note(Change::Wiped);
    }

    /// The number of the last change.
    pub(crate) fn ticket(&self) -> u64 {
        self.ticket
    }

    /// What the file does not hold yet, in order.
    pub(crate) fn take_pending(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.pending)
    }

    /// Rows, rows beyond the first of their natural key, and the last number of a collection.
    pub(crate) fn counts(&self, collection: Collection) -> (usize, u64, u64) {
        fn of<R: Row>(table: &Table<R>) -> (usize, u64, u64) {
            (table.len(), table.surplus(), table.last_number())
        }
        match collection {
            Collection::Accounts => of(&self.accounts),
            Collection::Projects => of(&self.projects),
            Collection::Users => of(&self.users),
            Collection::Memberships => of(&self.memberships),
        }
    }

    fn checked<R: Row>(
        &self,
        object: &Map<String, Value>,
        given: &Given,
        number: u64,
        old: Option<&R>,
    ) -> Result<R, Refusal> {
        let mut members = Members::new(object, given);
        let row = R::read(&mut members, number, old);
        members.finish().map_err(Refusal::Invalid)?;
        for (field, id) in row.references() {
            if !self.holds(id) {
                return Err(Refusal::MissingParent(field));
            }
        }
        match row.objection(self) {
            None => Ok(row),
            Some(error) => Err(Refusal::Invalid(vec![error])),
        }
    }

    fn holds(&self, id: Id) -> bool {
        match id.collection {
            Collection::Accounts => self.accounts.get(id.number).is_some(),
            Collection::Projects => self.projects.get(id.number).is_some(),
            Collection::Users => self.users.get(id.number).is_some(),
            Collection::Memberships => self.memberships.get(id.number).is_some(),
        }
    }

    fn refuse_second<R: Row>(&self, row: &R, number: u64) -> Result<(), Refusal> {
        if !self.unique {
            return Ok(());
        }
        match R::table(self).find(&row.natural_key()) {
            Some((there, other)) if there != number => Err(Refusal::Exists(other.id())),
            _ => Ok(()),
        }
    }

    fn store<R: Row>(&mut self, number: u64, row: R, created: bool) -> Written {
        // A row is plain strings, flags and ids: it always has a JSON form.
        let json = serde_json::to_string(&row).unwrap_or_default();
        let written = Written { created, id: row.id(), natural_key: row.natural_key(), json };
        self.note(Change::Row(R::KIND, number, Some(written.json.clone())));
        R::table_mut(self).put(number, row);
        written
    }
}
