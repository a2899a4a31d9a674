//! Waves: so many at a time, watched before the next, held where too many fail; and what a window's end does.

use std::sync::atomic::Ordering;
use std::time::Duration;

use haulier_core::calendar::{AtEnd, MaxFailed, Wave};
use haulier_core::stage::{RunState, Severity, StageState, Verb};
use haulier_core::{StageName, TenantKey};

use super::scene::{Scene, report, window};
use crate::{Ending, Options, Trouble};

const HOUR: i64 = 3_600_000_000;

fn release() -> Ending {
    Ending::AtGate(StageName::new("release"))
}

/// A run whose bulk may begin.
async fn before_bulk(change: fn(&mut Wave)) -> Scene {
    let scene = Scene::new();
    *scene.hands.waves.lock().unwrap() = Some(change);
    assert_eq!(scene.walk(false).await.unwrap(), Ending::AtGate(StageName::new("bulk")));
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    scene
}

/// Lets whoever looks every quarter of a second look so often.
async fn ticks(looks: u32) {
    for _ in 0..looks {
        tokio::time::advance(Duration::from_millis(250)).await;
        tokio::task::yield_now().await;
    }
}

fn resumed() -> Options {
    Options { resume: true, no_wait: true, ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn no_more_tenants_go_at_a_time_than_the_wave_says() {
    let scene = before_bulk(|wave| wave.parallel = Some(1)).await;
    assert_eq!(scene.walk(true).await.unwrap(), release());
    let legs: Vec<Vec<String>> = scene.legs().into_iter().skip(1).map(|(_, tenants)| tenants).collect();
    assert_eq!(legs, [["3"], ["4"], ["5"], ["6"]]);
}

#[tokio::test(start_paused = true)]
async fn the_next_wave_begins_when_the_one_before_was_watched() {
    let scene = before_bulk(|wave| wave.soak = Duration::from_hours(24)).await;
    let Ending::AtWindow(why) = scene.walk(true).await.unwrap() else { panic!("it did not wait") };
    assert!(
        why.contains("wave `w2` begins when wave `w1` has been watched, at 2023-11-15T22:13:20Z"),
        "{why}"
    );
    assert_eq!(scene.standing().await.run, RunState::AwaitingWindow);
    scene.clock.0.store(23 * HOUR, Ordering::SeqCst);
    assert!(matches!(scene.walk(true).await.unwrap(), Ending::AtWindow(_)), "however often it is resumed");
    assert_eq!(scene.legs().len(), 2);
    // What somebody found meanwhile holds the next wave.
    let found = report(&scene, Severity::S1, "wrong balances").await;
    scene.clock.0.store(25 * HOUR, Ordering::SeqCst);
    let Ending::Paused(reasons) = scene.walk(true).await.unwrap() else { panic!("it went on") };
    assert!(reasons[0].contains("wave `w2` does not begin: open: F-1 (s1)"), "{reasons:?}");
    scene.close(&found).await;
    assert_eq!(scene.walk(true).await.unwrap(), release());
    assert_eq!(scene.legs().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn more_failed_tenants_than_allowed_stop_the_wave_and_hold_it() {
    let scene = before_bulk(|wave| wave.max_failed = Some(MaxFailed::Percent(50))).await;
    scene.hands.wrong.lock().unwrap().insert("carry".to_owned());
    scene.hands.failed.lock().unwrap().insert(TenantKey::new("3"));
    let walking = tokio::spawn(scene.controller(resumed()).run());
    while scene.legs().len() < 2 {
        tokio::task::yield_now().await;
    }
    // One of two is allowed; a tenant of another wave does not count.
    scene.hands.failed.lock().unwrap().insert(TenantKey::new("6"));
    ticks(40).await;
    assert!(!walking.is_finished());
    scene.hands.failed.lock().unwrap().insert(TenantKey::new("4"));
    let Ending::Paused(reasons) = walking.await.unwrap().unwrap() else { panic!("it did not hold") };
    assert!(
        reasons[0].contains("2 tenants of wave `w1` have dead records, and it holds after 1"),
        "{reasons:?}"
    );
    // A resume alone changes nothing.
    assert!(matches!(scene.walk(true).await.unwrap(), Ending::Paused(_)));
    assert_eq!(scene.legs().len(), 2);
    // Somebody tried them again, or waived them.
    scene.hands.failed.lock().unwrap().clear();
    scene.hands.wrong.lock().unwrap().clear();
    assert_eq!(scene.walk(true).await.unwrap(), release());
    let legs = scene.legs();
    assert_eq!(legs[1], legs[2], "the same leg goes on");
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_spent_fails_the_stage_before_the_next_wave() {
    let scene = before_bulk(|_| {}).await;
    scene.hands.dead.store(1, Ordering::SeqCst);
    let Ending::Paused(reasons) = scene.walk(true).await.unwrap() else { panic!("it went on") };
    assert!(reasons[0].contains("1 records are dead"), "{reasons:?}");
    assert_eq!(scene.legs().len(), 2, "the second wave has not begun");
    assert_eq!(scene.standing().await.stage(&StageName::new("bulk")).state, StageState::Failed);
}

/// Walks into a window that closes while its tenants move.
async fn at_the_end(at_end: AtEnd) -> (Scene, tokio::task::JoinHandle<Result<Ending, Trouble>>) {
    let scene = Scene::new();
    // The clock stands at 22:13.
    let mut tuesday = window("tuesday", "2023-11-14T22:00/2023-11-14T23:00");
    tuesday.at_end = at_end;
    let wednesday = window("wednesday", "2023-11-15T22:00/2023-11-15T23:00");
    *scene.hands.windows.lock().unwrap() = vec![tuesday, wednesday];
    scene.walk(false).await.unwrap();
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    scene.hands.wrong.lock().unwrap().insert("carry".to_owned());
    let walking = tokio::spawn(scene.controller(resumed()).run());
    while scene.legs().len() < 2 {
        tokio::task::yield_now().await;
    }
    scene.clock.0.store(HOUR, Ordering::SeqCst);
    (scene, walking)
}

#[tokio::test(start_paused = true)]
async fn a_window_that_drains_lets_the_queue_run_dry_and_goes_on_in_the_next() {
    let (scene, walking) = at_the_end(AtEnd::Drain).await;
    assert!(matches!(walking.await.unwrap().unwrap(), Ending::AtWindow(_)));
    assert_eq!(*scene.hands.halted.lock().unwrap(), ["drain"]);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_pauses_stops_at_once_and_somebody_resumes() {
    let (scene, walking) = at_the_end(AtEnd::Pause).await;
    let Ending::Paused(reasons) = walking.await.unwrap().unwrap() else { panic!("it did not pause") };
    assert!(reasons[0].contains("the window of `w1` closed"), "{reasons:?}");
    assert_eq!(*scene.hands.halted.lock().unwrap(), ["stop"]);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_may_overrun_lets_its_tenants_end_and_begins_no_others() {
    let (scene, walking) = at_the_end(AtEnd::Overrun).await;
    let told = || scene.hands.said.lock().unwrap().iter().any(|line| line.contains("go on to their end"));
    while !told() {
        ticks(1).await;
    }
    ticks(40).await;
    assert!(scene.hands.halted.lock().unwrap().is_empty() && !walking.is_finished());
    scene.hands.wrong.lock().unwrap().clear();
    scene.hands.done.notify_one();
    // The second wave has no window.
    assert_eq!(walking.await.unwrap().unwrap(), release());
    assert_eq!(scene.legs().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_was_extended_meanwhile_does_not_close() {
    let scene = Scene::new();
    let mut tuesday = window("tuesday", "2023-11-14T22:00/2023-11-14T23:00");
    tuesday.max_extension = Duration::from_hours(1);
    *scene.hands.windows.lock().unwrap() = vec![tuesday];
    scene.walk(false).await.unwrap();
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    scene.hands.wrong.lock().unwrap().insert("carry".to_owned());
    let walking = tokio::spawn(scene.controller(resumed()).run());
    while scene.legs().len() < 2 {
        tokio::task::yield_now().await;
    }
    let start = "2023-11-14T22:00Z".parse().unwrap();
    scene.hands.windows.lock().unwrap()[0].extended.push((start, Duration::from_mins(40)));
    scene.clock.0.store(HOUR, Ordering::SeqCst);
    ticks(40).await;
    assert!(scene.hands.halted.lock().unwrap().is_empty(), "people have forty minutes more");
    scene.clock.0.store(2 * HOUR, Ordering::SeqCst);
    assert!(matches!(walking.await.unwrap().unwrap(), Ending::AtWindow(_)));
    assert_eq!(*scene.hands.halted.lock().unwrap(), ["drain"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_sent_back_goes_with_a_leg_of_its_own() {
    let scene = before_bulk(|_| {}).await;
    scene.hands.dead.store(1, Ordering::SeqCst);
    let Ending::Paused(reasons) = scene.walk(true).await.unwrap() else { panic!("it did not pause") };
    assert!(reasons[0].contains("1 records are dead"), "{reasons:?}");
    // It was mended, and is due again.
    scene.hands.dead.store(0, Ordering::SeqCst);
    scene.hands.open.store(1, Ordering::SeqCst);
    assert_eq!(scene.walk(true).await.unwrap(), release());
    let legs: Vec<String> = scene.legs().into_iter().skip(1).map(|(_, tenants)| tenants.concat()).collect();
    // Everybody who has moved with the stage, those of the smoke among them.
    assert_eq!(legs, ["34", "56", "341256"]);
}
