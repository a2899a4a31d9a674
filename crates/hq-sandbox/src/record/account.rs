//! An account: a customer.

use serde::{Deserialize, Serialize};

use super::{Collection, Id, Row};
use crate::book::Book;
use crate::member::Members;
use crate::table::Table;

const PLANS: &[&str] = &["free", "pro", "business"];

/// A customer. What identifies it is the external id.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Account {
    id: Id,
    external_id: String,
    name: String,
    email: String,
    plan: String,
    active: bool,
    credit: Option<String>,
    created_at: String,
}

impl Row for Account {
    const KIND: Collection = Collection::Accounts;

    fn read(members: &mut Members<'_>, number: u64, old: Option<&Self>) -> Self {
        Self {
            id: Id::new(Self::KIND, number),
            external_id: members.text("external_id", old.map(|old| old.external_id.as_str())),
            name: members.text("name", old.map(|old| old.name.as_str())),
            email: members.email("email", old.map(|old| old.email.as_str())),
            plan: members.word("plan", PLANS, old.map(|old| old.plan.as_str())),
            active: members.flag("active", old.is_none_or(|old| old.active)),
            credit: members.decimal("credit", old.and_then(|old| old.credit.as_deref())),
            created_at: members.moment("created_at", old.map(|old| old.created_at.as_str())),
        }
    }

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn natural_key(&self) -> String {
        self.external_id.clone()
    }

    fn references(&self) -> Vec<(&'static str, Id)> {
        Vec::new()
    }

    fn table(book: &Book) -> &Table<Self> {
        &book.accounts
    }

    fn table_mut(book: &mut Book) -> &mut Table<Self> {
        &mut book.accounts
    }
}
