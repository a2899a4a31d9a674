//! Why producing stopped.

use haulier_core::port::{LedgerError, QueueError, SourceError};
use haulier_core::{EntityName, SourceKey};

use crate::mapping::UnreadColumn;

/// Why producing stopped. Everything that is in the ledger stays, and the same command goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The plan.
    #[error(transparent)]
    Plan(#[from] UnreadColumn),
    /// The lease ran out while this process was held up, and another producer had it meanwhile.
    #[error("another producer took over while this one was held up; what this one had read is not used")]
    Overtaken,
    /// A row without a tenant, where the plan says `orphans = "stop"`.
    #[error(
        "entity `{entity}`, key {key}: the row belongs to no tenant, and the plan says `orphans = \"stop\"`"
    )]
    Orphan {
        /// The entity.
        entity: EntityName,
        /// The row.
        key: SourceKey,
    },
    /// The conservation law is broken: planned is not landed + dead + held + skipped + open.
    #[error("the ledger's counts of `{entity}` do not add up: {planned} planned, {counted} accounted for")]
    NotConserved {
        /// The entity.
        entity: EntityName,
        /// Planned.
        planned: u64,
        /// The sum of all states.
        counted: u64,
    },
    /// A task ended in a panic.
    #[error("a task of the producer failed: {0}")]
    Panicked(String),
}
