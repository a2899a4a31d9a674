//! The source port: reads rows in key order and never writes.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::plan::Entity;
use crate::schema::{Column, ForeignKey, Schema, Table};
use crate::{Row, SourceKey};

/// A part of an entity's key space, walked by one fibre: `after < key <= upto`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRange {
    /// Exclusive lower end; open when `None`.
    pub after: Option<SourceKey>,
    /// Inclusive upper end; open when `None`.
    pub upto: Option<SourceKey>,
}

/// A source database. Every call is one short read-only transaction and may be repeated and dropped at any time;
/// the adapter bounds each statement on the server, so a dropped call does not keep the server busy for long.
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// Whether the entity's relation and columns exist and its key can be walked. Reads the catalogue only.
    async fn check(&self, entity: &Entity) -> Result<(), SourceError>;

    /// Cuts the key space into at most `want` ranges, in key order, without gap or overlap.
    /// One range that is open at both ends is always a right answer.
    async fn ranges(&self, entity: &Entity, want: usize) -> Result<Vec<KeyRange>, SourceError>;

    /// At most `limit` rows of the range with a key beyond `after`, in key order. Empty means the range is done.
    async fn chunk(
        &self,
        entity: &Entity,
        range: &KeyRange,
        after: Option<&SourceKey>,
        limit: u32,
    ) -> Result<Vec<Row>, SourceError>;

    /// As [`Source::chunk`], but shows each row to `take` as it arrives, in memory that is used again for the next one: for who
    /// reads much and keeps nothing. Tells how many rows it showed; none means the range is done. After an error, the rows that
    /// were shown are those up to the last one, and the next call may go on behind it.
    async fn scan(
        &self,
        entity: &Entity,
        range: &KeyRange,
        after: Option<&SourceKey>,
        limit: u32,
        take: &mut (dyn for<'r> FnMut(&'r Row) + Send),
    ) -> Result<u64, SourceError>;

    /// The rows with these keys, in any order; a key that is gone is left out.
    async fn rows(&self, entity: &Entity, keys: &[SourceKey]) -> Result<Vec<Row>, SourceError>;

    /// How many rows the entity has now.
    async fn count(&self, entity: &Entity) -> Result<u64, SourceError>;

    /// The entity's columns, in the order of its `columns`, with what they are read as; of a query, too.
    async fn columns(&self, entity: &Entity) -> Result<Vec<Column>, SourceError>;

    /// What the database declares: tables, views, keys, references.
    async fn schema(&self) -> Result<Schema, SourceError>;

    /// For columns that may serve as a key: rows in all, distinct combinations without NULL, rows with a NULL.
    async fn key_quality(&self, table: &Table, columns: &[String]) -> Result<(u64, u64, u64), SourceError>;

    /// How many rows refer to a row that is not there.
    async fn orphans(&self, table: &Table, reference: &ForeignKey) -> Result<u64, SourceError>;
}

/// Why the source did not answer. No message holds a value, a password or a whole URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// No connection: the host, the port, the network or TLS.
    #[error("the source at {at} cannot be reached: {cause}")]
    Unreachable {
        /// Host and port, or file.
        at: String,
        /// The driver's words.
        cause: String,
    },
    /// The source refuses the user.
    #[error("the source at {at} refuses the credentials: {cause}")]
    Credentials {
        /// Host and port, or file.
        at: String,
        /// The server's words.
        cause: String,
    },
    /// The plan and the database disagree: no such table or column, a key that repeats or is NULL.
    #[error("entity `{entity}`: {problem}")]
    Plan {
        /// The entity.
        entity: String,
        /// What does not fit, naming table and column.
        problem: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A value cannot be read as what its column is.
    #[error("entity `{entity}`, key {key}, column `{column}`: {problem}")]
    Value {
        /// The entity.
        entity: String,
        /// The row.
        key: String,
        /// The column.
        column: String,
        /// What is wrong, without the value.
        problem: String,
    },
    /// The statement took longer than the server allows it.
    #[error("the source took longer than {limit_ms} ms over a chunk of `{entity}`")]
    Timeout {
        /// The entity.
        entity: String,
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// Anything else, with the driver's words.
    #[error("the source failed while reading {what}: {cause}")]
    Failed {
        /// What was read.
        what: String,
        /// The driver's words.
        cause: String,
    },
}

impl SourceError {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } | Self::Failed { .. } => true,
            Self::Credentials { .. } | Self::Plan { .. } | Self::Value { .. } => false,
        }
    }
}
