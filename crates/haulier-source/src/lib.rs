#![doc = include_str!("../README.md")]

mod adapter;
mod catalogue;
#[cfg(test)]
mod contract;
mod driver;
mod fault;
mod mysql;
mod options;
mod pool;
mod postgres;
mod range;
mod relation;
mod row;
mod sql;
mod sqlite;
mod tenant;
mod text;
mod walk;

use std::sync::Arc;

use haulier_core::port::{Source, SourceError};

pub use options::{Engine, Options, OptionsError, Server, Tls};

/// Makes a source. Connections are opened when they are needed, so an unreachable host or a wrong password
/// is the error of the first call; only a missing file (a SQLite database, a CA certificate) is found here.
pub async fn open(options: Options) -> Result<Arc<dyn Source>, SourceError> {
    if let Some(path) = options.file()
        && let Err(error) = tokio::fs::metadata(path).await
    {
        return Err(SourceError::Unreachable { at: path.display().to_string(), cause: error.to_string() });
    }
    let limit = options.statement_timeout;
    Ok(match &options.engine {
        Engine::Postgres(server) => {
            Arc::new(adapter::Adapter::new(postgres::Postgres::new(server, &options), limit))
        }
        Engine::MySql(server) => Arc::new(adapter::Adapter::new(mysql::MySql::new(server, &options), limit)),
        Engine::Sqlite(path) => Arc::new(adapter::Adapter::new(sqlite::Sqlite::new(path, &options), limit)),
    })
}
