//! Stopped by a person: once in order, twice at once; either way the same command goes on, and nothing is doubled.

use std::time::{Duration, Instant};

use hq_sandbox::{Faults, Uniqueness};

use crate::support::evidence::number;
use crate::support::process::wait_for;
use crate::support::{Case, LedgerKind, QueueKind, Setting};

/// A case whose target stores whatever is sent twice, and takes its time.
async fn careless(queue: QueueKind, latency_ms: u64) -> Case {
    let setting = Setting {
        queue,
        ledger: LedgerKind::Sqlite,
        unique: Uniqueness::None,
        idempotency_keys: 0,
        faults: Faults { latency_ms, ..Faults::default() },
        ..Setting::default()
    };
    Case::small(setting, 10).await
}

/// Ends what was begun, with a target that is quick again.
async fn goes_on(case: Case) {
    // Whoever ended without a good-bye counts as alive until it has been silent for long enough.
    wait_for("an interrupted run", async || (case.status().await["state"] == "interrupted").then_some(()))
        .await;
    assert_eq!(case.status().await["conserved"], true);
    case.sandbox.set_faults(Faults::default()).unwrap();
    case.haulier(&["run", "--workers", "8"]).run().await.expect(0);
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    case.end().await;
}

#[tokio::test]
async fn one_signal_lets_requests_in_flight_end_and_gives_the_rest_back() {
    for (signal, queue) in [("TERM", QueueKind::Embedded), ("INT", QueueKind::Rabbit)] {
        let case = careless(queue, 40).await;
        let run = case.haulier(&["run", "--workers", "4"]).start();
        case.until_stored(20).await;
        run.signal(signal).await;
        let ended = run.ended().await.expect(5);
        assert!(ended.stderr.contains("stopping: nothing new is taken"), "{}", ended.stderr);
        assert!(ended.stderr.contains("`haulier run` goes on from here"), "{}", ended.stderr);
        let counts = case.status().await;
        // Every answer was waited for and kept: nobody has to be looked up.
        assert_eq!(number(&counts["all"], "sending") + number(&counts["all"], "unknown"), 0, "{counts:#}");
        assert_eq!(usize::try_from(number(&counts["all"], "landed")).unwrap(), case.stored());
        goes_on(case).await;
    }
}

#[tokio::test]
async fn a_producer_and_a_worker_stop_apart() {
    let case = careless(QueueKind::Embedded, 40).await;
    let producer = case.haulier(&["produce"]).start();
    let worker = case.haulier(&["work", "--workers", "4"]).start();
    case.until_stored(10).await;
    producer.signal("INT").await;
    let ended = producer.ended().await.expect(5);
    assert!(ended.stderr.contains("`haulier produce` goes on from here"), "{}", ended.stderr);
    let stored = case.stored();
    case.until_stored(stored + 5).await;
    worker.signal("TERM").await;
    let ended = worker.ended().await.expect(5);
    assert!(ended.stderr.contains("`haulier work` goes on from here"), "{}", ended.stderr);
    goes_on(case).await;
}

#[tokio::test]
async fn a_worker_that_waits_for_a_run_stops_at_once() {
    let case = careless(QueueKind::Embedded, 0).await;
    let worker = case.haulier(&["work"]).start();
    wait_for("the ledger", async || case.path("ledger.sqlite").exists().then_some(())).await;
    let status = case.haulier(&["status"]).run().await.expect(1);
    assert!(status.stderr.contains("no run yet"), "{}", status.stderr);
    worker.signal("TERM").await;
    worker.ended().await.expect(5);
    case.end().await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once_and_the_unknown_is_looked_up() {
    let (interrupted, terminated) = (second_signal("INT"), second_signal("TERM"));
    tokio::join!(Box::pin(interrupted), Box::pin(terminated));
}

async fn second_signal(signal: &str) {
    let case = careless(QueueKind::Embedded, 20).await;
    case.edit("site.toml", "[push]", "[push]\nsilent_after = \"2s\"");
    // Longer than a request that nobody waits for any more may still take to be stored.
    case.edit("site.toml", "zombie_grace = \"1s\"", "zombie_grace = \"4s\"");
    let run = case.haulier(&["run", "--workers", "4"]).start();
    case.until_stored(20).await;
    // From here on no answer comes in time.
    case.sandbox.set_faults(Faults { latency_ms: 2_000, ..Faults::default() }).unwrap();
    let waiting = case.sandbox.stats().requests;
    wait_for("slow requests", async || {
        let stats = case.sandbox.stats();
        (stats.in_flight >= 4 && stats.requests >= waiting).then_some(())
    })
    .await;
    run.signal(signal).await;
    run.until_said("stopping: nothing new is taken").await;
    let since = Instant::now();
    run.signal(signal).await;
    run.ended().await.expect(5);
    assert!(since.elapsed() < Duration::from_secs(2), "the second signal took {:?}", since.elapsed());
    goes_on(case).await;
}

#[tokio::test]
async fn a_producer_that_waits_for_the_lease_stops_at_once() {
    let case = careless(QueueKind::Embedded, 20).await;
    let first = case.haulier(&["produce"]).start();
    first.until_said("run ").await;
    wait_for("the lease", async || {
        let status = case.haulier(&["status", "--json"]).run().await;
        (status.code == Some(0) && status.stdout.contains("\"producer\"")).then_some(())
    })
    .await;
    let second = case.haulier(&["produce"]).start();
    second.until_said("another producer holds the lease").await;
    second.signal("INT").await;
    let ended = second.ended().await.expect(5);
    assert!(ended.stderr.contains("`haulier produce` goes on from here"), "{}", ended.stderr);
    first.signal("INT").await;
    first.ended().await.expect(5);
    case.end().await;
}
