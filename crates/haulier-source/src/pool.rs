//! Connections: at most so many, opened when needed, never reused after a call that did not end well.
//!
//! A pool of our own, because a call that is dropped half-way must close its connection (the next call would wait
//! for the rest of the answer), and because a refused connection must be told at once instead of tried again unseen.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::Connection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::fault::Fault;

/// How long a connection may take to be made.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A connection that idled longer is asked whether it lives before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(5);

/// What the network may add to the time that the server allows a statement.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// Waits for work on a connection no longer than the server's limit makes likely.
pub(crate) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>> + Send,
    fault: fn(&sqlx::Error) -> Fault,
) -> Result<T, Fault> {
    match timeout(patience, work).await {
        Ok(result) => result.map_err(|error| fault(&error)),
        Err(_) => Err(Fault::Unreachable(format!("no answer within {} s", patience.as_secs()))),
    }
}

/// Makes connections.
#[async_trait]
pub(crate) trait Connect: Send + Sync {
    type Connection: Connection + Send;

    /// One connection, its session set up.
    async fn connect(&self) -> Result<Self::Connection, Fault>;
}

/// The pool.
pub(crate) struct Pool<C: Connect> {
    maker: C,
    permits: Semaphore,
    idle: Mutex<Vec<(C::Connection, Instant)>>,
}

/// A connection on loan. Closed when dropped; [`Lease::give_back`] keeps it for the next call.
pub(crate) struct Lease<'a, C: Connect> {
    pub(crate) connection: C::Connection,
    pool: &'a Pool<C>,
    _permit: SemaphorePermit<'a>,
}

impl<C: Connect> Pool<C> {
    pub(crate) fn new(maker: C, size: u32) -> Self {
        let permits = Semaphore::new(usize::try_from(size.max(1)).unwrap_or(1));
        Self { maker, permits, idle: Mutex::new(Vec::new()) }
    }

    /// Waits for a free place, then takes an idle connection or makes one.
    pub(crate) async fn lease(&self) -> Result<Lease<'_, C>, Fault> {
        let permit = self.permits.acquire().await.map_err(|error| Fault::Failed(error.to_string()))?;
        while let Some((mut connection, since)) = self.pop() {
            let alive = since.elapsed() < TRUSTED_FOR
                || matches!(timeout(CONNECT_WITHIN, connection.ping()).await, Ok(Ok(())));
            if alive {
                return Ok(Lease { connection, pool: self, _permit: permit });
            }
        }
        match timeout(CONNECT_WITHIN, self.maker.connect()).await {
            Ok(Ok(connection)) => Ok(Lease { connection, pool: self, _permit: permit }),
            // Whatever answers there does not speak as the engine does.
            Ok(Err(Fault::Failed(cause))) => Err(Fault::Unreachable(cause)),
            Ok(Err(fault)) => Err(fault),
            Err(_) => Err(Fault::Unreachable(format!("no connection within {} s", CONNECT_WITHIN.as_secs()))),
        }
    }

    fn pop(&self) -> Option<(C::Connection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

impl<C: Connect> Lease<'_, C> {
    /// Keeps the connection. Only after a call whose answer was read to its end.
    pub(crate) fn give_back(self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((self.connection, Instant::now()));
    }
}
