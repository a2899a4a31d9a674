//! The real servers, by the addresses that `scripts/services.sh` gives.

use std::fmt::Write;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, MySqlConnection, PgConnection, SqliteConnection};

use super::{field, http};

/// Which engine the source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    MariaDb,
    Sqlite,
}

/// An address from the environment.
pub(crate) fn address(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `scripts/services.sh start` and `. target/services/env`")
    })
}

/// A name that no other test uses.
pub(crate) fn unique_name() -> String {
    format!("t_{:016x}", RandomState::new().build_hasher().finish())
}

fn with_database(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

/// Makes the source database and fills it from the SQLite file.
pub(crate) async fn create_source(engine: Engine, name: &str, from: &Path) {
    let mut script = match engine {
        Engine::Sqlite => return,
        Engine::Postgres => field::POSTGRES,
        Engine::MariaDb => field::MYSQL,
    }
    .to_owned();
    for (table, columns) in field::TABLES {
        let rows = field::rows(from, table, columns).await;
        for rows in rows.chunks(500) {
            let cells = |row: &Vec<Option<String>>| {
                let cells =
                    columns.iter().zip(row).map(|(column, cell)| literal(engine, column, cell.as_deref()));
                format!("({})", cells.collect::<Vec<_>>().join(", "))
            };
            let rows: Vec<String> = rows.iter().map(cells).collect();
            writeln!(script, "insert into {table} values {};", rows.join(", ")).unwrap();
        }
    }
    create_database(engine, name, from, &script).await;
}

/// A cell as SQL writes it.
fn literal(engine: Engine, column: &str, cell: Option<&str>) -> String {
    let Some(text) = cell else { return "null".to_owned() };
    let text = text.replace('\'', "''");
    match engine {
        // The engine takes no `Z`: its type has no zone, and ours is UTC.
        Engine::MariaDb if column.ends_with("_at") => {
            format!("'{}'", text.trim_end_matches('Z').replace('T', " "))
        }
        Engine::MariaDb => format!("'{}'", text.replace('\\', "\\\\")),
        Engine::Postgres | Engine::Sqlite => format!("'{text}'"),
    }
}

/// Makes a database of that name (or a SQLite file) and runs a script in it.
pub(crate) async fn create_database(engine: Engine, name: &str, file: &Path, script: &str) {
    match engine {
        Engine::Sqlite => {}
        Engine::Postgres => {
            let mut at = PgConnection::connect(&address("HAULIER_TEST_POSTGRES_URL")).await.unwrap();
            at.execute(sqlx::AssertSqlSafe(format!("create database {name}"))).await.unwrap();
        }
        Engine::MariaDb => {
            let mut at = MySqlConnection::connect(&address("HAULIER_TEST_MYSQL_URL")).await.unwrap();
            let sql = format!("create database {name} character set utf8mb4 collate utf8mb4_nopad_bin");
            at.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
        }
    }
    execute(engine, name, file, script).await;
}

/// Runs a script in a database that was made before.
pub(crate) async fn execute(engine: Engine, name: &str, file: &Path, script: &str) {
    let script = sqlx::raw_sql(sqlx::AssertSqlSafe(script.to_owned()));
    match engine {
        Engine::Sqlite => {
            let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
            let mut at = SqliteConnection::connect_with(&options).await.unwrap();
            script.execute(&mut at).await.unwrap();
            at.close().await.unwrap();
        }
        Engine::Postgres => {
            let url = with_database(&address("HAULIER_TEST_POSTGRES_URL"), name);
            script.execute(&mut PgConnection::connect(&url).await.unwrap()).await.unwrap();
        }
        Engine::MariaDb => {
            let url = with_database(&address("HAULIER_TEST_MYSQL_URL"), name);
            script.execute(&mut MySqlConnection::connect(&url).await.unwrap()).await.unwrap();
        }
    }
}

/// Fills `strings (id, value)` with bound values.
pub(crate) async fn insert_strings(engine: Engine, name: &str, file: &Path, strings: &[String]) {
    let places = if engine == Engine::Postgres { "$1, $2" } else { "?, ?" };
    let sql = format!("insert into strings values ({places})");
    macro_rules! insert {
        ($at:expr) => {{
            let mut at = $at.await.unwrap();
            let mut transaction = at.begin().await.unwrap();
            for (id, text) in (0_i32..).zip(strings) {
                let query = sqlx::query(sqlx::AssertSqlSafe(sql.clone())).bind(id).bind(text);
                query.execute(&mut *transaction).await.unwrap();
            }
            transaction.commit().await.unwrap();
        }};
    }
    match engine {
        Engine::Sqlite => {
            insert!(SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)));
        }
        Engine::Postgres => {
            insert!(PgConnection::connect(&with_database(&address("HAULIER_TEST_POSTGRES_URL"), name)));
        }
        Engine::MariaDb => {
            insert!(MySqlConnection::connect(&with_database(&address("HAULIER_TEST_MYSQL_URL"), name)));
        }
    }
}

