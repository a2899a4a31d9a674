//! A process that is not dead, only stopped: it wakes up after others took over what it held.

use std::time::Duration;

use hq_sandbox::Uniqueness;
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, SqliteConnection};

use super::scene::{self, Fleet, REPEATS_A_KILL, Who};
use crate::support::evidence::number;
use crate::support::process::wait_for;
use crate::support::{Case, LedgerKind, QueueKind, Setting};

/// What another worker can send without queue and ledger.
const MORE_THAN_IN_HAND: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_stopped_for_long_sends_nothing_of_what_others_took_over() {
    // What stands between the fence and the wire when the process is stopped leaves when it wakes: the target refuses it.
    let setting = scene::setting(QueueKind::Embedded, LedgerKind::Sqlite);
    let (case, rows) = scene::larger(Setting { unique: Uniqueness::Enforced, ..setting }).await;
    let mut fleet = Fleet::start(&case, 2, None);
    let sleeper = Who::Worker(0);
    let mut at = rows / 5;
    loop {
        scene::requests(&case, at).await;
        fleet.process(sleeper).signal("STOP").await;
        let others_go_on = scene::requests(&case, case.sandbox.stats().requests + MORE_THAN_IN_HAND);
        if tokio::time::timeout(Duration::from_secs(5), others_go_on).await.is_ok() {
            break;
        }
        // It was stopped with the lock of a file in its hands, which holds up everybody: another moment, then.
        fleet.process(sleeper).signal("CONT").await;
        at = case.sandbox.stats().requests + 10;
        assert!(at < rows / 2, "no moment was found at which the others go on");
    }
    // The run ends without it.
    let said = fleet.producer_ends().await;
    // By the target's clock: its log may be a line behind its answers.
    let woken = jiff::Timestamp::now();
    fleet.process(sleeper).signal("CONT").await;
    let said = said + &fleet.workers_end().await;
    let at = |request: &Value| request["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let late: Vec<_> = case.requests().into_iter().filter(|request| at(request) >= woken).collect();
    // One for each of its threads; what it holds is many times more.
    let threads = std::thread::available_parallelism().unwrap().get();
    assert!(late.len() <= threads, "it woke up and sent {late:#?}");
    scene::assert_once(&case, REPEATS_A_KILL, &said).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_was_stopped_for_long_admits_nothing_of_what_it_had_read() {
    let case = scene::small(scene::setting(QueueKind::Embedded, LedgerKind::Sqlite)).await;
    case.edit("site.toml", "[produce]", "[produce]\nrate = 20");
    // Its fibres have read more than they were allowed to publish.
    let sleeper = case.haulier(&["produce"]).start();
    wait_for("admitted rows", async || {
        let status = case.haulier(&["status", "--json"]).run().await;
        (status.code == Some(0) && number(&status.json()["all"], "queued") > 0).then_some(())
    })
    .await;
    // Not with the lock of a file in its hands, which would hold up everybody.
    wait_for("a moment at which it holds no lock", async || {
        sleeper.signal("STOP").await;
        let free = is_free(&case, "ledger.sqlite").await && is_free(&case, "queue.sqlite").await;
        if !free {
            sleeper.signal("CONT").await;
        }
        free.then_some(())
    })
    .await;
    case.execute(
        "update accounts set name = name || ' & Co'; update users set full_name = 'Dr ' || full_name",
    )
    .await;
    case.edit("site.toml", "rate = 20", "");
    case.haulier(&["run"]).run().await.expect(0);
    let before = case.status().await["all"].clone();
    sleeper.signal("CONT").await;
    let ended = sleeper.ended().await.expect(4);
    assert!(ended.stderr.contains("another producer took over"), "{}", ended.stderr);
    assert_eq!(case.status().await["all"], before, "it admitted what it had read before");
    // What it had published was taken with its old content, and then written over.
    scene::assert_once(&case, REPEATS_A_KILL, &ended.stderr).await;
    case.end().await;
}

/// Whether a file of the case can be written at once.
async fn is_free(case: &Case, file: &str) -> bool {
    let options = SqliteConnectOptions::new().filename(case.path(file)).busy_timeout(Duration::ZERO);
    let Ok(mut at) = SqliteConnection::connect_with(&options).await else { return false };
    at.execute("begin immediate; rollback").await.is_ok()
}
