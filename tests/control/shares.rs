//! Totals of the run over several processes: raised, lowered, and taken over from a dead one.

use super::scene::{BOTH, Fleet, in_flight, said, setting, until_shared};
use crate::support::Case;
use crate::support::process::wait_for;

#[tokio::test(flavor = "multi_thread")]
async fn workers_go_up_and_down_over_three_processes_under_load() {
    for (queue, ledger) in BOTH {
        let case = Case::small(setting(queue, ledger, 150, "workers = 2"), 20).await;
        let fleet = Fleet::start(&case, 3);
        until_shared(&case, &[0, 1, 1]).await;
        in_flight(&case, 2).await;

        // Beyond the double it takes force, and the answer names the processes that applied it.
        let refused = case.haulier(&["tune", "push.workers=16"]).run().await.expect(1);
        assert!(
            refused.stderr.contains("from 2 to 16") && refused.stderr.contains("double, 4"),
            "{}",
            refused.stderr
        );
        let raised = said(&case, &["tune", "push.workers=16", "--force", "--reason", "tolerance seen"]).await;
        assert_eq!(raised["turned"][0]["previous"], "2", "{raised:#}");
        assert_eq!(raised["turned"][0]["effective"], "16", "{raised:#}");
        assert_eq!(raised["turned"][0]["forced"], true, "{raised:#}");
        assert_eq!(raised["applied"].as_array().unwrap().len(), 3, "{raised:#}");
        assert_eq!(raised["missing"].as_array().unwrap().len(), 0, "{raised:#}");
        until_shared(&case, &[5, 5, 6]).await;
        in_flight(&case, 16).await;

        // Lowered, it is three as soon as the slowest request has ended, and no more ever after.
        said(&case, &["tune", "push.workers=3"]).await;
        wait_for("three in flight", async || (case.sandbox.stats().in_flight <= 3).then_some(())).await;
        let until = case.sandbox.stats().requests + 20;
        wait_for("twenty more requests", async || {
            let stats = case.sandbox.stats();
            assert!(stats.in_flight <= 3, "{stats:?}");
            (stats.requests >= until).then_some(())
        })
        .await;
        assert_eq!(case.sandbox.stats().max_in_flight, 16, "never more than the total");
        said(&case, &["tune", "push.workers=24", "--force"]).await;
        fleet.ends(&case).await;
        case.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_process_leaves_its_share_to_the_others() {
    for (queue, ledger) in BOTH {
        let case =
            Case::small(setting(queue, ledger, 100, "silent_after = \"4s\"\nworkers = 6\nrate = 30"), 20)
                .await;
        let mut fleet = Fleet::start(&case, 3);
        until_shared(&case, &[2, 2, 2]).await;
        let mut dead = fleet.workers.pop().unwrap();
        dead.kill().await;
        until_shared(&case, &[3, 3]).await;
        let explained = super::scene::explain(&case).await;
        let rates: Vec<&str> = explained["processes"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|process| process["push_rate"].as_str())
            .collect();
        assert_eq!(rates, ["15", "15"], "{explained:#}");
        said(&case, &["tune", "push.workers=24", "push.rate=none", "--force"]).await;
        case.sandbox.set_faults(hq_sandbox::Faults::default()).unwrap();
        fleet.producer.ended().await.expect(0);
        case.assert_same_on_both_sides().await;
        case.assert_accounted_for().await;
        case.end().await;
    }
}
