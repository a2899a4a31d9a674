//! A process that is not dead, only stopped: it wakes up after others took over what it held.

use std::time::Duration;

use hq_sandbox::Faults;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Executor, SqliteConnection};

use super::scene::{self, Fleet, REPEATS_A_KILL, WORKERS, Who};
use crate::control::scene::until_shared;
use crate::support::evidence::number;
use crate::support::process::wait_for;
use crate::support::{Case, LedgerKind, QueueKind, Setting};

/// What another worker can send without queue and ledger.
const MORE_THAN_IN_HAND: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_stopped_for_long_sends_nothing_of_what_others_took_over() {
    let setting = scene::setting(QueueKind::Embedded, LedgerKind::Sqlite);
    let faults = Faults { latency_ms: 20, ..setting.faults };
    let (case, rows) = scene::larger(Setting { faults, ..setting }).await;
    let mut fleet = Fleet::start(&case, 2, None);
    until_shared(&case, &[WORKERS as u64 / 2; 2]).await;
    let sleeper = Who::Worker(0);
    let mut at = rows / 5;
    loop {
        scene::requests(&case, at).await;
        fleet.process(sleeper).signal("STOP").await;
        if all_on_the_wire(&case, fleet.process(sleeper).pid()).await {
            let others_go_on = scene::requests(&case, case.sandbox.stats().requests + MORE_THAN_IN_HAND);
            if tokio::time::timeout(Duration::from_secs(5), others_go_on).await.is_ok() {
                break;
            }
            // It was stopped with the lock of a file in its hands, which holds up everybody: another moment, then.
        }
        fleet.process(sleeper).signal("CONT").await;
        at = case.sandbox.stats().requests + 3;
        assert!(at < rows / 2, "no moment was found at which the others go on");
    }
    // The run ends without it.
    let said = fleet.producer_ends().await;
    let before = case.requests().len();
    fleet.process(sleeper).signal("CONT").await;
    let said = said + &fleet.workers_end().await;
    let late: Vec<_> = case.requests().into_iter().skip(before).collect();
    assert!(late.is_empty(), "it woke up and sent {late:#?}");
    scene::assert_once(&case, REPEATS_A_KILL, &said).await;
    case.end().await;
}

/// Whether every slot of a stopped process has its request at the target. What stands between the fence and the wire when
/// a process is stopped leaves when it wakes, and no client can help that: that is not the moment to look at.
async fn all_on_the_wire(case: &Case, pid: u32) -> bool {
    wait_for("every thread to stand still", async || {
        let stands = |stat: String| stat.rsplit(')').next().unwrap().trim_start().starts_with('T');
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).ok())
            .all(stands)
            .then_some(())
    })
    .await;
    case.sandbox.stats().in_flight == WORKERS as u64
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_was_stopped_for_long_admits_nothing_of_what_it_had_read() {
    let case = scene::small(scene::setting(QueueKind::Embedded, LedgerKind::Sqlite)).await;
    case.edit("site.toml", "[produce]", "[produce]\nrate = 4");
    // Its fibres have read more than they were allowed to publish: no cursor moves for the ten seconds that a chunk takes, and what
    // changes behind a cursor is the next run's.
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
    case.edit("site.toml", "rate = 4", "");
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
