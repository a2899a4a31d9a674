//! SQLite's errors as the ledger's.

use haulier_core::port::LedgerError;

use crate::conn::Fault;

/// The primary result code, and the extended one.
pub(crate) fn codes(error: &sqlx::Error) -> Option<(i64, i64)> {
    let code = error.as_database_error()?.code()?.parse::<i64>().ok()?;
    Some((code & 0xff, code))
}

/// Whether another connection holds a lock.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(codes(error), Some((5 | 6, _)))
}

pub(crate) fn ledger_error(at: &str, doing: &'static str, error: &sqlx::Error) -> LedgerError {
    let (at, cause) = (at.to_owned(), error.to_string());
    match codes(error) {
        // SQLITE_FULL; and a write, a sync or an extension of the shared memory that failed.
        Some((13, _) | (10, 778 | 1034 | 1290 | 4874)) => LedgerError::DiskFull { at },
        // PERM, BUSY, LOCKED, READONLY, other IOERR, CANTOPEN, AUTH.
        Some((3 | 5 | 6 | 8 | 10 | 14 | 23, _)) => LedgerError::Unreachable { at, cause },
        // CORRUPT, NOTADB.
        Some((11 | 26, _)) => LedgerError::Corrupt { problem: format!("{at}: {cause}") },
        Some(_) => LedgerError::Failed { doing, cause },
        None if is_lost(error) => LedgerError::Unreachable { at, cause },
        None => LedgerError::Failed { doing, cause },
    }
}

fn is_lost(error: &sqlx::Error) -> bool {
    use sqlx::Error as E;
    matches!(error, E::Io(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed)
}

pub(crate) fn of_fault(at: &str, doing: &'static str, fault: &Fault) -> LedgerError {
    match fault {
        Fault::Ledger(error) => error.clone(),
        Fault::Again => LedgerError::Unreachable {
            at: at.to_owned(),
            cause: format!("other connections came between while {doing}"),
        },
        Fault::Database(error) => ledger_error(at, doing, error),
    }
}
