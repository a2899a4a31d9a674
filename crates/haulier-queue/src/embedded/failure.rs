//! What SQLite's errors mean for whoever uses the queue.

use std::path::Path;

use haulier_core::port::QueueError;

/// Tells a driver's error in the port's words.
pub(super) fn classify(file: &Path, doing: &'static str, error: &sqlx::Error) -> QueueError {
    let at = file.display().to_string();
    match primary_code(error) {
        Some(FULL) => QueueError::Failed { doing, cause: format!("the disk that holds {at} is full") },
        Some(BUSY | LOCKED) => {
            QueueError::Unreachable { at, cause: "another process keeps the file locked".to_owned() }
        }
        Some(CANNOT_OPEN) => QueueError::Unreachable { at, cause: "the file cannot be opened".to_owned() },
        Some(NOT_A_DATABASE) => {
            QueueError::Mismatch { queue: at, problem: "it is no SQLite file".to_owned() }
        }
        Some(CORRUPT) => QueueError::Mismatch { queue: at, problem: "the file is damaged".to_owned() },
        Some(_) | None => QueueError::Failed { doing, cause: format!("{at}: {error}") },
    }
}

const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;

/// The low byte of SQLite's extended result code.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
