//! Brakes: conditions that hold a side still, each with a name, a value, a limit and a since.
//!
//! A [`Brake`] takes the readings of one gauge and says whether it holds. What cannot be read holds, too: a source that
//! does not answer a question about its load is no source to read harder. It lets go late, so that the flow does not
//! flutter. A brake never ends a run.

mod holding;
mod machine;
mod rule;
#[cfg(test)]
mod tests;

pub use holding::Holding;
pub use machine::Brake;
pub use rule::{BrakeRule, OnError, Unit};

/// Names of the brakes that are always there, or that have a key of their own.
pub mod name {
    /// How far a replica of the source is behind.
    pub const SOURCE_LAG: &str = "src-lag";
    /// How much the source has to do.
    pub const SOURCE_LOAD: &str = "src-load";
    /// The age of our oldest transaction in the source.
    pub const OLDEST_TRANSACTION: &str = "oldest-tx";
    /// Chunks that the source does not deliver in time, however small.
    pub const CHUNK_TIME: &str = "chunk-time";
    /// Messages that wait in the queue.
    pub const QUEUE_READY: &str = "queue-ready";
    /// The broker's own alarm (`connection.blocked`).
    pub const QUEUE_ALARM: &str = "queue-alarm";
    /// The target asked to wait (429, `Retry-After`).
    pub const TARGET_WAIT: &str = "target-wait";
    /// Most of what is sent fails.
    pub const TARGET_BREAKER: &str = "target-breaker";
    /// The target refuses the credentials, whoever is asked for (401, 403).
    pub const TARGET_CREDENTIALS: &str = "target-credentials";
    /// The target refuses the credentials for some tenants, and lets others in.
    pub const TENANT_CREDENTIALS: &str = "tenant-credentials";

    /// No controller walks the stages of the run.
    pub const CONTROLLER: &str = "controller";

    /// All of them.
    pub const ALL: [&str; 11] = [
        CONTROLLER,
        SOURCE_LAG,
        SOURCE_LOAD,
        OLDEST_TRANSACTION,
        CHUNK_TIME,
        QUEUE_READY,
        QUEUE_ALARM,
        TARGET_WAIT,
        TARGET_BREAKER,
        TARGET_CREDENTIALS,
        TENANT_CREDENTIALS,
    ];
}
