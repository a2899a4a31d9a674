//! The controller is killed at every entry that it writes, before and after it is kept; then somebody resumes.

use std::sync::atomic::Ordering;

use haulier_core::StageName;
use haulier_core::stage::{RunState, Verb};

use super::scene::Scene;
use crate::Ending;

/// Walks to the end, decides where it has to, and is killed at the `at`-th entry. Whether it came so far.
async fn killed(at: usize, kept: bool) -> bool {
    let scene = Scene::new();
    scene.log.left.store(at, Ordering::SeqCst);
    scene.log.kept.store(kept, Ordering::SeqCst);
    let (mut died, mut decided, mut resume) = (false, 0, false);
    loop {
        match scene.walk(resume).await {
            Ok(Ending::Completed) => break,
            Ok(Ending::AtGate(gate)) => {
                // Never open before somebody decides.
                assert!(!scene.standing().await.gate(&gate).state.is_open());
                resume = true;
                if scene.decide(gate.as_str(), Verb::Go).await.is_err() {
                    died = true;
                    scene.log.left.store(usize::MAX, Ordering::SeqCst);
                    let open = scene.standing().await.gate(&gate).state.is_open();
                    assert_eq!(open, kept, "a decision is kept whole, or not at all");
                    if !open {
                        assert!(scene.decide(gate.as_str(), Verb::Go).await.unwrap());
                    }
                }
                decided += 1;
            }
            Ok(other) => panic!("killed at entry {at}: {other:?}"),
            Err(error) => {
                assert!(error.to_string().contains("killed"), "{error}");
                died = true;
                let before = scene.standing().await;
                scene.log.left.store(usize::MAX, Ordering::SeqCst);
                resume = before.version > 0;
                if before.run.is_live() {
                    let refused = scene.walk(false).await.unwrap_err().to_string();
                    assert!(refused.contains("--resume"), "only an explicit resume takes it up: {refused}");
                } else if before.run == RunState::Completed {
                    resume = false;
                }
            }
        }
    }
    assert_eq!(decided, 2, "each gate took one decision");
    let standing = scene.standing().await;
    let decisions: usize = standing.gates.values().map(|gate| gate.decisions.len()).sum();
    assert_eq!(decisions, 2);
    for (key, hook) in &standing.hooks {
        // One whose end nobody lived to note is run once more, and knows it by its attempt.
        assert!(hook.began <= 2, "{key:?}: {hook:?}");
    }
    let called = scene.hands.called.lock().unwrap().len();
    let began: u32 = standing.hooks.values().map(|hook| hook.began).sum();
    assert!(called <= 3 && usize::try_from(began).unwrap() >= called, "{called} calls, {began} noted");
    // No leg was carried under two numbers.
    let mut legs = scene.legs();
    legs.sort();
    legs.dedup();
    assert_eq!(legs.len(), 3, "{legs:?}");
    assert!(standing.stage(&StageName::new("final")).state.is_done());
    died
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_entry_a_resume_goes_on_exactly_there() {
    for kept in [false, true] {
        let mut at = 0;
        while killed(at, kept).await {
            at += 1;
        }
        assert!(at > 40, "the walk was killed at {at} entries only");
    }
}
