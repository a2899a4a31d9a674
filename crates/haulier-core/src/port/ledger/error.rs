//! Why the ledger did not answer.

use crate::{ProcessId, RunId};

/// Why the ledger did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// No connection, a locked file, or a full disk; nothing was stored.
    #[error("the ledger at {at} cannot be used: {cause}")]
    Unreachable {
        /// Host and port, or file.
        at: String,
        /// The driver's words.
        cause: String,
    },
    /// The database refuses the user.
    #[error("the ledger at {at} refuses the credentials: {cause}")]
    Credentials {
        /// Host and port.
        at: String,
        /// The server's words.
        cause: String,
    },
    /// The disk is full; nothing was stored.
    #[error("the disk of the ledger at {at} is full")]
    DiskFull {
        /// Host and port, or file.
        at: String,
    },
    /// It was written by a newer haulier.
    #[error("the ledger has version {found}, this haulier knows versions up to {known}")]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// It belongs to another plan.
    #[error("the ledger belongs to the plan `{found}`, not to `{asked}`")]
    OtherPlan {
        /// The plan it belongs to.
        found: String,
        /// The plan that asked.
        asked: String,
    },
    /// The plan changed while its run is unfinished.
    #[error("run {run} is unfinished and was started with another version of the plan")]
    PlanChanged {
        /// The run.
        run: RunId,
    },
    /// Another process holds the lease.
    #[error("{holder} on {host} (pid {pid}) already produces for run {run}")]
    LeaseHeld {
        /// The run.
        run: RunId,
        /// The process that holds it.
        holder: ProcessId,
        /// Its host.
        host: String,
        /// Its process id.
        pid: u32,
    },
    /// A stored value makes no sense: the file was changed by others, or this is a bug.
    #[error("the ledger holds something that makes no sense: {problem}")]
    Corrupt {
        /// What.
        problem: String,
    },
    /// Anything else.
    #[error("the ledger failed while {doing}: {cause}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        cause: String,
    },
}

impl LedgerError {
    /// Whether the same call may succeed later without anybody changing haulier or its files.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::DiskFull { .. } => true,
            Self::Credentials { .. }
            | Self::Newer { .. }
            | Self::OtherPlan { .. }
            | Self::PlanChanged { .. }
            | Self::LeaseHeld { .. }
            | Self::Corrupt { .. }
            | Self::Failed { .. } => false,
        }
    }
}
