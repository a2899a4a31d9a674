//! A database of its own for each test, dropped at its end however the test ends.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use haulier_core::port::Source;
use haulier_testkit::contract::source::fixture::{Engine, statements};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use crate::{Options, open};

/// The contract's database on PostgreSQL.
pub(super) async fn on_postgres<T: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Source>, Engine) -> T) {
    postgres(&statements(Engine::Postgres), |source, _| test(source, Engine::Postgres)).await;
}

/// The contract's database on MySQL or MariaDB.
pub(super) async fn on_mysql<T: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Source>, Engine) -> T) {
    mysql(&statements(Engine::MySql), |source, _| test(source, Engine::MySql)).await;
}

/// The contract's database on SQLite.
pub(super) async fn on_sqlite<T: Future<Output = ()>>(test: impl FnOnce(Arc<dyn Source>, Engine) -> T) {
    sqlite(&statements(Engine::Sqlite), |source, _| test(source, Engine::Sqlite)).await;
}

/// A PostgreSQL database made by these statements; the test also gets the options to change.
pub(super) async fn postgres<T: Future<Output = ()>>(
    statements: &[String],
    test: impl FnOnce(Arc<dyn Source>, Options) -> T,
) {
    let url = service("HAULIER_TEST_POSTGRES_URL");
    let name = format!("haulier_source_{}", uuid::Uuid::now_v7().simple());
    let admin: PgConnectOptions = url.parse().unwrap();
    let mut connection: PgConnection = admin.connect().await.expect("run `scripts/services.sh start`");
    run(&mut connection, &format!("create database {name}")).await;
    let options = Options::from_url(&with_database(&url, &name), None).unwrap();
    let outcome = AssertUnwindSafe(async {
        let mut own: PgConnection = admin.clone().database(&name).connect().await.unwrap();
        for statement in statements {
            run(&mut own, statement).await;
        }
        own.close().await.unwrap();
        test(open(options.clone()).await.unwrap(), options).await;
    })
    .catch_unwind()
    .await;
    run(&mut connection, &format!("drop database {name} with (force)")).await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

/// A MySQL or MariaDB database made by these statements.
pub(super) async fn mysql<T: Future<Output = ()>>(
    statements: &[String],
    test: impl FnOnce(Arc<dyn Source>, Options) -> T,
) {
    let url = service("HAULIER_TEST_MYSQL_URL");
    let name = format!("haulier_source_{}", uuid::Uuid::now_v7().simple());
    let admin: MySqlConnectOptions = url.parse().unwrap();
    let mut connection: MySqlConnection = admin.connect().await.expect("run `scripts/services.sh start`");
    run(&mut connection, &format!("create database {name} character set utf8mb4")).await;
    let options = Options::from_url(&with_database(&url, &name), None).unwrap();
    let outcome = AssertUnwindSafe(async {
        let mut own: MySqlConnection = admin.clone().database(&name).connect().await.unwrap();
        for statement in statements {
            run(&mut own, statement).await;
        }
        own.close().await.unwrap();
        test(open(options.clone()).await.unwrap(), options).await;
    })
    .catch_unwind()
    .await;
    run(&mut connection, &format!("drop database {name}")).await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

/// A SQLite file made by these statements.
pub(super) async fn sqlite<T: Future<Output = ()>>(
    statements: &[String],
    test: impl FnOnce(Arc<dyn Source>, Options) -> T,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("source.db");
    let create = SqliteConnectOptions::new().filename(&path).create_if_missing(true).foreign_keys(false);
    let mut own: SqliteConnection = create.connect().await.unwrap();
    for statement in statements {
        own.execute(AssertSqlSafe(statement.clone())).await.unwrap();
    }
    own.close().await.unwrap();
    let options = Options::from_url(&format!("sqlite:{}", path.display()), None).unwrap();
    test(open(options.clone()).await.unwrap(), options).await;
}

/// The address of a test service.
pub(super) fn service(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `scripts/services.sh start` and `. target/services/env`")
    })
}

fn with_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

async fn run<C>(connection: &mut C, statement: &str)
where
    for<'c> &'c mut C: Executor<'c>,
{
    if let Err(error) = connection.execute(AssertSqlSafe(statement.to_owned())).await {
        panic!("{statement}: {error}");
    }
}

/// Drops a role of PostgreSQL.
pub(super) async fn drop_role(name: &str) {
    let admin: PgConnectOptions = service("HAULIER_TEST_POSTGRES_URL").parse().unwrap();
    run(&mut admin.connect().await.unwrap(), &format!("drop role {name}")).await;
}

/// How many sessions of that name a database of PostgreSQL has.
pub(super) async fn sessions(database: &str, application: &str) -> i64 {
    let admin: PgConnectOptions = service("HAULIER_TEST_POSTGRES_URL").parse().unwrap();
    let count = "select count(*) from pg_stat_activity where datname = $1 and application_name = $2";
    let query = sqlx::query_scalar(count).bind(database.to_owned()).bind(application.to_owned());
    query.fetch_one(&mut admin.connect().await.unwrap()).await.unwrap()
}
