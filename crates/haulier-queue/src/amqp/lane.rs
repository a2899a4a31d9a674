//! The connection that never publishes: a broker alarm cannot hold up what goes over it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt;
use haulier_core::port::QueueError;
use lapin::{Connection, Event};
use tokio_util::sync::CancellationToken;

use super::Options;
use super::link::connect;

/// Shares one connection among the consumers and the counting of a queue; made when it is first needed.
#[derive(Debug)]
pub(super) struct Lane {
    options: Arc<Options>,
    current: Mutex<Option<Arc<Line>>>,
    /// One connects, the others wait for it.
    connecting: tokio::sync::Mutex<()>,
}

/// A connection, and the news that it is broken.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) connection: Connection,
    /// Cancelled when it is: the driver leaves some of its answers open for ever when a connection breaks, so
    /// whoever waits for one waits for this as well.
    pub(super) broken: CancellationToken,
}

impl Lane {
    pub(super) fn new(options: Arc<Options>) -> Self {
        Self { options, current: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// The connection, made anew when the last one is broken.
    pub(super) async fn line(&self) -> Result<Arc<Line>, QueueError> {
        let _turn = self.connecting.lock().await;
        let current = self.lock().clone();
        if let Some(line) = current
            && !line.broken.is_cancelled()
            && line.connection.status().connected()
        {
            return Ok(line);
        }
        let connection = connect(&self.options, "consuming").await?;
        let broken = CancellationToken::new();
        let (mut events, news) = (connection.events_listener().boxed(), broken.clone());
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let Event::Error(_) = event {
                    break;
                }
            }
            news.cancel();
        });
        let line = Arc::new(Line { connection, broken });
        *self.lock() = Some(Arc::clone(&line));
        Ok(line)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Line>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
