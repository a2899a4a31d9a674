//! All SQL about the user's tables is written here, and nowhere else: names from the catalogue, quoted; values bound.

mod pages;
mod scan;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

pub(crate) use pages::{Condition, KeyColumn, Pages, Tenants, Test};
pub(crate) use scan::{bounds, key_quality, orphans, scalar};

/// How an engine writes SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    MySql,
    Sqlite,
}

impl Dialect {
    /// A name, quoted.
    pub(crate) fn quoted(self, name: &str) -> String {
        match self {
            Self::Postgres | Self::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
            Self::MySql => format!("`{}`", name.replace('`', "``")),
        }
    }

    /// A table as it stands in a FROM clause.
    pub(crate) fn table(self, schema: Option<&str>, name: &str) -> String {
        match schema {
            Some(schema) => format!("{}.{}", self.quoted(schema), self.quoted(name)),
            None => self.quoted(name),
        }
    }

    /// Whether many texts are bound as one array.
    pub(crate) fn has_arrays(self) -> bool {
        self == Self::Postgres
    }

    /// Whether rows can be compared without losing the index.
    fn compares_rows(self) -> bool {
        self != Self::MySql
    }
}

/// A plan's query as it stands in a FROM clause.
pub(crate) fn derived(query: &str) -> String {
    format!("({}\n)", query.trim().trim_end_matches(';'))
}

/// The statement that tells a query's columns.
pub(crate) fn shape(from: &str) -> Statement {
    let mut builder = Builder::new(Dialect::Sqlite);
    builder.push("select * from ").push(from).push(" as r limit 0");
    builder.finish()
}

/// A statement with the places of its values, in the order in which they are bound.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    sql: SqlStr,
    slots: Vec<Slot>,
}

impl Statement {
    pub(crate) fn sql(&self) -> SqlStr {
        self.sql.clone()
    }

    pub(crate) fn slots(&self) -> &[Slot] {
        &self.slots
    }
}

/// What is bound at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A value of the entity's filters.
    Filter(usize),
    /// A value of the tenants' keys.
    Tenant(usize),
    /// A part of the key behind which the page begins.
    After(usize),
    /// A part of the key with which the range ends.
    Upto(usize),
    /// The most rows of a page.
    Limit,
    /// A part of one of several keys.
    Key { key: usize, part: usize },
    /// A part of all keys, as an array.
    Column(usize),
}

/// Writes one statement.
struct Builder {
    dialect: Dialect,
    text: String,
    slots: Vec<Slot>,
}

impl Builder {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, text: String::new(), slots: Vec::new() }
    }

    fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// A placeholder.
    fn place(&mut self, slot: Slot) -> String {
        self.slots.push(slot);
        match self.dialect {
            Dialect::Postgres => format!("${}", self.slots.len()),
            Dialect::MySql | Dialect::Sqlite => "?".to_owned(),
        }
    }

    fn push_place(&mut self, slot: Slot) -> &mut Self {
        let place = self.place(slot);
        self.push(&place)
    }

    fn finish(self) -> Statement {
        let text: Arc<str> = self.text.into();
        Statement { sql: AssertSqlSafe(text).into_sql_str(), slots: self.slots }
    }
}
