//! A ledger in a schema of a PostgreSQL database, which any number of processes on any hosts may share.

mod error;
mod options;
mod pool;
mod schema;
mod server;
mod session;
mod statements;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use haulier_core::port::{Ledger, LedgerError};

use crate::book::Book;

pub use options::{PostgresOptions, Tls};

/// Opens the ledger in a schema, and makes schema and tables where they are missing.
///
/// The user must own the schema, or have `USAGE` and `CREATE` on it; to have it made, `CREATE` on the database. A pooler
/// between must keep a session's settings and prepared statements.
pub async fn open(options: &PostgresOptions) -> Result<Arc<dyn Ledger>, LedgerError> {
    Ok(Arc::new(Book::new(server::Server::open(options).await?)))
}
