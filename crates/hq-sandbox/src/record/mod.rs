//! The records: what they hold, what identifies them and what they refer to.

mod account;
mod id;
mod membership;
mod project;
mod user;

pub(crate) use account::Account;
pub(crate) use id::Id;
pub(crate) use membership::Membership;
pub(crate) use project::Project;
pub(crate) use user::User;

pub use id::Collection;

use serde::{Serialize, de::DeserializeOwned};

use crate::book::Book;
use crate::member::{FieldError, Members};
use crate::table::Table;

/// A record of one collection.
pub(crate) trait Row: Serialize + DeserializeOwned {
    /// The collection it belongs to.
    const KIND: Collection;

    /// Makes it of a request's members; what is absent comes from `old`. Worth nothing if a member was wrong.
    fn read(members: &mut Members<'_>, number: u64, old: Option<&Self>) -> Self;

    /// Its id, as the API shows it.
    fn id(&self) -> String;

    /// What identifies it.
    fn natural_key(&self) -> String;

    /// The records it refers to, by member.
    fn references(&self) -> Vec<(&'static str, Id)>;

    /// A rule that takes other records to check.
    fn objection(&self, _book: &Book) -> Option<FieldError> {
        None
    }

    /// Its table.
    fn table(book: &Book) -> &Table<Self>;

    /// Its table, to write.
    fn table_mut(book: &mut Book) -> &mut Table<Self>;
}
