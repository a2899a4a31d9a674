//! A page must cost what it returns: no OFFSET in disguise, no index read from its beginning.

use haulier_core::SourceKey;
use haulier_core::plan::Entity;
use haulier_testkit::contract::source::entity;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use super::site;
use crate::driver::Bind;
use crate::row::Binds;
use crate::walk::{self, Walk};
use crate::{Engine, Options};

fn statement(walk: &Walk, after: &str) -> (String, Vec<Bind>) {
    let after = SourceKey::from_canonical(after).parts();
    let binds = Binds { walk, after: &after, upto: &[], limit: 100, keys: &[] };
    let statement = &walk.chunks[1];
    (statement.sql().as_str().to_owned(), binds.list(statement).unwrap())
}

/// Key columns, their types, a million-row table's rows in small, and a key far from both ends.
fn tables(numbers: &str) -> Vec<(&'static str, &'static str, String, &'static str)> {
    vec![
        (
            "a, b",
            "a integer not null, b integer not null",
            format!("select n / 10, n from {numbers}"),
            "1000|10005",
        ),
        // All rows share the first column: a range on it alone would read everything.
        ("a, b", "a integer not null, b integer not null", format!("select 7, n from {numbers}"), "7|10005"),
        (
            "a, b, c",
            "a integer not null, b varchar(10) not null, c integer not null",
            format!("select 7, 'same', n from {numbers}"),
            "7|same|10005",
        ),
    ]
}

#[tokio::test]
async fn mariadb_reads_as_many_index_rows_as_it_returns() {
    let mut tables = tables("seq_1_to_20000, (select seq as n from seq_1_to_20000) s where s.n = seq");
    let day = "date('2000-01-01') + interval n day";
    let numbers = "(select seq as n from seq_1_to_20000) s";
    tables.extend([
        (
            "k",
            "k varchar(20) character set latin1 not null",
            format!("select lpad(n, 8, '0') from {numbers}"),
            "00010005",
        ),
        (
            "k",
            "k char(8) character set utf8mb4 not null",
            format!("select lpad(n, 8, '0') from {numbers}"),
            "00010005",
        ),
        ("k", "k decimal(20,2) not null", format!("select n + 0.25 from {numbers}"), "10005.25"),
        (
            "k",
            "k bigint unsigned not null",
            format!("select 9223372036854775000 + n from {numbers}"),
            "9223372036854785005",
        ),
        ("k", "k date not null", format!("select {day} from {numbers}"), "2027-05-24"),
        (
            "k",
            "k timestamp(6) not null",
            format!("select timestamp '2001-01-01 00:00:00' + interval n second from {numbers}"),
            "2001-01-01T02:46:45.000000Z",
        ),
        (
            "e, k",
            "e integer not null, k date not null",
            format!("select 10001, {day} from {numbers}"),
            "10001|2027-05-24",
        ),
        (
            "k",
            "k varbinary(20) not null",
            format!("select lpad(n, 8, '0') from {numbers}"),
            "\\\\x3030303130303035",
        ),
    ]);
    let mut statements = Vec::new();
    for (index, (key, columns, rows, _)) in tables.iter().enumerate() {
        statements.push(format!(
            "create table t{index} ({columns}, v integer, primary key ({key})) engine = innodb"
        ));
        statements.push(format!("insert into t{index} ({key}) {rows}"));
        statements.push(format!("analyze table t{index}"));
    }
    site::mysql(&statements, |_, options| async move {
        let Engine::MySql(server) = &options.engine else { panic!("{options:?}") };
        let driver = crate::mysql::MySql::new(server, &options);
        let url = site::service("HAULIER_TEST_MYSQL_URL");
        let connect = url.parse::<MySqlConnectOptions>().unwrap().database(&server.database);
        let mut connection: MySqlConnection = connect.connect().await.unwrap();
        for (index, (key, columns, _, after)) in tables.iter().enumerate() {
            let walk = walk::prepare(&driver, &keyed(&format!("t{index}"), key)).await.unwrap();
            let (sql, binds) = statement(&walk, after);
            connection.execute("flush status").await.unwrap();
            let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
            for bind in binds {
                query = match bind {
                    Bind::Text(text) => query.bind(text),
                    Bind::Int(number) => query.bind(number),
                    Bind::Unsigned(number) => query.bind(number),
                    Bind::Float(number) => query.bind(number),
                    Bind::Bytes(bytes) => query.bind(bytes),
                    Bind::Texts(_) => panic!("MySQL has no arrays"),
                };
            }
            assert_eq!(query.fetch_all(&mut connection).await.unwrap().len(), 100, "{columns}");
            let counters = "show session status like 'Handler_read%'";
            let counters = sqlx::raw_sql(counters).fetch_all(&mut connection).await.unwrap();
            let read: u64 = counters.iter().map(|row| row.get::<String, _>(1).parse::<u64>().unwrap()).sum();
            assert!(read <= 110, "{columns}: {read} index rows for 100; {sql}");
        }
    })
    .await;
}

