//! The suite on a SQLite file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::port::Queue;
use haulier_testkit::contract::queue::{Bench, Doomed};

use super::clock;
use crate::embedded::{Options, open};

haulier_testkit::queue_contract!(on_a_file);

async fn on_a_file<F: Future<Output = ()>>(promise: impl FnOnce(Arc<dyn Bench>) -> F) {
    let folder = tempfile::tempdir().unwrap();
    promise(Arc::new(File { folder })).await;
}

struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn options(&self) -> Options {
        let file = self.folder.path().join("queue.db");
        Options { lease: Duration::from_secs(2), ..Options::new(file, clock()) }
    }
}

#[async_trait]
impl Bench for File {
    async fn open(&self) -> Arc<dyn Queue> {
        open(self.options()).await.unwrap()
    }

    /// The process is a runtime: shut down, it renews no lease and gives nothing back.
    async fn doomed(&self, prefetch: u16) -> Doomed {
        let process =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let options = self.options();
        let opened =
            process.spawn(async move { open(options).await.unwrap().consumer(prefetch).await.unwrap() });
        let consumer = opened.await.unwrap();
        Doomed { consumer, kill: Box::new(move || process.shutdown_background()) }
    }

    async fn plant(&self, bytes: &[u8]) {
        let file = self.options().file;
        drop(self.open().await);
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let pool = sqlx::sqlite::SqlitePool::connect_with(options).await.unwrap();
        let insert = sqlx::query("insert into message (message_id, body) values ('x', ?1)").bind(bytes);
        insert.execute(&pool).await.unwrap();
        pool.close().await;
    }
}
