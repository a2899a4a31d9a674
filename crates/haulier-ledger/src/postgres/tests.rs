//! What only a server can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use haulier_core::RecordState;
use haulier_core::port::{Admission, Claim, LedgerError};
use haulier_testkit::contract::ledger::{Desk, sighting};
use sqlx::{AssertSqlSafe, Executor, Row};

use super::{PostgresOptions, open, schema as tables};
use crate::contract::{FIRST_VERSION_ROWS, Schema, assert_upgraded};

/// A user who may do nothing yet, with the schema's name.
async fn newcomer(schema: &Schema) -> PostgresOptions {
    let create = format!("CREATE ROLE \"{}\" LOGIN", schema.name);
    schema.connect().await.execute(AssertSqlSafe(create)).await.unwrap();
    PostgresOptions { user: schema.name.clone(), ..schema.options() }
}

async fn forget(schema: &Schema) {
    let name = &schema.name;
    let drop = format!("DROP OWNED BY \"{name}\" CASCADE; DROP ROLE \"{name}\"");
    schema.connect().await.execute(AssertSqlSafe(drop)).await.unwrap();
}

#[tokio::test]
async fn a_user_without_rights_is_told_so() {
    let schema = Schema::new();
    let refused = open(&newcomer(&schema).await).await.unwrap_err();
    forget(&schema).await;
    let LedgerError::Credentials { cause, .. } = &refused else { panic!("{refused}") };
    assert!(cause.contains("permission denied"), "{cause}");
}

#[tokio::test]
async fn rights_on_the_schema_are_enough() {
    let schema = Schema::new();
    let options = newcomer(&schema).await;
    let name = &schema.name;
    let create = format!("CREATE SCHEMA \"{name}\"; GRANT USAGE, CREATE ON SCHEMA \"{name}\" TO \"{name}\"");
    schema.connect().await.execute(AssertSqlSafe(create)).await.unwrap();
    let desk = Desk::on(open(&options).await.unwrap(), "r-1").await;
    let admitted = desk.admit(&[sighting("1", 1)]).await;
    drop(desk);
    // A second opening finds everything made.
    let again = open(&options).await.map(drop);
    forget(&schema).await;
    schema.remove().await;
    assert_eq!((admitted, again), (vec![Admission::Publish], Ok(())));
}

#[tokio::test]
async fn a_stranger_is_refused_and_a_closed_door_is_out_of_reach() {
    let schema = Schema::new();
    let stranger = PostgresOptions { user: "nobody_of_that_name".to_owned(), ..schema.options() };
    let refused = open(&stranger).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Credentials { .. }), "{refused}");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused = open(&PostgresOptions { port: closed, ..schema.options() }).await.unwrap_err();
    assert!(refused.is_passing(), "{refused}");
    assert!(refused.to_string().contains(&closed.to_string()), "{refused}");
    let elsewhere = PostgresOptions { database: "no_such_database".to_owned(), ..schema.options() };
    let refused = open(&elsewhere).await.unwrap_err();
    assert!(
        matches!(&refused, LedgerError::Credentials { cause, .. } if cause.contains("no_such_database")),
        "{refused}"
    );
}

#[tokio::test]
async fn a_schema_of_any_name_is_quoted() {
    let mut schema = Schema::new();
    schema.name.push_str("'s \"odd\"; Name");
    let options = PostgresOptions { schema: schema.name.clone(), ..schema.options() };
    let desk = Desk::on(open(&options).await.unwrap(), "r-1").await;
    let admitted = desk.admit(&[sighting("1", 1)]).await;
    let drop = format!("DROP SCHEMA {} CASCADE", super::schema::quoted(&schema.name));
    schema.server_connection().await.execute(AssertSqlSafe(drop)).await.unwrap();
    assert_eq!(admitted, [Admission::Publish]);
}

