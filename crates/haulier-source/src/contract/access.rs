//! Who may read, what a reader may do, and how long.

use std::sync::Arc;
use std::time::{Duration, Instant};

use haulier_core::plan::{Entity, Relation};
use haulier_core::port::{KeyRange, Source, SourceError};
use haulier_testkit::contract::source::entity;

use super::site;
use crate::{Engine, Options, Tls, open};

const TABLE: &str = "create table item (id integer not null primary key)";
const ROWS: &str = "insert into item values (1), (2), (3)";

fn item() -> Entity {
    entity("item", &["id"], &["id"])
}

fn statements() -> Vec<String> {
    vec![TABLE.to_owned(), ROWS.to_owned()]
}

fn query(sql: &str) -> Entity {
    Entity { relation: Relation::Query(sql.to_owned()), ..item() }
}

async fn first(options: Options) -> SourceError {
    let begun = Instant::now();
    let source = open(options).await.unwrap();
    let error = source.chunk(&item(), &KeyRange::default(), None, 1).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(6), "{error} after {:?}", begun.elapsed());
    assert!(!format!("{error:?} {source:?}").contains("canary"), "{error:?}");
    error
}

async fn refuses_strangers(options: Options, bad_login: fn(&mut crate::Server)) {
    let changed = |change: &dyn Fn(&mut crate::Server)| {
        let mut options = options.clone();
        change(options.server_mut().unwrap());
        options
    };
    let error = first(changed(&|server| server.port = 1)).await;
    assert!(matches!(&error, SourceError::Unreachable { at, .. } if at == "127.0.0.1:1"), "{error:?}");
    assert!(error.is_passing());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = first(changed(&|server| server.port = silent.local_addr().unwrap().port())).await;
    assert!(
        matches!(&error, SourceError::Unreachable { cause, .. } if cause.contains("within")),
        "{error:?}"
    );
    let stranger = service_of_another_kind();
    let error = first(changed(&|server| server.port = stranger)).await;
    assert!(matches!(&error, SourceError::Unreachable { .. }), "{error:?}");
    let error = first(changed(&|server| server.host = "no.such.host.invalid".to_owned())).await;
    assert!(matches!(&error, SourceError::Unreachable { .. }), "{error:?}");
    let error = first(changed(&|server| server.tls = Tls::Verify)).await;
    assert!(matches!(&error, SourceError::Unreachable { .. }), "the test servers have no TLS: {error:?}");
    let error = first(changed(&|server| server.database = "no_such_database".to_owned())).await;
    assert!(matches!(&error, SourceError::Credentials { .. }), "{error:?}");
    let error = first(changed(&bad_login)).await;
    assert!(matches!(&error, SourceError::Credentials { .. }) && !error.is_passing(), "{error:?}");
}

/// Something that talks another protocol, and goes.
fn service_of_another_kind() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten().take(1) {
            std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        }
    });
    port
}

