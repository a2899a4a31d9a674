//! The queue is lost while nobody looks: the ledger fills it again.

use super::scene::{self, Fleet};
use crate::support::process::wait_for;
use crate::support::{LedgerKind, QueueKind};

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_queue_that_lost_its_rows_is_filled_again() {
    lost(QueueKind::Embedded).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_queue_that_was_deleted_is_declared_and_filled_again() {
    lost(QueueKind::Rabbit).await;
}

async fn lost(queue: QueueKind) {
    let (case, rows) = scene::larger(scene::setting(queue, LedgerKind::Sqlite)).await;
    let fleet = Fleet::start(&case, 1, None);
    scene::requests(&case, rows / 4).await;
    wait_for("the end of the source", async || (!case.status().await["produced_at"].is_null()).then_some(()))
        .await;
    fleet.stops().await;
    assert_eq!(case.status().await["state"], "interrupted");
    assert!(case.sandbox.stats().requests < rows, "there is nothing left to lose");
    case.lose_queue().await;
    // On the broker, the worker comes to a run whose queue nobody has declared yet.
    let said = match queue {
        QueueKind::Embedded => case.haulier(&["run"]).run().await.expect(0).stderr,
        QueueKind::Rabbit => Fleet::start(&case, 1, None).ends().await,
    };
    assert!(said.contains("never came out of it"), "nobody noticed:\n{said}");
    scene::assert_once(&case, 0, &said).await;
    case.end().await;
}
