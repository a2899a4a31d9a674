//! Why a side cannot be read, as a whole or in one row.

use haulier_core::port::SourceError;
use haulier_core::{EntityName, Failure};
use haulier_validator::sort::SortError;

/// Why a side cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SidesError {
    /// The entity has no agreed columns.
    #[error("entity `{0}` has no `extract` in the plan")]
    NoExtract(EntityName),
    /// The plan does not say where the target lists the records, or which of its tables holds them.
    #[error("entity `{entity}` has no `{key}` in the plan, so its records in the target cannot be read")]
    NoPlace {
        /// The entity.
        entity: EntityName,
        /// `list` or `stored`.
        key: &'static str,
    },
    /// The agreed columns are none that a file can have, or the plan was not made by its reader.
    #[error("entity `{entity}`: {problem}")]
    Columns {
        /// The entity.
        entity: EntityName,
        /// What is wrong.
        problem: String,
    },
    /// A database does not answer as it should.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The target does not answer as it should.
    #[error("entity `{entity}`: the target's list cannot be read: {failure}")]
    Target {
        /// The entity.
        entity: EntityName,
        /// What it said.
        failure: Failure,
    },
    /// What does not fit into the memory cannot be kept on disk.
    #[error(transparent)]
    Spill(#[from] SortError),
    /// Whoever takes the lines has ended.
    #[error("the reading was stopped")]
    Stopped,
    /// A bug.
    #[error("a reading task ended without an answer: {0}")]
    Panicked(String),
}

/// A row that has no neutral form. Names the place, never the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The entity.
    pub entity: EntityName,
    /// The row's own id on that side: its source key, or its id in the target.
    pub id: String,
    /// The column.
    pub column: String,
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for RowProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}, column `{}`: {}", self.entity, self.id, self.column, self.reason)
    }
}
