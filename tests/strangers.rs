//! What does not belong into the queue, or not to this ledger: it is never sent, and never dropped in silence.

use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use crate::support::process::wait_for;
use crate::support::{Case, Engine, Setting, services};

/// A case whose rows are all in the queue, and none of them taken.
async fn all_queued(accounts: u32) -> Case {
    let case = Case::small(Setting::default(), accounts).await;
    case.edit("site.toml", "[push]", "[push]\nparcel = 5");
    let producer = case.haulier(&["produce"]).start();
    wait_for("the end of the source", async || {
        let status = case.haulier(&["status", "--json"]).run().await;
        (status.code == Some(0) && !status.json()["produced_at"].is_null()).then_some(())
    })
    .await;
    producer.signal("TERM").await;
    producer.ended().await.expect(5);
    case
}

async fn on_queue(case: &Case, script: &str) {
    services::execute(Engine::Sqlite, "", &case.path("queue.sqlite"), script).await;
}

/// What was buried: the reasons, in order.
async fn buried(case: &Case) -> Vec<String> {
    let options = SqliteConnectOptions::new().filename(case.path("queue.sqlite"));
    let mut at = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query_scalar("select reason from dead order by id").fetch_all(&mut at).await.unwrap()
}

#[tokio::test]
async fn messages_that_are_damaged_foreign_or_forged_are_kept_apart_and_everything_arrives() {
    let case = all_queued(4).await;
    // Two parcels with a changed value, one cut in the middle, one with a flipped byte; then three that nobody here made.
    let message = |nth: u8| format!("where id = (select id from message order by id limit 1 offset {nth})");
    let forged =
        "set body = cast(replace(cast(body as text), '\"body\":{', '\"body\":{\"admin\":true,') as blob)";
    on_queue(
        &case,
        &format!(
            "update message {forged} {};
             update message {forged} {};
             update message set body = substr(body, 1, length(body) / 2) {};
             update message set body = cast(replace(cast(body as text), '\"records\":[{{', '\"records\":[;') as blob) {};
             insert into message (message_id, body) values ('a', x'00ff17'), ('b', cast('{{\"hello\":1}}' as blob)),
                 ('c', cast('{{\"haulier\":2,\"parts\":[]}}' as blob));",
            message(0),
            message(1),
            message(2),
            message(3),
        ),
    )
    .await;
    let ended = case.haulier(&["run", "--workers", "4"]).run().await.expect(0);
    assert!(ended.stderr.contains("is not what its hash says"), "{}", ended.stderr);
    let reasons = buried(&case).await;
    let about = |words: &str| reasons.iter().filter(|reason| reason.contains(words)).count();
    assert_eq!(reasons.len(), 7, "{reasons:#?}");
    assert_eq!(about("is not what its hash says"), 2, "{reasons:#?}");
    assert_eq!(about("no JSON"), 3, "{reasons:#?}");
    assert_eq!(about("no parcel"), 1, "{reasons:#?}");
    assert_eq!(about("has version 2"), 1, "{reasons:#?}");
    assert!(!std::fs::read_to_string(case.path("requests.jsonl")).unwrap().contains("admin"));
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    case.end().await;
}

#[tokio::test]
async fn a_ledger_that_is_lost_under_a_running_migration_is_told_and_nothing_of_the_old_run_is_sent() {
    let case = all_queued(3).await;
    remove_ledger(&case.path(""));
    let ended = case.haulier(&["run", "--workers", "4"]).run().await.expect(0);
    assert!(ended.stderr.contains("a run that this ledger does not know"), "{}", ended.stderr);
    assert!(buried(&case).await.iter().all(|reason| reason.contains("does not know the run")));
    case.assert_same_on_both_sides().await;
    case.end().await;
}

#[tokio::test]
async fn an_old_copy_of_the_ledger_is_told_when_the_queue_knows_more() {
    let case = Case::small(Setting::default(), 3).await;
    case.edit("site.toml", "[push]", "[push]\nparcel = 5");
    // A copy from the very beginning: the run is there, and no record.
    let producer = case.haulier(&["produce"]).env("HAULIER_CRASH_AT", "produce.after_read:1").start();
    drop(producer.ended().await);
    let copy = std::fs::read(case.path("ledger.sqlite")).unwrap();
    let log = std::fs::read(case.path("ledger.sqlite-wal")).unwrap_or_default();
    let producer = case.haulier(&["produce"]).start();
    wait_for("the end of the source", async || (!case.status().await["produced_at"].is_null()).then_some(()))
        .await;
    producer.signal("TERM").await;
    producer.ended().await.expect(5);
    remove_ledger(&case.path(""));
    std::fs::write(case.path("ledger.sqlite"), copy).unwrap();
    std::fs::write(case.path("ledger.sqlite-wal"), log).unwrap();
    let worker = case.haulier(&["work", "--workers", "4"]).start();
    worker.until_said("records that this ledger never admitted").await;
    wait_for("an empty queue", async || (waiting(&case).await == 0).then_some(())).await;
    worker.signal("TERM").await;
    worker.ended().await.expect(5);
    assert_eq!(case.stored(), 0, "records were sent that the ledger has never seen");
    assert!(buried(&case).await.iter().all(|reason| reason.contains("never admitted")));
    case.haulier(&["run", "--workers", "4"]).run().await.expect(0);
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    case.end().await;
}

async fn waiting(case: &Case) -> i64 {
    let options = SqliteConnectOptions::new().filename(case.path("queue.sqlite"));
    let mut at = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query_scalar("select count(*) from message").fetch_one(&mut at).await.unwrap()
}

fn remove_ledger(folder: &Path) {
    for file in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        drop(std::fs::remove_file(folder.join(file)));
    }
}
