//! The connection that never publishes: a broker alarm cannot hold up what goes over it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use haulier_core::port::QueueError;
use lapin::Connection;

use super::Options;
use super::link::connect;

/// Shares one connection among the consumers and the counting of a queue; made when it is first needed.
#[derive(Debug)]
pub(super) struct Lane {
    options: Arc<Options>,
    current: Mutex<Option<Arc<Connection>>>,
    /// One connects, the others wait for it.
    connecting: tokio::sync::Mutex<()>,
}

impl Lane {
    pub(super) fn new(options: Arc<Options>) -> Self {
        Self { options, current: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// The connection, made anew when the last one was discarded or has ended.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, QueueError> {
        let _turn = self.connecting.lock().await;
        let current = self.lock().clone();
        if let Some(connection) = current
            && connection.status().connected()
        {
            return Ok(connection);
        }
        let connection = Arc::new(connect(&self.options, "consuming").await?);
        *self.lock() = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Whoever saw an error says so: the driver's own status may still claim to be connected.
    pub(super) fn discard(&self, connection: &Arc<Connection>) {
        self.lock().take_if(|current| Arc::ptr_eq(current, connection));
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
