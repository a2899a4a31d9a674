//! Why working stopped.

use haulier_core::port::{LedgerError, QueueError};

/// Why working stopped. What was in hand comes again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A parcel's task ended in a panic.
    #[error("a task of the worker failed: {0}")]
    Panicked(String),
}
