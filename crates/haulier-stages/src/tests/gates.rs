//! What a gate takes, and what it does not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use haulier_core::StageName;
use haulier_core::plan::OnTimeout;
use haulier_core::stage::{GateState, RunKind, RunState, Verb};

use super::scene::{Scene, gate};
use crate::{Ending, Trouble, evaluate};

fn bulk() -> StageName {
    StageName::new("bulk")
}

#[tokio::test(start_paused = true)]
async fn a_go_against_a_failing_check_is_refused_and_a_new_look_helps() {
    let scene = Scene::new();
    scene.hands.wrong.lock().unwrap().insert("queue.empty".to_owned());
    assert_eq!(scene.walk(false).await.unwrap(), Ending::AtGate(bulk()));
    assert_eq!(scene.standing().await.gate(&bulk()).state, GateState::NoGoAdvised);
    let refused = scene.decide("bulk", Verb::Go).await.unwrap_err().to_string();
    assert!(refused.contains("would be an override"), "{refused}");
    scene.hands.wrong.lock().unwrap().clear();
    let (desk, mut standing) = (scene.desk("lin@ops"), scene.standing().await);
    evaluate(&desk, &*scene.hands, &gate("bulk"), &mut standing).await.unwrap();
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("release")));
}

#[tokio::test(start_paused = true)]
async fn a_no_go_and_a_hold_keep_it_closed() {
    for verb in [Verb::NoGo, Verb::Hold] {
        let scene = Scene::new();
        scene.walk(false).await.unwrap();
        assert!(scene.decide("bulk", verb).await.unwrap());
        assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(bulk()));
        assert_eq!(scene.standing().await.run, RunState::AwaitingDecision);
        assert_eq!(scene.legs().len(), 1, "only the smoke was carried");
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_go_opens_nothing() {
    let scene = Scene::new();
    scene.walk(false).await.unwrap();
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    scene.clock.0.store(2 * 3_600_000_000, Ordering::SeqCst);
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(bulk()));
    // Its checks ran anew, and somebody has to look at them.
    assert_eq!(scene.standing().await.gate(&bulk()).state, GateState::GoAdvised);
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("release")));
}

#[tokio::test(start_paused = true)]
async fn a_changed_plan_is_refused() {
    let mut scene = Scene::new();
    scene.walk(false).await.unwrap();
    let mut other = (*scene.plan).clone();
    other.digest = "p2".to_owned();
    scene.plan = Arc::new(other);
    let refused = scene.decide("bulk", Verb::Go).await.unwrap_err();
    assert!(matches!(refused, Trouble::Refused(haulier_core::stage::Refusal::PlanChanged)), "{refused}");
    let refused = scene.walk(true).await.unwrap_err().to_string();
    assert!(refused.contains("plan amend"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_time_out_is_never_a_go() {
    for on_timeout in [OnTimeout::Hold, OnTimeout::NoGo] {
        let mut scene = Scene::new();
        let mut plan = (*scene.plan).clone();
        let timed =
            haulier_core::plan::Gate { due: Some(Duration::from_mins(1)), on_timeout, ..gate("bulk") };
        plan.stages.gates[0] = timed;
        scene.plan = Arc::new(plan);
        scene.walk(false).await.unwrap();
        scene.clock.0.store(600_000_000, Ordering::SeqCst);
        assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(bulk()));
        scene.clock.0.store(1_200_000_000, Ordering::SeqCst);
        assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(bulk()));
        assert!(!scene.standing().await.gate(&bulk()).state.is_open(), "{on_timeout:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_may_decide_by_itself_and_production_never_does() {
    for (kind, wanted) in [
        (RunKind::Rehearsal, Ending::AtGate(StageName::new("release"))),
        (RunKind::Production, Ending::AtGate(bulk())),
    ] {
        let mut scene = Scene::new();
        let mut plan = (*scene.plan).clone();
        plan.stages.gates[0].auto = true;
        (scene.plan, scene.kind) = (Arc::new(plan), kind);
        assert_eq!(scene.walk(false).await.unwrap(), wanted);
        let decisions = scene.standing().await.gate(&bulk()).decisions.len();
        assert_eq!(decisions, usize::from(kind == RunKind::Rehearsal), "what it decides is kept");
    }
}
