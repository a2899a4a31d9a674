//! The embedded adapter: one SQLite file, shared by any number of processes of one machine.
//!
//! A message is taken by a *lease*: the row names the consumer that holds it, and that consumer renews its lease
//! every second while it lives. A killed consumer's rows are anybody's again when its lease has run out; a dropped
//! one gives its rows back at once.

mod consumer;
mod failure;
mod file;
mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::Parcel;
use haulier_core::port::{Clock, Consumer, Depth, Queue, QueueError};

use crate::task::detached;
use crate::wire;
use store::Store;

/// Where the file is and how it is used.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file; made when it is missing, readable by its owner only.
    pub file: PathBuf,
    /// The time by which leases and delays are counted: the same for every process that shares the file.
    pub clock: Arc<dyn Clock>,
    /// How long a consumer that fell silent keeps its rows.
    pub lease: Duration,
    /// The largest message; a parcel over it travels in parts.
    pub max_bytes: usize,
}

impl Options {
    /// The usual settings: a lease of 5 s, messages of 8 MiB at most.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        Self { file: file.into(), clock, lease: Duration::from_secs(5), max_bytes: wire::DEFAULT_MAX_BYTES }
    }
}

/// Opens the file, and makes it when it is missing.
pub async fn open(options: Options) -> Result<Arc<dyn Queue>, QueueError> {
    let max_bytes = options.max_bytes;
    let store = Arc::new(Store::open(options, |connect| connect).await?);
    Ok(Arc::new(Embedded { store, max_bytes }))
}

#[derive(Debug)]
struct Embedded {
    store: Arc<Store>,
    max_bytes: usize,
}

#[async_trait]
impl Queue for Embedded {
    async fn publish(&self, parcels: &[Parcel]) -> Result<(), QueueError> {
        let messages = wire::pack(parcels, self.max_bytes)?;
        if messages.is_empty() {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        detached("publishing", async move { store.put(&messages).await }).await
    }

    async fn consumer(&self, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
        let store = Arc::clone(&self.store);
        detached("opening a consumer", async move { consumer::open(store, prefetch).await }).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.store.depth().await
    }
}

#[cfg(test)]
mod tests;
