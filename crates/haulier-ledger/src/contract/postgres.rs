//! The suite on a PostgreSQL server.

use std::sync::Arc;

use async_trait::async_trait;
use haulier_core::port::{Ledger, LedgerError};
use haulier_testkit::contract::ledger::Bench;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::postgres::{PostgresOptions, open};

haulier_testkit::ledger_contract!(on_a_server);

async fn on_a_server<F: Future<Output = ()>>(promise: impl FnOnce(Arc<dyn Bench>) -> F) {
    let schema = Arc::new(Schema::new());
    promise(Arc::clone(&schema) as Arc<dyn Bench>).await;
    let wrong = sqlx::query_as::<_, (i64, i64, i64)>(super::WRONG_COUNTS);
    let wrong = wrong.fetch_all(&mut schema.connect().await).await.unwrap();
    schema.remove().await;
    assert_eq!(wrong, [], "the counts and the records differ");
}

/// A schema with a name of its own.
pub(crate) struct Schema {
    pub(crate) server: PgConnectOptions,
    pub(crate) name: String,
}

impl Schema {
    pub(crate) fn new() -> Self {
        let url = std::env::var("HAULIER_TEST_POSTGRES_URL")
            .expect("HAULIER_TEST_POSTGRES_URL is not set: run `scripts/services.sh start`, then `. target/services/env`");
        let name = tempfile::Builder::new().prefix("ledger_").tempfile().unwrap();
        let name = name.path().file_name().unwrap().to_str().unwrap().to_owned();
        Self { server: url.parse().unwrap(), name }
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions {
            port: self.server.get_port(),
            schema: self.name.clone(),
            ..PostgresOptions::new(
                self.server.get_host(),
                self.server.get_username(),
                self.server.get_database().unwrap(),
            )
        }
    }

    pub(crate) async fn server_connection(&self) -> PgConnection {
        PgConnection::connect_with(&self.server).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        let mut conn = self.server_connection().await;
        let path = format!("SET search_path TO \"{}\"", self.name);
        conn.execute(AssertSqlSafe(path)).await.unwrap();
        conn
    }

    pub(crate) async fn remove(&self) {
        let mut conn = self.connect().await;
        let drop = format!("DROP SCHEMA \"{}\" CASCADE", self.name);
        conn.execute(AssertSqlSafe(drop)).await.unwrap();
    }
}

#[async_trait]
impl Bench for Schema {
    async fn open(&self) -> Result<Arc<dyn Ledger>, LedgerError> {
        open(&self.options()).await
    }

    async fn pretend_version(&self, version: i64) {
        let insert = sqlx::query("INSERT INTO ledger_version (version) VALUES ($1)").bind(version);
        insert.execute(&mut self.connect().await).await.unwrap();
    }
}
