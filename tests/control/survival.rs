//! What was set outlives everything: `kill -9` of all, and a start afterwards.

use super::scene::{BOTH, Fleet, explain, in_flight, knob, said, setting, shares, until_shared};
use crate::support::Case;
use crate::support::process::wait_for;

#[tokio::test(flavor = "multi_thread")]
async fn values_pauses_and_their_ends_are_there_after_everything_was_killed() {
    for (queue, ledger) in BOTH {
        let case = Case::small(setting(queue, ledger, 60, "silent_after = \"4s\"\nworkers = 4"), 20).await;
        let mut fleet = Fleet::start(&case, 2);
        in_flight(&case, 4).await;
        said(&case, &["tune", "push.workers=3", "--reason", "night", "--for", "2h"]).await;
        said(&case, &["pause", "push", "--for", "1h", "--reason", "backup"]).await;
        fleet.kill().await;

        let explained = wait_for("an interrupted run", async || {
            let explained = explain(&case).await;
            (explained["alive"] == false).then_some(explained)
        })
        .await;
        assert_eq!(knob(&explained, "push.workers")["set"], "3", "{explained:#}");
        let push = &explained["sides"].as_array().unwrap()[1];
        assert_eq!((&push["state"], &push["reason"]), (&"paused".into(), &"backup".into()), "{explained:#}");
        assert!(push["until"].is_string(), "{explained:#}");
        let history = explained["history"].as_array().unwrap();
        assert_eq!(history.len(), 2, "{explained:#}");
        assert_eq!(
            (&history[0]["previous"], &history[0]["value"]),
            (&"4".into(), &"3".into()),
            "{explained:#}"
        );
        let words = case.haulier(&["explain"]).run().await.expect(0).stdout;
        assert!(words.contains("no process has given a sign of life since"), "{words}");
        let status = case.status().await;
        assert_eq!(status["flow"], "interrupted", "{status:#}");
        assert!(status["since"].is_string(), "{status:#}");
        let processes = status["processes"].as_array().unwrap();
        assert!(processes.iter().all(|process| process["in_flight"].is_null()), "{status:#}");

        // Who starts now obeys before anything is sent.
        let stands = case.sandbox.stats().requests;
        let fleet = Fleet::start(&case, 2);
        until_shared(&case, &[0, 0]).await;
        assert_eq!(case.sandbox.stats().requests, stands + 2, "two workers asked whether the target answers");
        said(&case, &["resume", "push"]).await;
        until_shared(&case, &[1, 2]).await;
        in_flight(&case, 3).await;
        said(&case, &["tune", "push.workers=default"]).await;
        until_shared(&case, &[2, 2]).await;
        case.sandbox.set_faults(hq_sandbox::Faults::default()).unwrap();
        fleet.producer.ended().await.expect(0);
        case.assert_same_on_both_sides().await;
        case.assert_accounted_for().await;
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_ramp_has_come_to_is_there_after_everything_was_killed() {
    for (queue, ledger) in BOTH {
        let push = "silent_after = \"4s\"\nworkers = 8\n[tolerance]\np95 = \"20s\"\nwindow = \"2s\"\nramp = \"auto\"";
        let case = Case::small(setting(queue, ledger, 60, push), 20).await;
        let mut fleet = Fleet::start(&case, 2);
        // `auto` begins with two workers.
        wait_for("a raise", async || {
            let explained = case.haulier(&["explain", "--json"]).run().await;
            let workers = || explained.json()["ramp"]["workers"].as_u64();
            (explained.code == Some(0) && workers() > Some(2)).then_some(())
        })
        .await;
        assert!(case.sandbox.stats().max_in_flight < 8, "it began with the operator's value");
        said(&case, &["ramp", "hold", "--for", "1h", "--reason", "night"]).await;
        fleet.kill().await;
        let kept = wait_for("an interrupted run", async || {
            let explained = explain(&case).await;
            (explained["alive"] == false).then(|| explained["ramp"].clone())
        })
        .await;
        assert_eq!(kept["ramp"], "hold", "{kept}");
        assert!(kept["words"].as_str().unwrap().starts_with("GREEN"), "{kept}");
        let workers = kept["workers"].as_u64().unwrap();
        assert!(workers > 2, "{kept}");

        // The next leader goes on from there, and raises nothing.
        let fleet = Fleet::start(&case, 2);
        wait_for("the law to go on", async || {
            let explained = explain(&case).await;
            let shared: u64 = shares(&case).await.iter().sum();
            (explained["ramp"]["workers"] == workers && shared == workers).then_some(())
        })
        .await;
        let history = explain(&case).await["history"].clone();
        let last = history.as_array().unwrap().last().unwrap();
        assert_eq!((&last["name"], &last["value"]), (&"ramp".into(), &"hold".into()), "{history:#}");
        assert!(last["expires_at"].is_string(), "{history:#}");
        case.sandbox.set_faults(hq_sandbox::Faults::default()).unwrap();
        fleet.producer.ended().await.expect(0);
        case.assert_same_on_both_sides().await;
        case.assert_accounted_for().await;
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_ends_by_itself_and_what_was_before_holds_again() {
    let (queue, ledger) = BOTH[0];
    let case = Case::small(setting(queue, ledger, 60, "workers = 4"), 20).await;
    let fleet = Fleet::start(&case, 1);
    in_flight(&case, 4).await;
    let lowered = said(&case, &["tune", "push.workers=1", "--for", "3s"]).await;
    assert!(lowered["turned"][0]["expires_at"].is_string(), "{lowered:#}");
    assert_eq!(lowered["applied"][0]["workers"], 1, "{lowered:#}");
    until_shared(&case, &[4]).await;
    in_flight(&case, 4).await;
    fleet.ends(&case).await;
    case.end().await;
}
