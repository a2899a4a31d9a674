//! A project: one node of an account's trees.

use serde::{Deserialize, Serialize};

use super::{Collection, Id, Row};
use crate::book::Book;
use crate::member::{FieldError, Members};
use crate::table::Table;

const STATUSES: &[&str] = &["planned", "active", "paused", "done", "archived"];

/// A node of an account's trees. What identifies it is the account and the name, bytewise.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Project {
    id: Id,
    account_id: Id,
    parent_id: Option<Id>,
    name: String,
    budget: Option<String>,
    status: String,
    created_at: String,
}

impl Project {
    /// The natural key of the project with this name in this account.
    pub(crate) fn key(account: Id, name: &str) -> String {
        format!("{account}|{name}")
    }
}

impl Row for Project {
    const KIND: Collection = Collection::Projects;

    fn read(members: &mut Members<'_>, number: u64, old: Option<&Self>) -> Self {
        Self {
            id: Id::new(Self::KIND, number),
            account_id: members.owner("account_id", Collection::Accounts, old.map(|old| old.account_id)),
            parent_id: members.reference(
                "parent_id",
                Collection::Projects,
                old.and_then(|old| old.parent_id),
            ),
            name: members.text("name", old.map(|old| old.name.as_str())),
            budget: members.decimal("budget", old.and_then(|old| old.budget.as_deref())),
            status: members.word("status", STATUSES, old.map(|old| old.status.as_str())),
            created_at: members.moment("created_at", old.map(|old| old.created_at.as_str())),
        }
    }

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn natural_key(&self) -> String {
        Self::key(self.account_id, &self.name)
    }

    fn references(&self) -> Vec<(&'static str, Id)> {
        let parent = self.parent_id.map(|id| ("parent_id", id));
        [("account_id", self.account_id)].into_iter().chain(parent).collect()
    }

    fn objection(&self, book: &Book) -> Option<FieldError> {
        let mut above = self.parent_id;
        while let Some(id) = above {
            if id == self.id {
                return Some(FieldError::new("parent_id", "the project would be its own ancestor"));
            }
            let parent = book.projects.get(id.number)?;
            if parent.account_id != self.account_id {
                return Some(FieldError::new("parent_id", "the parent belongs to another account"));
            }
            above = parent.parent_id;
        }
        None
    }

    fn table(book: &Book) -> &Table<Self> {
        &book.projects
    }

    fn table_mut(book: &mut Book) -> &mut Table<Self> {
        &mut book.projects
    }
}
