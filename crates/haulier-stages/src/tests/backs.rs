//! Going back: decided, carried out once, killed on the way, failed and tried again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use haulier_core::StageName;
use haulier_core::stage::{Back, ROLLBACK, RunState, StageState, Verb};

use super::scene::Scene;
use crate::{Ending, Options, Trouble, agree};

const RESTORE: &str = "https://restore";

/// A run that waits before its bulk.
async fn waiting() -> Scene {
    let scene = Scene::new();
    assert_eq!(scene.walk(false).await.unwrap(), Ending::AtGate(StageName::new("bulk")));
    scene
}

async fn decided(scene: &Scene) -> Result<bool, Trouble> {
    let desk = scene.desk("pierre@home");
    let mut standing = desk.standing().await?;
    let wish = Back { person: "pierre", note: "the balances are wrong", plan: &scene.plan.digest };
    agree(&desk, &scene.plan, &wish, &mut standing).await
}

async fn go_back(scene: &Scene) -> Result<Ending, Trouble> {
    scene.controller(Options { roll_back: true, ..Options::default() }).run().await
}

fn restores(scene: &Scene) -> usize {
    scene.hands.called.lock().unwrap().iter().filter(|url| *url == RESTORE).count()
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_back_that_nobody_decided() {
    let scene = waiting().await;
    let refused = go_back(&scene).await.unwrap_err().to_string();
    assert_eq!(refused, "going back takes 1 who decide it, and 0 have");
    assert!(decided(&scene).await.unwrap());
    assert_eq!(go_back(&scene).await.unwrap(), Ending::RolledBack);
    assert_eq!(restores(&scene), 1);
    let standing = scene.standing().await;
    assert_eq!(standing.run, RunState::RolledBack);
    assert_eq!(standing.stage(&StageName::new("bulk")).state, StageState::Cancelled);
    // It is over: neither walked on nor put back once more.
    assert_eq!(scene.walk(true).await.unwrap(), Ending::RolledBack);
    assert!(go_back(&scene).await.is_err());
    assert_eq!(restores(&scene), 1);
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_waits_carries_it_out() {
    let scene = waiting().await;
    let resume = Options { resume: true, ..Options::default() };
    let waiting = tokio::spawn(scene.controller(resume).run());
    // Its taking up is noted first: what was decided is decided of the run as it stands.
    while scene.standing().await.version < 12 {
        tokio::time::advance(std::time::Duration::from_millis(50)).await;
    }
    assert!(decided(&scene).await.unwrap());
    let desk = scene.desk("pierre@home");
    let mut standing = desk.standing().await.unwrap();
    crate::begin(&desk, &scene.plan, &mut standing).await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Ending::RolledBack);
    assert_eq!(restores(&scene), 1);
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_fails_is_decided_and_tried_anew_or_closed() {
    let scene = waiting().await;
    scene.hands.wrong.lock().unwrap().insert(RESTORE.to_owned());
    decided(&scene).await.unwrap();
    let Ending::RollbackFailed(why) = go_back(&scene).await.unwrap() else { panic!("it did not fail") };
    assert!(why.contains("hook `restore`: it answered 503"), "{why}");
    assert_eq!(scene.standing().await.run, RunState::RollbackFailed);
    assert!(go_back(&scene).await.is_err(), "each try is decided");
    scene.hands.wrong.lock().unwrap().clear();
    assert!(decided(&scene).await.unwrap());
    assert_eq!(go_back(&scene).await.unwrap(), Ending::RolledBack);
    assert_eq!(restores(&scene), 2);
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_entry_it_goes_on_and_nothing_is_done_twice_that_ended() {
    for kept in [false, true] {
        let mut at = 0;
        loop {
            let scene = waiting().await;
            decided(&scene).await.unwrap();
            scene.log.left.store(at, Ordering::SeqCst);
            scene.log.kept.store(kept, Ordering::SeqCst);
            let died = match go_back(&scene).await {
                Ok(Ending::RolledBack) => false,
                Ok(other) => panic!("killed at entry {at}: {other:?}"),
                Err(error) => {
                    assert!(error.to_string().contains("killed"), "{error}");
                    true
                }
            };
            scene.log.left.store(usize::MAX, Ordering::SeqCst);
            if died {
                let before = scene.standing().await;
                if before.run == RunState::RollingBack {
                    // Nobody walks on meanwhile, and the decision is not asked for again.
                    assert!(scene.walk(false).await.is_err());
                    assert_eq!(scene.walk(true).await.unwrap(), Ending::RolledBack);
                } else if before.run != RunState::RolledBack {
                    assert_eq!(go_back(&scene).await.unwrap(), Ending::RolledBack);
                }
            }
            let standing = scene.standing().await;
            assert_eq!(standing.run, RunState::RolledBack);
            let hook = standing.hook(&StageName::new(ROLLBACK), "restore");
            // One whose end nobody lived to note is run once more, and knows it by its attempt.
            assert!(hook.began <= 2 && restores(&scene) <= usize::try_from(hook.began).unwrap(), "{hook:?}");
            if !died {
                assert_eq!(restores(&scene), 1);
                break;
            }
            at += 1;
        }
        assert!(at >= 4, "it was killed at {at} entries only");
    }
}

#[tokio::test(start_paused = true)]
async fn no_way_leads_back_from_a_stage_that_says_so() {
    let mut scene = Scene::new();
    let mut plan = (*scene.plan).clone();
    plan.stages
        .stages
        .iter_mut()
        .find(|stage| stage.name.as_str() == "release")
        .unwrap()
        .point_of_no_return = true;
    scene.plan = Arc::new(plan);
    for gate in ["bulk", "release"] {
        let resume = gate == "release";
        assert_eq!(scene.walk(resume).await.unwrap(), Ending::AtGate(StageName::new(gate)));
        assert!(decided(&scene).await.unwrap(), "before {gate} there is a way back");
        assert!(scene.decide(gate, Verb::Go).await.unwrap());
    }
    scene.hands.wrong.lock().unwrap().insert("https://tell".to_owned());
    assert!(matches!(scene.walk(true).await.unwrap(), Ending::Paused(_)));
    let refused = decided(&scene).await.unwrap_err().to_string();
    assert_eq!(refused, "stage `release` has begun, and the plan says that nothing leads back from it");
    assert!(go_back(&scene).await.is_err());
    assert_eq!(restores(&scene), 0);
}
