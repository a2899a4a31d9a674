//! Keeps the book in a SQLite file: changes gather, one writer commits them together.

mod file;
mod sql;

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::book::Book;
use crate::config::{Config, StoreKind, Uniqueness};
use file::File;

/// How far the file holds what the book holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    UpTo(u64),
    Failed,
}

/// The file could not be written: nothing is answered any more but this.
#[derive(Debug)]
pub(crate) struct StoreFailed;

/// The book and its file.
#[derive(Debug)]
pub(crate) struct Store {
    book: Mutex<Book>,
    changed: Notify,
    closing: watch::Sender<bool>,
    held: watch::Sender<Held>,
    in_file: bool,
}

impl Store {
    /// Opens the file, reads it and starts the writer.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<(Arc<Self>, Option<JoinHandle<()>>)> {
        let unique = config.unique == Uniqueness::Enforced;
        let in_file = config.store != StoreKind::Memory;
        let mut book = Book::new(unique, config.idempotency_keys, in_file);
        let file = match &config.store {
            StoreKind::Memory => None,
            StoreKind::Sqlite { path, sync } => {
                let mut file =
                    File::open(path, *sync).await.with_context(|| format!("opening {}", path.display()))?;
                file.load(&mut book).await.with_context(|| format!("reading {}", path.display()))?;
                Some(file)
            }
        };
        let store = Arc::new(Self {
            book: Mutex::new(book),
            changed: Notify::new(),
            closing: watch::Sender::new(false),
            held: watch::Sender::new(Held::UpTo(0)),
            in_file,
        });
        let writer = file.map(|file| tokio::spawn(write(Arc::clone(&store), file)));
        Ok((store, writer))
    }

    /// Works on the book; the second value is the ticket of what was seen or done.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Book) -> T) -> (T, u64) {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let before = book.ticket();
        let result = work(&mut book);
        let ticket = book.ticket();
        drop(book);
        if ticket != before {
            self.changed.notify_one();
        }
        (result, ticket)
    }

    /// Waits until the file holds everything up to this ticket.
    pub(crate) async fn held(&self, ticket: u64) -> Result<(), StoreFailed> {
        if !self.in_file {
            return Ok(());
        }
        let mut held = self.held.subscribe();
        let now = held
            .wait_for(|held| match held {
                Held::UpTo(number) => *number >= ticket,
                Held::Failed => true,
            })
            .await
            .map_err(|_| StoreFailed)?;
        if *now == Held::Failed { Err(StoreFailed) } else { Ok(()) }
    }

    /// Tells the writer to write what is left and to end.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
        self.changed.notify_one();
    }
}

async fn write(store: Arc<Store>, mut file: File) {
    let closing = store.closing.subscribe();
    loop {
        store.changed.notified().await;
        let last = *closing.borrow();
        let (changes, ticket) = store.with(Book::take_pending);
        if !changes.is_empty() {
            if let Err(error) = file.write(changes).await {
                tracing::error!(%error, "the store could not be written; every request is answered with 500 from here on");
                store.held.send_replace(Held::Failed);
                return;
            }
            store.held.send_replace(Held::UpTo(ticket));
        }
        if last {
            file.close().await;
            return;
        }
    }
}
