//! A whole walk, and what stops it.

use haulier_core::StageName;
use haulier_core::stage::{Fact, RunEvent, RunState, StageState, TenantState, Verb};
use tokio_util::sync::CancellationToken;

use std::sync::atomic::Ordering;

use super::scene::{Scene, window};
use crate::{Ending, Options, Trouble, Wrote};

#[tokio::test(start_paused = true)]
async fn a_run_holds_at_each_gate_and_goes_on_after_a_decision() {
    let scene = Scene::new();
    assert_eq!(scene.walk(false).await.unwrap(), Ending::AtGate(StageName::new("bulk")));
    assert_eq!(scene.legs(), [(1, vec!["1".to_owned(), "2".to_owned()])]);
    assert_eq!(scene.standing().await.run, RunState::AwaitingDecision);
    // Without a decision nothing opens it, however often it is resumed.
    for _ in 0..3 {
        assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("bulk")));
    }
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("release")));
    let waves = [(2, vec!["3".to_owned(), "4".to_owned()]), (3, vec!["5".to_owned(), "6".to_owned()])];
    assert_eq!(scene.legs()[1..], waves);
    assert!(scene.decide("release", Verb::Go).await.unwrap());
    assert_eq!(scene.walk(true).await.unwrap(), Ending::Completed);
    let standing = scene.standing().await;
    assert_eq!(standing.run, RunState::Completed);
    assert_eq!(standing.stage(&StageName::new("freeze")).state, StageState::Skipped);
    assert!(standing.tenants.values().all(|state| *state == TenantState::Accepted));
    assert_eq!(standing.tenants.len(), 6);
    assert_eq!(*scene.hands.called.lock().unwrap(), ["https://flag-on", "https://tell"]);
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_waits_goes_on_after_a_decision_from_elsewhere() {
    let scene = Scene::new();
    let waiting = tokio::spawn(scene.controller(Options::default()).run());
    for gate in ["bulk", "release"] {
        while !scene.desk("test").standing().await.is_ok_and(|standing| {
            standing.run == RunState::AwaitingDecision
                && standing.gate(&StageName::new(gate)).state.is_decidable()
        }) {
            tokio::time::advance(std::time::Duration::from_millis(50)).await;
        }
        // A second controller is refused meanwhile.
        let second = scene.controller(Options { resume: true, ..Options::default() });
        let second = crate::Controller { process: haulier_core::ProcessId::new("c-2"), ..second };
        assert!(matches!(second.run().await, Err(Trouble::Held { .. })));
        assert!(scene.decide(gate, Verb::Go).await.unwrap());
    }
    assert_eq!(waiting.await.unwrap().unwrap(), Ending::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_fails_pauses_the_run_and_is_entered_again() {
    let scene = Scene::new();
    scene.hands.wrong.lock().unwrap().insert("deep".to_owned());
    let Ending::Paused(reasons) = scene.walk(false).await.unwrap() else { panic!("it did not pause") };
    assert!(reasons[0].contains("stage `smoke` failed: deep"), "{reasons:?}");
    scene.hands.wrong.lock().unwrap().clear();
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("bulk")));
    let smoke = scene.standing().await.stage(&StageName::new("smoke"));
    assert_eq!((smoke.state, smoke.attempt), (StageState::Succeeded, 2));
    // What was mended since has to be found: it walks anew.
    assert_eq!(scene.legs().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn dead_records_beyond_the_budget_fail_the_stage() {
    let scene = Scene::new();
    scene.hands.dead.store(1, Ordering::SeqCst);
    let Ending::Paused(reasons) = scene.walk(false).await.unwrap() else { panic!("it did not pause") };
    assert!(reasons[0].contains("1 records are dead, and at most 0 may be"), "{reasons:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_interrupts_and_only_a_resume_takes_up() {
    let scene = Scene::new();
    scene.hands.wrong.lock().unwrap().insert("carry".to_owned());
    let stop = CancellationToken::new();
    let controller = crate::Controller { stop: stop.clone(), ..scene.controller(Options::default()) };
    let walking = tokio::spawn(controller.run());
    while scene.legs().is_empty() {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    assert_eq!(walking.await.unwrap().unwrap(), Ending::Stopped);
    assert!(matches!(scene.standing().await.run, RunState::Interrupted(_)));
    let refused = scene.walk(false).await.unwrap_err().to_string();
    assert!(refused.contains("`haulier run --resume` takes it up"), "{refused}");
    scene.hands.wrong.lock().unwrap().clear();
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("bulk")));
    let legs = scene.legs();
    assert_eq!(legs[0], legs[1], "the same leg goes on");
}

#[tokio::test(start_paused = true)]
async fn an_abort_from_elsewhere_stops_what_is_carried() {
    let scene = Scene::new();
    scene.hands.wrong.lock().unwrap().insert("carry".to_owned());
    let walking = tokio::spawn(scene.controller(Options::default()).run());
    while scene.legs().is_empty() {
        tokio::task::yield_now().await;
    }
    let desk = scene.desk("pierre@home");
    let mut standing = desk.standing().await.unwrap();
    let abort = || vec![(Fact::Run(RunEvent::Abort), Some("not today".to_owned()))];
    while desk.write(&mut standing, abort()).await.unwrap() == Wrote::Moved {}
    assert_eq!(walking.await.unwrap().unwrap(), Ending::Aborted);
    let standing = scene.standing().await;
    assert_eq!(standing.run, RunState::Aborted);
    assert_eq!(standing.stage(&StageName::new("smoke")).state, StageState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_looks_other_than_before_holds_the_run() {
    let scene = Scene::new();
    let until = Options { until: Some(StageName::new("smoke")), no_wait: true, ..Options::default() };
    assert_eq!(scene.controller(until).run().await.unwrap(), Ending::Reached(StageName::new("smoke")));
    *scene.hands.print.lock().unwrap() = "other".to_owned();
    let Ending::Paused(reasons) = scene.walk(true).await.unwrap() else { panic!("it did not hold") };
    assert!(reasons[0].contains("drift: source schema"), "{reasons:?}");
    let accept = Options { resume: true, no_wait: true, accept_drift: true, ..Options::default() };
    assert_eq!(scene.controller(accept).run().await.unwrap(), Ending::AtGate(StageName::new("bulk")));
}

#[tokio::test(start_paused = true)]
async fn a_leg_stops_with_its_window_and_goes_on_in_the_next() {
    let scene = Scene::new();
    // The clock stands at 22:13.
    *scene.hands.windows.lock().unwrap() = vec![
        window("tuesday", "2023-11-14T22:00/2023-11-14T23:00"),
        window("wednesday", "2023-11-15T22:00/2023-11-15T23:00"),
    ];
    scene.walk(false).await.unwrap();
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    scene.hands.wrong.lock().unwrap().insert("carry".to_owned());
    let options = Options { resume: true, no_wait: true, ..Options::default() };
    let walking = tokio::spawn(scene.controller(options).run());
    while scene.legs().len() < 2 {
        tokio::task::yield_now().await;
    }
    let hour = 3_600_000_000;
    scene.clock.0.store(hour, Ordering::SeqCst);
    let ending = walking.await.unwrap().unwrap();
    assert!(matches!(&ending, Ending::AtWindow(why) if why.contains("2023-11-15T22:00:00Z")), "{ending:?}");
    assert_eq!(scene.standing().await.run, RunState::AwaitingWindow);
    scene.hands.wrong.lock().unwrap().clear();
    // Still shut, however often it is resumed.
    assert!(matches!(scene.walk(true).await.unwrap(), Ending::AtWindow(_)));
    assert_eq!(scene.legs().len(), 2);
    scene.clock.0.store(24 * hour, Ordering::SeqCst);
    // The go has not expired: the stage had begun.
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("release")));
    let legs = scene.legs();
    assert_eq!(legs[1], legs[2], "the same leg goes on");
}
