//! What only a file can do.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::RecordState;
use haulier_core::port::{Admit, Ledger, LedgerError};
use haulier_testkit::contract::ledger::{Desk, sighting};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, Row, SqliteConnection};

use super::{File, Limits, SqliteOptions, schema};
use crate::book::Book;
use crate::contract::{FIRST_VERSION_ROWS, assert_upgraded};

async fn open(path: &Path, limits: Limits) -> Arc<dyn Ledger> {
    Arc::new(Book::new(File::open(path, SqliteOptions::default(), limits).await.unwrap()))
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let desk = Desk::on(open(&path, Limits::default()).await, "r-1").await;
    desk.admit(&[sighting("1", 1)]).await;
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
        files += 1;
    }
    assert!(files > 1, "the log and the shared memory are files as well");
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("ledger.db");
    let refused = super::open(&path, SqliteOptions::default()).await.unwrap_err();
    assert!(matches!(&refused, LedgerError::Unreachable { at, .. } if at.contains("missing")), "{refused}");
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    std::fs::write(&path, "a diary, not a database; long enough to be looked at".repeat(40)).unwrap();
    let refused = super::open(&path, SqliteOptions::default()).await.unwrap_err();
    assert!(matches!(&refused, LedgerError::Corrupt { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stores_nothing_by_halves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let desk = Desk::on(open(&path, Limits { pages: 150, ..Limits::default() }).await, "r-1").await;
    let chunk = |n: u64| (0..200).map(|i| sighting(&format!("{n}-{i}"), i)).collect::<Vec<_>>();
    let mut stored = 0;
    let error = loop {
        let chunk = chunk(stored);
        let admit = Admit { run: &desk.run, entity: &desk.entity, sightings: &chunk, again: false, now: 1 };
        match desk.ledger.admit(admit).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, LedgerError::DiskFull { at: path.display().to_string() });
    assert!(stored > 1);
    let tally = desk.ledger.tally(&desk.run).await.unwrap();
    assert_eq!((tally.total().planned, tally.total().of(RecordState::Queued)), (stored * 200, stored * 200));
    // What needs no room still works, also together with what does.
    let (big, small) = tokio::join!(
        async {
            // Far more than what another way of storing it could squeeze in.
            let chunk = (stored..stored + 20).flat_map(chunk).collect::<Vec<_>>();
            let admit =
                Admit { run: &desk.run, entity: &desk.entity, sightings: &chunk, again: false, now: 1 };
            desk.ledger.admit(admit).await
        },
        desk.ledger.finish_run(&desk.run, 1)
    );
    assert!(matches!(big, Err(LedgerError::DiskFull { .. })), "{big:?}");
    small.unwrap();
    drop(desk);
    // With room again, everything is as it was.
    let desk = Desk::on(open(&path, Limits::default()).await, "r-2").await;
    desk.admit(&chunk(stored)).await;
    let check = connect(&path).await.fetch_one("PRAGMA integrity_check").await.unwrap();
    assert_eq!(check.get::<String, _>(0), "ok");
}

#[tokio::test]
async fn a_file_that_others_hold_is_out_of_reach_until_they_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let limits = Limits { busy: Duration::from_millis(50), ..Limits::default() };
    let desk = Desk::on(open(&path, limits).await, "r-1").await;
    desk.admit(&[sighting("1", 1)]).await;
    let mut other = connect(&path).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let rows = [sighting("2", 1)];
    let admit = Admit { run: &desk.run, entity: &desk.entity, sightings: &rows, again: false, now: 1 };
    let (one, two) = tokio::join!(desk.ledger.admit(admit), desk.ledger.finish_run(&desk.run, 1));
    for refused in [one.map(drop), two] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, LedgerError::Unreachable { .. }) && refused.is_passing(), "{refused}");
    }
    // Questions are answered meanwhile.
    assert_eq!(desk.ledger.tally(&desk.run).await.unwrap().total().planned, 1);
    other.execute("COMMIT").await.unwrap();
    desk.admit(&rows).await;
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_to_date_with_all_that_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut old = SqliteConnection::connect_with(&options).await.unwrap();
    schema::step_up(&mut old, 1).await.unwrap().unwrap();
    sqlx::raw_sql(FIRST_VERSION_ROWS).execute(&mut old).await.unwrap();
    old.close().await.unwrap();
    assert_upgraded(open(&path, Limits::default()).await.as_ref()).await;
}
