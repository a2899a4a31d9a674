//! What only a file can do to us: it is foreign, newer, full or locked, and time may jump.

use std::sync::Mutex;

use haulier_core::port::Settle;
use haulier_testkit::contract::queue::{depth_becomes, next, numbers, parcel, parcels, settle};
use jiff::{SignedDuration, Timestamp};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;

use super::*;
use crate::contract::clock;

/// A clock that a test puts forward.
#[derive(Debug)]
struct SetClock(Mutex<Timestamp>);

impl SetClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Timestamp::from_second(1_800_000_000).unwrap())))
    }

    fn forward(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

async fn raw(file: &std::path::Path) -> SqlitePool {
    SqlitePool::connect_with(SqliteConnectOptions::new().filename(file).create_if_missing(true))
        .await
        .unwrap()
}

async fn refusal(file: &std::path::Path) -> QueueError {
    open(Options::new(file, clock())).await.map(drop).unwrap_err()
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    drop(open(Options::new(&file, clock())).await.unwrap());
    let pool = raw(&file).await;
    sqlx::query("pragma user_version = 2").execute(&pool).await.unwrap();
    let QueueError::Mismatch { problem, .. } = refusal(&file).await else { panic!() };
    assert_eq!(problem, "it has version 2, and this build reads version 1");
    let version: i64 = sqlx::query_scalar("pragma user_version").fetch_one(&pool).await.unwrap();
    assert_eq!(version, 2);
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("other.db");
    let pool = raw(&database).await;
    sqlx::query("create table theirs (id integer)").execute(&pool).await.unwrap();
    let QueueError::Mismatch { problem, .. } = refusal(&database).await else { panic!() };
    assert_eq!(problem, "the file is another program's database");
    let tables: Vec<String> =
        sqlx::query_scalar("select name from sqlite_schema").fetch_all(&pool).await.unwrap();
    assert_eq!(tables, ["theirs"]);

    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "to do: migrate everything; this text is longer than a header".repeat(20)).unwrap();
    let QueueError::Mismatch { problem, .. } = refusal(&text).await else { panic!() };
    assert_eq!(problem, "it is no SQLite file");
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("to do"));
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("missing/queue.db");
    let QueueError::Unreachable { at, .. } = refusal(&file).await else { panic!() };
    assert_eq!(at, file.display().to_string());
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = open(Options::new(&file, clock())).await.unwrap();
    queue.publish(&parcels(1)).await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_named_and_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    // A file that may not grow fails as a full disk does.
    let full =
        Store::open(Options::new(&file, clock()), |connect| connect.pragma("max_page_count", "40")).await;
    let full = Embedded { store: Arc::new(full.unwrap()), max_bytes: wire::DEFAULT_MAX_BYTES };
    full.publish(&parcels(5)).await.unwrap();
    let large = |number: usize| {
        let mut large = parcel(number);
        large.records[0].body = format!("{{\"text\":\"{}\"}}", "x".repeat(60_000));
        large
    };
    let mut kept = 5;
    let error = loop {
        match full.publish(&[large(kept), parcel(kept + 1)]).await {
            Ok(()) => kept += 2,
            Err(error) => break error,
        }
    };
    let QueueError::Failed { cause, .. } = &error else { panic!("{error:?}") };
    assert!(cause.contains("is full") && cause.contains("queue.db"), "{cause}");
    assert!(error.is_passing());
    // What was stored before is there, nothing of the refused call is, and settling makes room.
    depth_becomes(&full, Depth { ready: kept as u64, ..Depth::default() }).await;
    let consumer = full.consumer(3).await.unwrap();
    for number in 0..kept {
        let delivery = next(&*consumer).await;
        assert_eq!(numbers(&delivery.parcel), [number]);
        settle(&*consumer, delivery.receipt, Settle::Done).await;
    }
    full.publish(&[large(0)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_lost_its_lease_goes_on_under_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = open(Options::new(&file, clock())).await.unwrap();
    queue.publish(&parcels(1)).await.unwrap();
    let consumer = queue.consumer(1).await.unwrap();
    let held = next(&*consumer).await;
    // What another process does when this one has been asleep for too long.
    let pool = raw(&file).await;
    sqlx::query("update message set owner = null; delete from consumer").execute(&pool).await.unwrap();
    let again = next(&*consumer).await;
    assert!(again.redelivered);
    settle(&*consumer, held.receipt, Settle::Done).await;
    depth_becomes(&*queue, Depth { unsettled: 1, ..Depth::default() }).await;
    settle(&*consumer, again.receipt, Settle::Done).await;
    depth_becomes(&*queue, Depth::default()).await;
}

#[tokio::test]
async fn a_silent_consumers_messages_are_free_when_its_lease_is_over_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::new();
    let options = Options::new(folder.path().join("queue.db"), Arc::clone(&clock) as Arc<dyn Clock>);
    let store = Store::open(options, |connect| connect).await.unwrap();
    store.put(&wire::pack(&parcels(1), wire::DEFAULT_MAX_BYTES).unwrap()).await.unwrap();
    let (silent, other) = (store.enter().await.unwrap(), store.enter().await.unwrap());
    let held = store.take(silent, 5).await.unwrap();
    clock.forward(4);
    assert!(store.renew(other).await.unwrap());
    assert!(store.take(other, 5).await.unwrap().is_empty());
    clock.forward(1);
    assert_eq!(store.depth().await.unwrap(), Depth { ready: 1, ..Depth::default() });
    assert!(store.renew(other).await.unwrap());
    assert_eq!(store.take(other, 5).await.unwrap().len(), 1);
    assert!(!store.renew(silent).await.unwrap());
    store.settle(held[0].grip, Settle::Done).await.unwrap();
    assert_eq!(store.depth().await.unwrap(), Depth { unsettled: 1, ..Depth::default() });
}

