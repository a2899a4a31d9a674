//! Ids: a collection's prefix and a number, in one canonical text.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A collection of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Collection {
    /// Customers.
    Accounts,
    /// Their projects, as trees.
    Projects,
    /// Their people.
    Users,
    /// People in projects.
    Memberships,
}

impl Collection {
    /// Every collection, parents first.
    pub const ALL: [Self; 4] = [Self::Accounts, Self::Projects, Self::Users, Self::Memberships];

    /// The word in paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Projects => "projects",
            Self::Users => "users",
            Self::Memberships => "memberships",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Accounts => "acc",
            Self::Projects => "prj",
            Self::Users => "usr",
            Self::Memberships => "mem",
        }
    }
}

/// An id. Two ids are equal exactly if their texts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id {
    pub(crate) collection: Collection,
    pub(crate) number: u64,
}

impl Id {
    pub(crate) fn new(collection: Collection, number: u64) -> Self {
        Self { collection, number }
    }

    /// Reads the canonical text only: `acc_1` is not `acc_000001`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (prefix, digits) = text.split_once('_')?;
        let collection = Collection::ALL.into_iter().find(|collection| collection.prefix() == prefix)?;
        let id = Self::new(collection, digits.parse().ok()?);
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{:06}", self.collection.prefix(), self.number)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("this is not an id"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_is_an_id() {
        let id = Id::new(Collection::Users, 42);
        assert_eq!(id.to_string(), "usr_000042");
        assert_eq!(Id::parse("usr_000042"), Some(id));
        assert_eq!(Id::parse("usr_12345678").map(|id| id.number), Some(12_345_678));
        for bad in ["usr_42", "usr_0000042", "usr_+00042", "usr_", "42", "xyz_000042", "USR_000042"] {
            assert_eq!(Id::parse(bad), None, "{bad}");
        }
    }
}