fn keyed(table: &str, key: &str) -> Entity {
    let key: Vec<&str> = key.split(", ").collect();
    entity(table, &key, &key)
}

#[tokio::test]
async fn postgres_finds_a_page_by_its_index() {
    let numbers = "generate_series(1, 20000) n";
    let mut tables = tables(numbers);
    tables.extend([
        ("k", "k varchar(20) not null", format!("select lpad(n::text, 8, '0') from {numbers}"), "00010005"),
        ("k", "k bpchar(8) not null", format!("select lpad(n::text, 8, '0') from {numbers}"), "00010005"),
        ("k", "k numeric not null", format!("select n + 0.25 from {numbers}"), "10005.25"),
        (
            "k",
            "k uuid not null",
            format!("select lpad(n::text, 32, '0')::uuid from {numbers}"),
            "00000000-0000-0000-0000-000000010005",
        ),
        (
            "k",
            "k timestamptz not null",
            format!("select '2001-01-01Z'::timestamptz + n * interval '1 s' from {numbers}"),
            "2001-01-01T02:46:45Z",
        ),
        (
            "e, k",
            "e smallint not null, k date not null",
            format!("select 7, '2000-01-01'::date + n from {numbers}"),
            "7|2027-05-24",
        ),
    ]);
    let mut statements = Vec::new();
    for (index, (key, columns, rows, _)) in tables.iter().enumerate() {
        statements.push(format!("create table t{index} ({columns}, v text, primary key ({key}))"));
        statements.push(format!("insert into t{index} ({key}) {rows}"));
        statements.push(format!("analyze t{index}"));
    }
    site::postgres(&statements, |_, options| async move {
        let Engine::Postgres(server) = &options.engine else { panic!("{options:?}") };
        let driver = crate::postgres::Postgres::new(server, &options);
        let url = site::service("HAULIER_TEST_POSTGRES_URL");
        let connect = url.parse::<PgConnectOptions>().unwrap().database(&server.database);
        let mut connection: PgConnection = connect.connect().await.unwrap();
        for (index, (key, columns, _, after)) in tables.iter().enumerate() {
            let walk = walk::prepare(&driver, &keyed(&format!("t{index}"), key)).await.unwrap();
            let (sql, binds) = statement(&walk, after);
            let mut query = sqlx::query(AssertSqlSafe(format!("explain (analyze, timing off) {sql}")));
            for bind in binds {
                query = match bind {
                    Bind::Text(text) => query.bind(text),
                    Bind::Int(number) => query.bind(number),
                    Bind::Unsigned(_) | Bind::Float(_) | Bind::Bytes(_) | Bind::Texts(_) => panic!("{sql}"),
                };
            }
            let lines = query.fetch_all(&mut connection).await.unwrap();
            let plan: Vec<String> = lines.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            assert!(plan.contains("Index Cond") && plan.contains("rows=100 "), "{columns}: {plan}");
            assert!(!plan.contains("Removed by Filter") && !plan.contains("Sort"), "{columns}: {plan}");
        }
    })
    .await;
}

#[tokio::test]
async fn sqlite_searches_a_page_by_its_index() {
    let numbers =
        "(with recursive s(n) as (select 1 union all select n + 1 from s where n < 2000) select n from s)";
    let mut tables = tables(numbers);
    tables.extend([
        ("k", "k integer primary key", format!("select n from {numbers}"), "1005"),
        ("k", "k text not null", format!("select n from {numbers}"), "1005"),
    ]);
    let mut statements = Vec::new();
    for (index, (key, columns, rows, _)) in tables.iter().enumerate() {
        let constraint =
            if columns.contains("primary") { String::new() } else { format!(", primary key ({key})") };
        statements.push(format!("create table t{index} ({columns}, v text{constraint})"));
        statements.push(format!("insert into t{index} ({key}) {rows}"));
    }
    site::sqlite(&statements, |_, options: Options| async move {
        let Engine::Sqlite(path) = &options.engine else { panic!("{options:?}") };
        let driver = crate::sqlite::Sqlite::new(path, &options);
        let mut connection: SqliteConnection =
            SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
        for (index, (key, columns, _, after)) in tables.iter().enumerate() {
            let walk = walk::prepare(&driver, &keyed(&format!("t{index}"), key)).await.unwrap();
            let (sql, _) = statement(&walk, after);
            let lines = sqlx::query(AssertSqlSafe(format!("explain query plan {sql}")));
            let lines = lines.fetch_all(&mut connection).await.unwrap();
            let plan: Vec<String> = lines.iter().map(|row| row.get(3)).collect();
            let first = key.split(", ").next().unwrap();
            let whole = format!(
                "({}>",
                if key.contains(',') { format!("({})", key.replace(", ", ",")) } else { first.to_owned() }
            );
            let rowid = plan[0].contains("rowid>");
            assert!(
                plan[0].starts_with("SEARCH r USING") && (plan[0].contains(&whole) || rowid),
                "{columns}: {plan:?}"
            );
            assert_eq!(plan.len(), 1, "{columns}: nothing is sorted: {plan:?}");
        }
    })
    .await;
}
