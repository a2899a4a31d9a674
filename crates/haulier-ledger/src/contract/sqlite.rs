//! The suite on a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use haulier_core::port::{Ledger, LedgerError};
use haulier_testkit::contract::ledger::Bench;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::sqlite::{SqliteOptions, Synchronous, open};

haulier_testkit::ledger_contract!(on_a_file);

async fn on_a_file<F: Future<Output = ()>>(promise: impl FnOnce(Arc<dyn Bench>) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(File { folder });
    promise(Arc::clone(&file) as Arc<dyn Bench>).await;
    let wrong = sqlx::query_as::<_, (i64, i64, i64)>(super::WRONG_COUNTS);
    assert_eq!(
        wrong.fetch_all(&mut file.connect().await).await.unwrap(),
        [],
        "the counts and the records differ"
    );
}

struct File {
    folder: tempfile::TempDir,
}

impl File {
    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("ledger.db")
    }

    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.path());
        SqliteConnection::connect_with(&options).await.unwrap()
    }
}

#[async_trait]
impl Bench for File {
    async fn open(&self) -> Result<Arc<dyn Ledger>, LedgerError> {
        open(&self.path(), SqliteOptions { synchronous: Synchronous::Normal }).await
    }

    async fn pretend_version(&self, version: i64) {
        let insert = sqlx::query("INSERT INTO ledger_version (version) VALUES ($1)").bind(version);
        insert.execute(&mut self.connect().await).await.unwrap();
    }
}