/// Wherever a connection breaks, also in the middle of a commit: every record is claimed, and its claim is answered, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break_lose_and_double_no_claim() {
    const KEYS: usize = 1500;
    let schema = Schema::new();
    let mut options = newcomer(&schema).await;
    let name = schema.name.clone();
    let create = format!("CREATE SCHEMA \"{name}\" AUTHORIZATION \"{name}\"");
    schema.connect().await.execute(AssertSqlSafe(create)).await.unwrap();
    options.connections = 3;
    let desk = Desk::on(open(&options).await.unwrap(), "r-1").await;
    let keys: Vec<String> = (0..KEYS).map(|n| format!("k{n:04}")).collect();
    desk.admit(&keys.iter().map(|key| sighting(key, 1)).collect::<Vec<_>>()).await;

    let done = Arc::new(AtomicBool::new(false));
    let killer = {
        let (mut conn, done) = (schema.connect().await, Arc::clone(&done));
        tokio::spawn(async move {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
            let mut killed = 0;
            let mut tick = tokio::time::interval(Duration::from_millis(40));
            while !done.load(Ordering::Relaxed) {
                tick.tick().await;
                killed += sqlx::query(kill).bind(&name).fetch_all(&mut conn).await.unwrap().len();
            }
            killed
        })
    };
    let mut claiming = tokio::task::JoinSet::new();
    for part in keys.chunks(KEYS / 3) {
        let (desk, part) = (desk.clone(), part.to_vec());
        claiming.spawn(async move {
            let mut claimed = 0;
            for chunk in part.chunks(10) {
                let wanted: Vec<_> = chunk.iter().map(|key| wanted(key)).collect();
                // What is out of reach is asked again, as a worker does: it did not happen.
                let claims = loop {
                    match desk.ledger.claim(&desk.run, &desk.entity, &desk.me, &wanted).await {
                        Ok(claims) => break claims,
                        Err(error) => assert!(error.is_passing(), "{error}"),
                    }
                };
                claimed += claims.iter().filter(|claim| matches!(claim, Claim::Send { .. })).count();
            }
            claimed
        });
    }
    let claimed: usize = claiming.join_all().await.into_iter().sum();
    done.store(true, Ordering::Relaxed);
    let killed = killer.await.unwrap();
    let tally = desk.ledger.tally(&desk.run).await.unwrap();
    drop(desk);
    schema.remove().await;
    forget(&schema).await;
    assert!(killed > 5, "only {killed} connections were killed");
    assert_eq!((claimed, tally.total().of(RecordState::Sending)), (KEYS, KEYS as u64));
}

fn wanted(key: &str) -> haulier_core::port::Wanted {
    let sighting = sighting(key, 1);
    haulier_core::port::Wanted { key: sighting.key, generation: 0, hash: sighting.hash }
}

/// A ledger that grew since its statements were planned must not be walked from end to end.
#[tokio::test]
async fn claims_find_their_records_by_key() {
    let schema = Schema::new();
    let desk = Desk::on(open(&schema.options()).await.unwrap(), "r-1").await;
    let keys: Vec<String> = (0..500).map(|n| format!("k{n:04}")).collect();
    desk.admit(&keys.iter().map(|key| sighting(key, 1)).collect::<Vec<_>>()).await;
    for chunk in keys.chunks(50) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        desk.claim(&chunk, 1).await;
    }
    drop(desk);
    let query = "SELECT COALESCE(SUM(seq_scan), 0)::BIGINT, COALESCE(SUM(idx_scan), 0)::BIGINT \
                 FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = 'record'";
    let mut conn = schema.connect().await;
    // The server tells its figures a little later.
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            tick.tick().await;
            let row = sqlx::query(query).bind(&schema.name).fetch_one(&mut conn).await.unwrap();
            let (scans, lookups): (i64, i64) = (row.get(0), row.get(1));
            if lookups >= 500 || scans > 10 {
                break scans;
            }
        }
    });
    let scans = waited.await;
    schema.remove().await;
    // Making the indices reads the empty table.
    assert!(matches!(scans, Ok(0..=7)), "{scans:?} walks");
}

#[tokio::test]
async fn a_schema_of_the_first_version_is_brought_up_to_date_with_all_that_it_holds() {
    let schema = Schema::new();
    let mut old = schema.connect().await;
    tables::step_up(&mut old, &schema.name, 1).await.unwrap();
    sqlx::raw_sql(FIRST_VERSION_ROWS).execute(&mut old).await.unwrap();
    let opened = open(&schema.options()).await.unwrap();
    assert_upgraded(opened.as_ref()).await;
    drop(opened);
    schema.remove().await;
}
