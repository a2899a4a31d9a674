//! The probe port: one gauge of a neighbour, which a brake watches.

use std::fmt::Debug;

use async_trait::async_trait;

/// One gauge.
#[async_trait]
pub trait Probe: Debug + Send + Sync {
    /// Reads it. Cancel safe: a dropped reading leaves nothing behind.
    async fn read(&self) -> Result<f64, ProbeError>;
}

/// Why a gauge has no reading.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeError {
    /// The neighbour knows no value.
    #[error("is NULL")]
    Null,
    /// No answer in time.
    #[error("did not answer within {after_ms} ms")]
    TimedOut {
        /// How long it was waited for.
        after_ms: u64,
    },
    /// What came is no gauge at all: text, several rows or columns, none. Found by `haulier check`.
    #[error("is no gauge: {0}")]
    Unfit(String),
    /// Anything else, with the neighbour's words.
    #[error("failed: {0}")]
    Failed(String),
}
