#![doc = include_str!("../README.md")]

mod adapter;
mod catalogue;
#[cfg(test)]
mod contract;
mod driver;
mod fault;
mod gauge;
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

use haulier_core::port::{Probe, Source, SourceError};

pub use gauge::Gauge;
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

/// Makes probes of these gauges, in their order, on connections of their own, so that walks never wait for them nor they for
/// walks. The options' statement time-out is what a reading may take.
#[must_use]
pub fn probes(options: &Options, gauges: Vec<Gauge>) -> Vec<Arc<dyn Probe>> {
    let limit = options.statement_timeout;
    let options =
        &Options { connections: u32::try_from(gauges.len()).unwrap_or(u32::MAX), ..options.clone() };
    match &options.engine {
        Engine::Postgres(server) => gauged(postgres::Postgres::new(server, options), gauges, limit),
        Engine::MySql(server) => gauged(mysql::MySql::new(server, options), gauges, limit),
        Engine::Sqlite(path) => gauged(sqlite::Sqlite::new(path, options), gauges, limit),
    }
}

fn gauged<D: driver::Driver + 'static>(
    driver: D,
    gauges: Vec<Gauge>,
    limit: std::time::Duration,
) -> Vec<Arc<dyn Probe>> {
    let driver = Arc::new(driver);
    let probe = |gauge| Arc::new(gauge::Gauged::new(Arc::clone(&driver), gauge, limit)) as Arc<dyn Probe>;
    gauges.into_iter().map(probe).collect()
}
