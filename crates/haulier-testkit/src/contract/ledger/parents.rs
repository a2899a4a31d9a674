//! Promises about records that wait for others.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use std::sync::Arc;

use haulier_core::port::{Settled, Settlement};
use haulier_core::{FailureKind, RecordState};

use super::Bench;
use super::fixture::{Desk, NOW, key, landed, send, sighting};

/// In the transaction that lands it.
pub async fn a_landing_releases_the_children_it_held(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit(&["a", "b", "c", "parent", "other"].map(|text| sighting(text, 1))).await;
    for (child, parent) in [("a", "parent"), ("b", "parent"), ("c", "other")] {
        assert_eq!(desk.claim_one(child, 1).await, send(1));
        assert!(desk.settle(child, 1, Settlement::AwaitParent(desk.record(parent))).await);
    }
    let row = desk.row("a").await;
    assert_eq!((row.state, row.attempts), (RecordState::Held, 0));
    assert_eq!(row.waits_for, Some(desk.record("parent")));
    assert_eq!(row.failure.map(|failure| failure.kind), Some(FailureKind::MissingParent));
    assert_eq!(desk.due(i64::MAX).await, [""; 0]);
    desk.claim_one("parent", 1).await;
    assert!(desk.settle("parent", 1, landed("p", 1)).await);
    assert_eq!(desk.due(NOW).await, ["a", "b"]);
    let row = desk.row("a").await;
    assert_eq!((row.state, row.waits_for, row.failure), (RecordState::Retry, None, None));
    assert_eq!(desk.state("c").await, RecordState::Held);
    assert_eq!(desk.claim_one("a", 1).await, send(1));
}

/// The worker looked before it landed, and settles after.
pub async fn a_hold_on_a_landed_parent_is_due_at_once(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit_one(sighting("child", 1)).await;
    desk.claim_one("child", 1).await;
    desk.land("parent", 1, "p").await;
    assert!(desk.settle("child", 1, Settlement::AwaitParent(desk.record("parent"))).await);
    assert_eq!(desk.state("child").await, RecordState::Retry);
    assert_eq!(desk.due(NOW).await, ["child"]);
}

/// Whatever their order in the batch.
pub async fn a_hold_in_the_batch_that_lands_the_parent_is_due_at_once(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit(&["child", "parent"].map(|text| sighting(text, 1))).await;
    desk.claim(&["child", "parent"], 1).await;
    let settled = |text: &str, how| Settled { key: key(text), attempt: 1, how, now: NOW };
    let batch =
        [settled("child", Settlement::AwaitParent(desk.record("parent"))), settled("parent", landed("p", 1))];
    assert_eq!(desk.settle_these(&batch).await, [true, true]);
    assert_eq!(desk.due(NOW).await, ["child"]);
}

/// Children of any entity wait for a parent by its name and key.
pub async fn a_landing_releases_children_of_other_entities(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let (project, user) = (desk.of("project"), desk.of("user"));
    for child in [&project, &user] {
        child.admit_one(sighting("1", 1)).await;
        child.claim_one("1", 1).await;
        assert!(child.settle("1", 1, Settlement::AwaitParent(desk.record("1"))).await);
    }
    desk.of("elsewhere").land("1", 1, "x").await;
    assert_eq!(project.state("1").await, RecordState::Held);
    desk.land("1", 1, "p").await;
    assert_eq!(project.state("1").await, RecordState::Retry);
    assert_eq!(user.state("1").await, RecordState::Retry);
}

/// 500 parents land while their children begin to wait, from two handles on the ledger.
pub async fn holds_and_landings_at_once_leave_no_child_behind(bench: &dyn Bench) {
    const PAIRS: usize = 500;
    let desk = Desk::open(bench).await;
    let other = Desk { ledger: bench.open().await.unwrap(), ..desk.process("other").of("project") };
    let keys: Arc<Vec<String>> = Arc::new((0..PAIRS).map(|n| format!("k{n:04}")).collect());
    let rows: Vec<_> = keys.iter().map(|text| sighting(text, 1)).collect();
    other.admit(&rows).await;
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    other.claim(&texts, 1).await;
    // Half of the parents are not even admitted when the race begins.
    desk.admit(&rows[..PAIRS / 2]).await;
    let landing = {
        let (desk, keys) = (desk.clone(), Arc::clone(&keys));
        tokio::spawn(async move {
            for chunk in keys.chunks(5) {
                let rows: Vec<_> = chunk.iter().map(|text| sighting(text, 1)).collect();
                desk.admit(&rows).await;
                let texts: Vec<&str> = chunk.iter().map(String::as_str).collect();
                desk.claim(&texts, 1).await;
                let settled: Vec<_> = chunk
                    .iter()
                    .map(|text| Settled { key: key(text), attempt: 1, how: landed(text, 1), now: NOW })
                    .collect();
                assert!(desk.settle_these(&settled).await.iter().all(|kept| *kept));
            }
        })
    };
    let mut holding = Vec::new();
    for part in 0..2 {
        let (parent, child, keys) = (desk.clone(), other.clone(), Arc::clone(&keys));
        holding.push(tokio::spawn(async move {
            for chunk in keys.chunks(10).skip(part).step_by(2) {
                let settled: Vec<_> = chunk
                    .iter()
                    .map(|text| Settled {
                        key: key(text),
                        attempt: 1,
                        how: Settlement::AwaitParent(parent.record(text)),
                        now: NOW,
                    })
                    .collect();
                assert!(child.settle_these(&settled).await.iter().all(|kept| *kept));
            }
        }));
    }
    landing.await.unwrap();
    for part in holding {
        part.await.unwrap();
    }
    let counts = other.counts().await;
    assert_eq!(counts.of(RecordState::Held), 0, "{counts:?}");
    assert_eq!(counts.of(RecordState::Retry), PAIRS as u64);
    assert_eq!(desk.counts().await.of(RecordState::Landed), PAIRS as u64);
}
