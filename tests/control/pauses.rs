//! Pauses, drains and the emergency file: nothing new begins, nothing is lost, and it goes on.

use super::scene::{BOTH, Fleet, explain, in_flight, knob, said, setting, until_shared};
use crate::support::evidence::number;
use crate::support::process::wait_for;
use crate::support::{Case, LedgerKind, QueueKind};

/// Waits until nothing is in flight, and asserts that nothing begins until the processes have reported again.
async fn stands_still(case: &Case) {
    in_flight(case, 0).await;
    let stands = case.sandbox.stats().requests;
    // Two more looks from outside, which each process's reports have come between.
    for _ in 0..2 {
        let before = explain(case).await["processes"].clone();
        assert!(!before.as_array().unwrap().is_empty(), "nobody lives");
        said(case, &["tune", "produce.chunk=+1"]).await;
    }
    assert_eq!(case.sandbox.stats().requests, stands, "something began during the pause");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_and_a_resume_goes_on_with_what_was_set() {
    for (queue, ledger) in BOTH {
        let case =
            Case::small(setting(queue, ledger, 60, "workers = 4\n[produce]\nrate = 400\nchunk = 40"), 20)
                .await;
        let fleet = Fleet::start(&case, 2);
        until_shared(&case, &[2, 2]).await;
        in_flight(&case, 4).await;
        let paused = said(&case, &["pause", "push", "--reason", "db backup"]).await;
        assert_eq!(paused["turned"][0]["previous"], "open", "{paused:#}");
        assert_eq!(paused["applied"].as_array().unwrap().len(), 2, "{paused:#}");
        stands_still(&case).await;
        let explained = explain(&case).await;
        let workers = knob(&explained, "push.workers");
        assert_eq!((&workers["effective"], &workers["set"]), (&"0".into(), &"4".into()), "{explained:#}");
        assert!(workers["binds"].as_str().unwrap().contains("db backup"), "{explained:#}");
        let status = case.haulier(&["status"]).run().await.expect(0).stdout;
        assert!(status.contains("push paused by") && status.contains("\"db backup\""), "{status}");
        said(&case, &["resume"]).await;
        in_flight(&case, 4).await;
        let again = case.haulier(&["resume"]).run().await.expect(1);
        assert!(again.stderr.contains("open already"), "{}", again.stderr);
        fleet.ends(&case).await;
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_reads_nothing_more_and_empties_the_queue() {
    let push = "workers = 8\n[produce]\nrate = 200\nchunk = 20\nfibres = 2";
    let case = Case::small(setting(QueueKind::Embedded, LedgerKind::Sqlite, 5, push), 20).await;
    let fleet = Fleet::start(&case, 1);
    case.until_stored(20).await;
    said(&case, &["drain"]).await;
    // What was read lands, and no more is planned.
    let all = wait_for("an empty queue", async || {
        let all = case.status().await["all"].clone();
        (number(&all, "planned") == number(&all, "landed") + number(&all, "held")).then_some(all)
    })
    .await;
    assert!(case.status().await["produced_at"].is_null(), "everything was read before the drain");
    said(&case, &["tune", "produce.rate=none", "--force"]).await;
    assert_eq!(case.status().await["all"]["planned"], all["planned"]);
    said(&case, &["resume", "produce"]).await;
    fleet.ends(&case).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_producer_publishes_nothing_and_its_fibres_follow_their_knob() {
    let push = "workers = 8\n[produce]\nrate = 100\nchunk = 20\nfibres = 1";
    let case = Case::small(setting(QueueKind::Embedded, LedgerKind::Sqlite, 0, push), 20).await;
    let fleet = Fleet::start(&case, 1);
    case.until_stored(10).await;
    said(&case, &["tune", "produce.fibres=x2", "produce.chunk=10"]).await;
    let applied = |explained: &serde_json::Value, name: &str| knob(explained, name)["applied"].clone();
    let explained = explain(&case).await;
    assert_eq!(applied(&explained, "produce.fibres"), "2", "{explained:#}");
    assert_eq!(applied(&explained, "produce.chunk"), "10", "{explained:#}");
    said(&case, &["pause", "produce"]).await;
    let settled = wait_for("all that was published to land", async || {
        let all = case.status().await["all"].clone();
        (number(&all, "sending") == 0 && number(&all, "landed") > 0).then_some(number(&all, "landed"))
    })
    .await;
    assert_eq!(applied(&explain(&case).await, "produce.fibres"), "0");
    assert!(settled > 0);
    said(&case, &["resume", "produce"]).await;
    said(&case, &["tune", "produce.rate=none", "produce.fibres=4", "--force"]).await;
    fleet.ends(&case).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emergency_file_holds_everything_while_it_is_there() {
    let case = Case::small(setting(QueueKind::Embedded, LedgerKind::Sqlite, 40, "workers = 4"), 20).await;
    let fleet = Fleet::start(&case, 2);
    in_flight(&case, 4).await;
    std::fs::create_dir_all(case.path("state")).unwrap();
    std::fs::write(case.path("state/PAUSE"), "").unwrap();
    wait_for("this host, the producer and two workers to see the file", async || {
        (explain(&case).await["holds"].as_array().unwrap().len() == 4).then_some(())
    })
    .await;
    stands_still(&case).await;
    let status = case.haulier(&["status"]).run().await.expect(0).stdout;
    assert!(status.contains("paused by the emergency file PAUSE"), "{status}");
    std::fs::remove_file(case.path("state/PAUSE")).unwrap();
    in_flight(&case, 4).await;
    fleet.ends(&case).await;
    case.end().await;
}
