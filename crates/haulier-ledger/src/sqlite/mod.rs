//! A ledger in one SQLite file, which any number of processes on one host may share.

mod encode;
mod error;
mod quick;
mod schema;
mod session;
mod statements;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Ledger, LedgerError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqlitePool};

use crate::book::Book;
use crate::conn::{Backend, Work};
use session::Session;
use writer::Writer;

/// How long a call waits for other processes that write.
const BUSY: Duration = Duration::from_secs(10);
/// Page caches, in KiB: the ledger's memory stays the same whatever its size.
const WRITER_CACHE: &str = "-8192";
const READER_CACHE: &str = "-2048";
const READERS: u32 = 2;

/// How the file is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SqliteOptions {
    /// What a commit waits for.
    pub synchronous: Synchronous,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// The disk: what was answered survives a power cut.
    #[default]
    Full,
    /// The operating system: what was answered survives a crash of haulier, but the last moments may be lost in a
    /// power cut. The file stays whole.
    Normal,
}

/// Opens the ledger in a file, and makes it where it is missing.
pub async fn open(path: &Path, options: SqliteOptions) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(Arc::new(Book::new(File::open(path, options, Limits::default()).await?)))
}

/// What tests make small.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long a call waits for other processes that write.
    pub(crate) busy: Duration,
    /// Pages of the file, as a disk may have no more.
    pub(crate) pages: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { busy: BUSY, pages: u32::MAX - 1 }
    }
}

/// Only the owner may read the file; what SQLite puts beside it gets the same rights.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Two processes that make the same file at once get in each other's way for a moment, whatever the time-out says.
async fn connect_patiently(
    options: &SqliteConnectOptions,
    at: &str,
) -> Result<sqlx::SqliteConnection, LedgerError> {
    let until = tokio::time::Instant::now() + BUSY;
    loop {
        match sqlx::SqliteConnection::connect_with(options).await {
            Ok(conn) => return Ok(conn),
            Err(error) if error::is_busy(&error) && tokio::time::Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(error::ledger_error(at, "opening it", &error)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct File {
    at: Arc<str>,
    writer: Writer,
    readers: SqlitePool,
}

impl File {
    pub(crate) async fn open(
        path: &Path,
        options: SqliteOptions,
        limits: Limits,
    ) -> Result<Self, LedgerError> {
        let at: Arc<str> = path.display().to_string().into();
        make_private(path)
            .map_err(|error| LedgerError::Unreachable { at: at.to_string(), cause: error.to_string() })?;
        let synchronous = match options.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        };
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .foreign_keys(false)
            .busy_timeout(limits.busy)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .statement_cache_capacity(256)
            .pragma("cache_size", WRITER_CACHE)
            .pragma("temp_store", "MEMORY")
            .pragma("wal_autocheckpoint", "16384")
            .pragma("journal_size_limit", "134217728")
            .pragma("max_page_count", limits.pages.to_string())
            .thread_name(|id| format!("ledger-{id}"))
            .disable_statement_logging();
        let mut writing = connect_patiently(&connect, &at).await?;
        schema::migrate(&mut writing, &at).await?;
        let reading = connect.pragma("cache_size", READER_CACHE).pragma("query_only", "ON");
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(BUSY)
            .test_before_acquire(false)
            .connect_lazy_with(reading);
        Ok(Self { writer: Writer::start(Arc::clone(&at), writing), readers, at })
    }
}

impl Backend for File {
    async fn write<W: Work>(&self, work: W) -> Result<W::Out, LedgerError> {
        self.writer.call(work).await
    }

    async fn read<W: Work>(&self, work: W) -> Result<W::Out, LedgerError> {
        let lost = |error: &sqlx::Error| error::ledger_error(&self.at, W::DOING, error);
        let mut conn = self.readers.acquire().await.map_err(|error| lost(&error))?;
        let done = work.run(&mut Session::reading(&mut conn)).await;
        done.map_err(|fault| error::of_fault(&self.at, W::DOING, &fault))
    }
}
