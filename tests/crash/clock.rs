//! The clock is set, an hour ahead and back again, under a running migration.

use std::path::Path;

use hq_sandbox::Faults;

use super::scene::{self, REPEATS_A_KILL};
use crate::support::{Case, LedgerKind, QueueKind, Setting};

/// A target that fails now and then, so that records are put off by whatever time it is.
async fn failing(queue: QueueKind) -> (Case, u64) {
    let setting = scene::setting(queue, LedgerKind::Sqlite);
    let faults = Faults { error_share: 0.1, ..setting.faults.clone() };
    scene::larger(Setting { faults, ..setting }).await
}

/// Sets the clock of all processes. Each reads the whole file or none of it.
fn set(case: &Case, seconds: i64) {
    let next = case.path("clock.next");
    std::fs::write(&next, seconds.to_string()).unwrap();
    std::fs::rename(&next, case.path("clock")).unwrap();
}

fn file(case: &Case) -> String {
    Path::new(case.dir.path()).join("clock").display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_an_hour_ahead_and_back_loses_and_doubles_nothing() {
    let (case, rows) = failing(QueueKind::Embedded).await;
    set(&case, 0);
    let run = case.haulier(&["run"]).env("HAULIER_CLOCK", &file(&case)).start();
    let mut jumps = 0;
    for (part, seconds) in [(6, 3600), (3, 0), (2, -3600), (1, 0)] {
        scene::requests(&case, rows / part / 2).await;
        set(&case, seconds);
        jumps += 1;
    }
    let said = run.ended().await.expect(0).stderr;
    // A jump ahead may end the life of the one worker process, which drops what it has in hand.
    scene::assert_once(&case, jumps * REPEATS_A_KILL, &said).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_dies_while_the_clock_is_ahead_holds_up_nobody_when_it_is_right_again() {
    let (case, rows) = failing(QueueKind::Rabbit).await;
    set(&case, 3600);
    let start = |verb: &str| case.haulier(&[verb]).env("HAULIER_CLOCK", &file(&case)).start();
    let (mut producer, mut worker) = (start("produce"), start("work"));
    scene::requests(&case, rows / 4).await;
    worker.kill().await;
    producer.kill().await;
    set(&case, 0);
    let (producer, worker) = (start("produce"), start("work"));
    let said = producer.ended().await.expect(0).stderr + &worker.ended().await.expect(0).stderr;
    assert!(said.contains("whose clock was ahead") && said.contains("its clock was ahead"), "{said}");
    scene::assert_once(&case, REPEATS_A_KILL, &said).await;
    case.end().await;
}