/// The clock was an hour ahead when the consumer fell silent, and was set right afterwards.
#[tokio::test]
async fn a_lease_that_a_wrong_clock_gave_holds_nothing_once_the_clock_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::new();
    let options = Options::new(folder.path().join("queue.db"), Arc::clone(&clock) as Arc<dyn Clock>);
    let store = Store::open(options, |connect| connect).await.unwrap();
    store.put(&wire::pack(&parcels(1), wire::DEFAULT_MAX_BYTES).unwrap()).await.unwrap();
    clock.forward(3600);
    let (silent, other) = (store.enter().await.unwrap(), store.enter().await.unwrap());
    assert_eq!(store.take(silent, 5).await.unwrap().len(), 1);
    clock.forward(-3600);
    assert_eq!(store.depth().await.unwrap(), Depth { ready: 1, ..Depth::default() });
    assert!(store.renew(other).await.unwrap());
    assert_eq!(store.take(other, 5).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delay_is_counted_by_the_clock() {
    let folder = tempfile::tempdir().unwrap();
    let clock = SetClock::new();
    let file = folder.path().join("queue.db");
    let queue = open(Options::new(&file, Arc::clone(&clock) as Arc<dyn Clock>)).await.unwrap();
    queue.publish(&parcels(1)).await.unwrap();
    let consumer = queue.consumer(1).await.unwrap();
    let delivery = next(&*consumer).await;
    settle(&*consumer, delivery.receipt, Settle::Delay(3_000)).await;
    depth_becomes(&*queue, Depth { delayed: 1, ..Depth::default() }).await;
    clock.forward(3);
    assert_eq!(numbers(&next(&*consumer).await.parcel), [0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_that_the_file_refuses_is_told_and_the_parcel_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = open(Options::new(&file, clock())).await.unwrap();
    queue.publish(&parcels(1)).await.unwrap();
    let consumer = queue.consumer(1).await.unwrap();
    let delivery = next(&*consumer).await;
    let pool = raw(&file).await;
    let refuse = "create trigger refuse before insert on dead begin select raise(abort, 'no'); end";
    sqlx::query(refuse).execute(&pool).await.unwrap();
    let refused = consumer.settle(delivery.receipt, Settle::Bury("x".to_owned())).await;
    assert!(matches!(refused, Err(QueueError::Failed { .. })), "{refused:?}");
    assert_eq!(numbers(&next(&*consumer).await.parcel), [0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_writer_of_another_process_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queue.db");
    let queue = open(Options::new(&file, clock())).await.unwrap();
    let pool = raw(&file).await;
    let transaction = pool.begin_with("begin immediate").await.unwrap();
    let publishing = {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.publish(&parcels(1)).await })
    };
    depth_becomes(&*queue, Depth::default()).await;
    assert!(!publishing.is_finished());
    transaction.rollback().await.unwrap();
    publishing.await.unwrap().unwrap();
}
