//! A worker that is not dead, only stopped: it wakes up after others took over what it held.

use std::time::Duration;

use super::scene::{self, Fleet, REPEATS_A_KILL, Who};
use crate::support::{LedgerKind, QueueKind};

/// What another worker can send without queue and ledger.
const MORE_THAN_IN_HAND: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_stopped_for_long_sends_nothing_of_what_others_took_over() {
    let (case, rows) = scene::larger(scene::setting(QueueKind::Embedded, LedgerKind::Sqlite)).await;
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
    let before = case.requests().len();
    fleet.process(sleeper).signal("CONT").await;
    let said = said + &fleet.workers_end().await;
    let late: Vec<_> = case.requests().into_iter().skip(before).collect();
    assert!(late.is_empty(), "it woke up and sent {late:#?}");
    scene::assert_once(&case, REPEATS_A_KILL, &said).await;
    case.end().await;
}
