//! PostgreSQL's errors as the ledger's.

use haulier_core::port::LedgerError;

use crate::conn::Fault;

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

/// Another transaction came between, and this one did not happen: a deadlock, a serialization failure, or a unique value
/// that the other took first.
pub(crate) fn came_between(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| matches!(code.as_str(), "40001" | "40P01" | "23505"))
}

/// Whether the connection broke, so that nobody knows what became of the transaction.
pub(crate) fn is_lost(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    // A server that shuts down says so in the middle of a conversation.
    matches!(error, E::Io(_) | E::Tls(_) | E::Protocol(_) | E::WorkerCrashed)
        || code(error)
            .is_some_and(|code| code.starts_with("57P") || code.starts_with("08") || code == "25P03")
}

pub(crate) fn ledger_error(at: &str, doing: &'static str, error: &sqlx::Error) -> LedgerError {
    let at = at.to_owned();
    // Only the message: the detail of an error may hold values.
    let cause = error.as_database_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
    if is_lost(error) || matches!(error, sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) {
        return LedgerError::Unreachable { at, cause };
    }
    let Some(code) = code(error) else { return LedgerError::Failed { doing, cause } };
    match (code.as_str(), code.get(..2)) {
        ("53100", _) => LedgerError::DiskFull { at },
        // Access and rights.
        ("42501" | "3D000", _) | (_, Some("28")) => LedgerError::Credentials { at, cause },
        // Too many connections, no memory; cancelled by an operator or a limit; a server that only reads for now; a lock.
        ("57014" | "25006" | "55P03", _) | (_, Some("53")) => LedgerError::Unreachable { at, cause },
        _ if came_between(error) => LedgerError::Unreachable { at, cause },
        (_, Some("XX")) => LedgerError::Corrupt { problem: format!("{at}: {cause}") },
        _ => LedgerError::Failed { doing, cause },
    }
}

pub(crate) fn of_fault(at: &str, doing: &'static str, fault: &Fault) -> LedgerError {
    match fault {
        Fault::Ledger(error) => error.clone(),
        Fault::Again => LedgerError::Unreachable {
            at: at.to_owned(),
            cause: format!("other transactions came between while {doing}"),
        },
        Fault::Database(error) => ledger_error(at, doing, error),
    }
}
