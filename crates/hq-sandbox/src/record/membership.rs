//! A membership: a person in a project.

use serde::{Deserialize, Serialize};

use super::{Collection, Id, Row};
use crate::book::Book;
use crate::member::Members;
use crate::table::Table;

const ROLES: &[&str] = &["owner", "admin", "member", "viewer"];

/// A person in a project. The pair is its id and what identifies it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Membership {
    id: String,
    project_id: Id,
    user_id: Id,
    role: String,
    joined_at: String,
}

impl Membership {
    /// The id and natural key of this pair.
    pub(crate) fn key(project: Id, user: Id) -> String {
        format!("{project}:{user}")
    }
}

impl Row for Membership {
    const KIND: Collection = Collection::Memberships;

    fn read(members: &mut Members<'_>, _number: u64, old: Option<&Self>) -> Self {
        let project_id = members.owner("project_id", Collection::Projects, old.map(|old| old.project_id));
        let user_id = members.owner("user_id", Collection::Users, old.map(|old| old.user_id));
        Self {
            id: Self::key(project_id, user_id),
            project_id,
            user_id,
            role: members.word("role", ROLES, old.map(|old| old.role.as_str())),
            joined_at: members.moment("joined_at", old.map(|old| old.joined_at.as_str())),
        }
    }

    fn id(&self) -> String {
        self.id.clone()
    }

    fn natural_key(&self) -> String {
        self.id.clone()
    }

    fn references(&self) -> Vec<(&'static str, Id)> {
        vec![("project_id", self.project_id), ("user_id", self.user_id)]
    }

    fn table(book: &Book) -> &Table<Self> {
        &book.memberships
    }

    fn table_mut(book: &mut Book) -> &mut Table<Self> {
        &mut book.memberships
    }
}