#[tokio::test]
async fn postgres_refuses_strangers_and_says_so() {
    site::postgres(&statements(), |_, options| async {
        refuses_strangers(options, |server| {
            server.user = "nobody_of_that_name".to_owned();
            server.password = Some("canary".to_owned());
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn mysql_refuses_strangers_and_says_so() {
    site::mysql(&statements(), |_, options| async {
        refuses_strangers(options, |server| server.password = Some("canary".to_owned())).await;
    })
    .await;
}

#[tokio::test]
async fn a_sqlite_file_that_is_not_there_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    let error =
        open(Options::from_url(&format!("sqlite:{}", path.display()), None).unwrap()).await.unwrap_err();
    assert!(matches!(&error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(!path.exists());
    std::fs::write(&path, "this is no database, though long enough to be read as the head of one").unwrap();
    let error = first(Options::from_url(&format!("sqlite:{}", path.display()), None).unwrap()).await;
    assert!(matches!(&error, SourceError::Unreachable { .. }), "{error:?}");
}

/// A function or statement that writes is refused by the session itself, wherever a plan hides it.
async fn writes_nothing(source: Arc<dyn Source>, writing: &[&str]) {
    for sql in writing {
        let entity = query(sql);
        let result = source.chunk(&entity, &KeyRange::default(), None, 10).await;
        assert!(result.is_err(), "{sql}: {result:?}");
    }
    assert_eq!(source.count(&item()).await.unwrap(), 3);
}

#[tokio::test]
async fn postgres_is_never_written() {
    let mut statements = statements();
    statements.push(
        "create function sneak() returns integer language sql volatile as 'insert into item values (9) returning id'"
            .to_owned(),
    );
    site::postgres(&statements, |source, _| async move {
        let sql =
            ["select sneak() as id", "select 1 as id; delete from item", "delete from item returning id"];
        writes_nothing(Arc::clone(&source), &sql).await;
        let result = source.chunk(&query("select sneak() as id"), &KeyRange::default(), None, 10).await;
        let error = result.unwrap_err().to_string();
        assert!(error.contains("read-only transaction"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn mysql_is_never_written() {
    let mut statements = statements();
    statements.push(
        "create function sneak() returns integer modifies sql data begin insert into item values (9); return 9; end"
            .to_owned(),
    );
    site::mysql(&statements, |source, _| async move {
        let sql =
            ["select sneak() as id", "select 1 as id; delete from item", "delete from item returning id"];
        writes_nothing(source, &sql).await;
    })
    .await;
}

#[tokio::test]
async fn sqlite_is_never_written() {
    site::sqlite(&statements(), |source, _| async move {
        writes_nothing(source, &["select 1 as id; delete from item", "delete from item returning id"]).await;
    })
    .await;
}

/// The server stops a slow statement; the connection's place is free for the next one.
async fn stops_in_time(mut options: Options, slow: &str) {
    options.statement_timeout = Duration::from_millis(300);
    options.connections = 1;
    let source = open(options).await.unwrap();
    let begun = Instant::now();
    let error = source.count(&query(slow)).await.unwrap_err();
    assert!(matches!(&error, SourceError::Timeout { limit_ms: 300, .. }), "{error:?}");
    assert_eq!(source.count(&item()).await.unwrap(), 3);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn postgres_stops_a_slow_statement() {
    site::postgres(&statements(), |_, options| async {
        stops_in_time(options, "select 1 as id from pg_sleep(30)").await;
    })
    .await;
}

#[tokio::test]
async fn mysql_stops_a_slow_statement() {
    site::mysql(&statements(), |_, options| async {
        stops_in_time(options, "select a.id from item a where sleep(30) = 0").await;
    })
    .await;
}

#[tokio::test]
async fn sqlite_stops_a_slow_statement() {
    site::sqlite(&statements(), |_, options| async {
        let endless = "with recursive n(id) as (select 1 union all select id + 1 from n) select id from n";
        stops_in_time(options, endless).await;
    })
    .await;
}

#[tokio::test]
async fn a_dropped_call_leaves_its_place_to_the_next() {
    site::postgres(&statements(), |_, mut options| async move {
        options.connections = 1;
        options.statement_timeout = Duration::from_secs(2);
        let source = open(options).await.unwrap();
        source.count(&item()).await.unwrap();
        let slow = query("select 1 as id from pg_sleep(30)");
        let dropped = tokio::time::timeout(Duration::from_millis(200), source.count(&slow)).await;
        assert!(dropped.is_err(), "{dropped:?}");
        let begun = Instant::now();
        assert_eq!(source.count(&item()).await.unwrap(), 3);
        assert!(
            begun.elapsed() < Duration::from_secs(1),
            "it waited for the dropped call: {:?}",
            begun.elapsed()
        );
    })
    .await;
}

#[tokio::test]
async fn a_missing_right_is_told_with_its_remedy() {
    let mut statements = statements();
    let role = format!("reader_{}", uuid::Uuid::now_v7().simple());
    statements.push(format!("create role {role} login"));
    site::postgres(&statements, |owner, options| async move {
        let mut stranger = options.clone();
        stranger.server_mut().unwrap().user.clone_from(&role);
        let source = open(stranger).await.unwrap();
        let error = source.count(&item()).await.unwrap_err();
        assert!(
            matches!(&error, SourceError::Plan { hint: Some(hint), .. } if hint.contains("grant")),
            "{error:?}"
        );
        drop(owner);
        site::drop_role(&role).await;
    })
    .await;
}

#[tokio::test]
async fn many_calls_share_few_connections() {
    site::postgres(&statements(), |_, mut options| async move {
        options.connections = 2;
        options.application_name = "haulier few".to_owned();
        let source = open(options.clone()).await.unwrap();
        let calls = (0..40).map(|_| {
            let source = Arc::clone(&source);
            tokio::spawn(async move { source.count(&item()).await })
        });
        let calls: Vec<_> = calls.collect();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), 3);
        }
        let Engine::Postgres(server) = &options.engine else { panic!("{options:?}") };
        assert!(site::sessions(&server.database, "haulier few").await <= 2);
    })
    .await;
}
