//! A crash at every named point, the first and a later time that it is passed.

use std::sync::Arc;

use haulier_core::crash::{
    self, PRODUCE_AFTER_ADMIT, PRODUCE_AFTER_ADVANCE, PRODUCE_AFTER_PUBLISH, PRODUCE_AFTER_READ,
    SWEEP_AFTER_PUBLISH, WORK_AFTER_ACK, WORK_AFTER_CLAIM, WORK_AFTER_PUSH, WORK_AFTER_SETTLE,
    WORK_AFTER_TAKE,
};
use hq_sandbox::Faults;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::scene::{self, Fleet, REPEATS_A_KILL, Who};
use crate::support::{LedgerKind, QueueKind, Setting};

/// Cases at a time: they wait more than they work.
const AT_ONCE: usize = 5;

/// Every point with a later time that this case passes it for sure.
const PRODUCER: [(&str, u32); 5] = [
    (PRODUCE_AFTER_READ, 9),
    (PRODUCE_AFTER_ADMIT, 9),
    (PRODUCE_AFTER_PUBLISH, 9),
    (PRODUCE_AFTER_ADVANCE, 9),
    (SWEEP_AFTER_PUBLISH, 3),
];
const WORKER: [(&str, u32); 5] = [
    (WORK_AFTER_TAKE, 5),
    (WORK_AFTER_CLAIM, 5),
    (WORK_AFTER_PUSH, 40),
    (WORK_AFTER_SETTLE, 5),
    (WORK_AFTER_ACK, 5),
];

#[test]
fn every_point_is_tried() {
    let tried: Vec<&str> = PRODUCER.iter().chain(&WORKER).map(|(point, _)| *point).collect();
    assert_eq!(tried, crash::ALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_producer_at_any_point_costs_nothing() {
    all(&PRODUCER, Way::Apart(Who::Producer)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_a_worker_at_any_point_is_made_good() {
    all(&WORKER, Way::Apart(Who::Worker(0))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_a_run_in_one_process_at_any_point_is_made_good() {
    all(&PRODUCER, Way::Run).await;
    all(&WORKER, Way::Run).await;
}

/// Who crashes.
#[derive(Clone, Copy)]
enum Way {
    /// A process of several.
    Apart(Who),
    /// The one that does everything.
    Run,
}

async fn all(points: &[(&str, u32)], way: Way) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut cases = JoinSet::new();
    for at in points.iter().flat_map(|(point, later)| [format!("{point}:1"), format!("{point}:{later}")]) {
        let turns = Arc::clone(&turns);
        cases.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            eprintln!("crash at {at}");
            one(&at, way).await;
        });
    }
    while let Some(ended) = cases.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

async fn one(at: &str, way: Way) {
    let setting = scene::setting(QueueKind::Embedded, LedgerKind::Sqlite);
    // Some requests fail before anything is done, so that the sweeper has something to send again.
    let faults = Faults { error_share: 0.05, ..setting.faults.clone() };
    let case = scene::small(Setting { faults, ..setting }).await;
    let (said, repeats) = match way {
        Way::Apart(who) => {
            let mut fleet = Fleet::start(&case, 2, Some((who, at)));
            fleet.restart_after_crash(who).await;
            // A producer's crash costs the target nothing.
            (fleet.ends().await, if who == Who::Producer { 0 } else { REPEATS_A_KILL })
        }
        Way::Run => {
            case.haulier(&["run"]).env("HAULIER_CRASH_AT", at).start().crashes().await;
            (case.haulier(&["run"]).run().await.expect(0).stderr, REPEATS_A_KILL)
        }
    };
    scene::assert_once(&case, repeats, &said).await;
    case.end().await;
}
