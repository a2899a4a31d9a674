//! A user: a person of an account.

use serde::{Deserialize, Serialize};

use super::{Collection, Id, Row};
use crate::book::Book;
use crate::member::Members;
use crate::table::Table;

/// A person of an account. What identifies it is the e-mail address in Unicode lower case, over all accounts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct User {
    id: Id,
    account_id: Id,
    email: String,
    full_name: String,
    locale: Option<String>,
    created_at: String,
}

impl User {
    /// The natural key of the user with this address.
    pub(crate) fn key(email: &str) -> String {
        email.to_lowercase()
    }
}

impl Row for User {
    const KIND: Collection = Collection::Users;

    fn read(members: &mut Members<'_>, number: u64, old: Option<&Self>) -> Self {
        Self {
            id: Id::new(Self::KIND, number),
            account_id: members.owner("account_id", Collection::Accounts, old.map(|old| old.account_id)),
            email: members.email("email", old.map(|old| old.email.as_str())),
            full_name: members.text("full_name", old.map(|old| old.full_name.as_str())),
            locale: members.optional_text("locale", old.and_then(|old| old.locale.as_deref())),
            created_at: members.moment("created_at", old.map(|old| old.created_at.as_str())),
        }
    }

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn natural_key(&self) -> String {
        Self::key(&self.email)
    }

    fn references(&self) -> Vec<(&'static str, Id)> {
        vec![("account_id", self.account_id)]
    }

    fn table(book: &Book) -> &Table<Self> {
        &book.users
    }

    fn table_mut(book: &mut Book) -> &mut Table<Self> {
        &mut book.users
    }
}
