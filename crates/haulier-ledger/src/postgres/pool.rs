//! Connections that are kept for the next call. One that was in the middle of anything is closed, never kept.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a call waits for a connection.
const CONNECT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Pool {
    options: PgConnectOptions,
    /// Statements that every connection begins with.
    settings: Arc<str>,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<PgConnection>>,
}

/// A connection in use.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) conn: PgConnection,
    permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(options: PgConnectOptions, settings: String, connections: u32) -> Self {
        let permits = usize::try_from(connections.max(1)).unwrap_or(1);
        Self {
            options: options.disable_statement_logging(),
            settings: settings.into(),
            permits: Arc::new(Semaphore::new(permits)),
            idle: Mutex::default(),
        }
    }

    pub(crate) async fn take(&self) -> Result<Lease, sqlx::Error> {
        let permit = timeout(CONNECT, Arc::clone(&self.permits).acquire_owned());
        let permit =
            permit.await.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => timeout(CONNECT, self.connect()).await.map_err(|_| sqlx::Error::PoolTimedOut)??,
        };
        Ok(Lease { conn, permit })
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut conn = self.options.connect().await?;
        conn.execute(AssertSqlSafe(Arc::clone(&self.settings))).await?;
        Ok(conn)
    }

    /// Keeps a connection that has ended its transaction.
    pub(crate) fn keep(&self, lease: Lease) {
        let Lease { conn, permit } = lease;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        drop(permit);
    }

    /// Closes what is kept: the server went away, and these connections with it.
    pub(crate) fn forget(&self) {
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        drop(idle);
    }
}