/// The source's line in the site file.
pub(crate) fn source_url(engine: Engine, name: &str, field: &Path) -> String {
    match engine {
        Engine::Sqlite => format!("url = \"sqlite:{}\"", field.display()),
        Engine::Postgres => {
            format!("url = \"{}\"", with_database(&address("HAULIER_TEST_POSTGRES_URL"), name))
        }
        Engine::MariaDb => format!("url = \"{}\"", with_database(&address("HAULIER_TEST_MYSQL_URL"), name)),
    }
}

/// The queue's lines in the site file. The password `guest` comes from the environment, as any other would.
pub(crate) fn rabbit_site(name: &str) -> String {
    let url = address("HAULIER_TEST_AMQP_URL").replace("guest:guest@", "guest@");
    let api = address("HAULIER_TEST_AMQP_API_URL").replace("guest:guest@", "");
    format!("url = \"{url}\"\nname = \"{name}\"\napi_url = \"{api}\"")
}

/// The ledger's lines in the site file.
pub(crate) fn postgres_ledger_site(name: &str) -> String {
    format!("url = \"{}\"\nschema = \"{name}\"", address("HAULIER_TEST_POSTGRES_URL"))
}

/// Removes the source database.
pub(crate) async fn drop_source(engine: Engine, name: &str) {
    match engine {
        Engine::Sqlite => {}
        Engine::Postgres => {
            let mut at = PgConnection::connect(&address("HAULIER_TEST_POSTGRES_URL")).await.unwrap();
            at.execute(sqlx::AssertSqlSafe(format!("drop database {name} with (force)"))).await.unwrap();
        }
        Engine::MariaDb => {
            let mut at = MySqlConnection::connect(&address("HAULIER_TEST_MYSQL_URL")).await.unwrap();
            at.execute(sqlx::AssertSqlSafe(format!("drop database {name}"))).await.unwrap();
        }
    }
}

/// Removes the ledger's schema.
pub(crate) async fn drop_ledger(name: &str) {
    let mut at = PgConnection::connect(&address("HAULIER_TEST_POSTGRES_URL")).await.unwrap();
    at.execute(sqlx::AssertSqlSafe(format!("drop schema if exists {name} cascade"))).await.unwrap();
}

/// Removes the queues that belong to a name.
pub(crate) async fn drop_queues(name: &str) {
    let api = address("HAULIER_TEST_AMQP_API_URL").replace("guest:guest@", "");
    // `guest:guest`, as the test broker has it.
    let login = [("authorization", "Basic Z3Vlc3Q6Z3Vlc3Q=")];
    let (status, body) =
        http::request("GET", &format!("{api}/api/queues/%2F?columns=name"), &login, "").await;
    assert_eq!(status, 200, "{body}");
    let queues: serde_json::Value = serde_json::from_str(&body).unwrap();
    for queue in queues.as_array().unwrap().iter().filter_map(|queue| queue["name"].as_str()) {
        if queue == name || queue.starts_with(&format!("{name}.")) {
            http::request("DELETE", &format!("{api}/api/queues/%2F/{queue}"), &login, "").await;
        }
    }
}
