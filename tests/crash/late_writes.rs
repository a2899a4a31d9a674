//! Requests that act on the target after haulier gave them up.

use std::sync::atomic::{AtomicU64, Ordering};

use hq_sandbox::Faults;

use super::scene::{self, Fleet, Who};
use crate::support::process::wait_for;
use crate::support::{Case, LedgerKind, QueueKind, Setting};

/// The producer's crash leaves every user in the queue twice. Some requests of the first copy time out and act later; the
/// second copy comes before that, and must not be sent.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_left_alone_for_its_grace_also_when_its_message_comes_again() {
    let setting = scene::setting(QueueKind::Embedded, LedgerKind::Sqlite);
    let push = setting.push.replace("zombie_grace = \"1s\"", "zombie_grace = \"4s\"");
    let push = push.replace("chunk = 40", "chunk = 500").replace("fibres = 2", "fibres = 1");
    let case = scene::small(Setting { push, target: "timeout = \"1s\"".to_owned(), ..setting }).await;
    // One chunk an entity: the third is that of the users.
    let mut fleet = Fleet::start(&case, 0, Some((Who::Producer, "produce.after_publish:3")));
    fleet.restart_after_crash(Who::Producer).await;
    wait_for("the end of the source", async || (!case.status().await["produced_at"].is_null()).then_some(()))
        .await;
    fleet.start_worker();
    wait_for("users", async || (users(&case) >= 20).then_some(())).await;
    case.sandbox.set_faults(Faults { latency_ms: 3000, ..Faults::default() }).unwrap();
    let answered = AtomicU64::new(0);
    wait_for("requests that take long", async || {
        // Nothing is answered any more: those in flight have begun since.
        let stats = case.sandbox.stats();
        let same = answered.swap(stats.requests, Ordering::Relaxed) == stats.requests;
        (same && stats.in_flight >= 4).then_some(())
    })
    .await;
    case.sandbox.set_faults(Faults { latency_ms: 60, ..Faults::default() }).unwrap();
    let said = fleet.ends().await;
    assert!(!said.contains(" 0 attempts failed"), "no request was given up:\n{said}");
    // Those that acted after all are found, and written once more.
    scene::assert_once(&case, 8, &said).await;
    case.end().await;
}

fn users(case: &Case) -> usize {
    case.sandbox.stats().collections["users"].records
}
