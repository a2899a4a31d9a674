//! A change window by its clock: a snapshot of two and a half hours before it, a decision point, an overrun that is extended, an
//! incident, and a restore of an hour that still ends within it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use haulier_core::StageName;
use haulier_core::calendar::{Amendment, Calendar, Change, Deadlines, Durations, deadline};
use haulier_core::port::Clock;
use haulier_core::stage::{Back, CheckResult, RunState, Severity, StageState, Verb, none_open};
use jiff::Timestamp;

use super::scene::{Scene, report, window};
use crate::{Ending, Options, agree};

fn at(time: &str) -> Timestamp {
    format!("2023-11-15T{time}:00Z").parse().unwrap()
}

/// The window from seven to twelve, and how long things take.
fn calendar() -> Calendar {
    let mut change = window("change", "2023-11-15T07:00/2023-11-15T12:00");
    change.decision_point = Duration::from_mins(90);
    change.max_extension = Duration::from_hours(1);
    let durations = Durations {
        snapshot: Some(Duration::from_mins(150)),
        snapshot_check: Some(Duration::from_mins(5)),
        restore: Some(Duration::from_hours(1)),
        smoke: Some(Duration::from_mins(20)),
        ..Durations::default()
    };
    Calendar { windows: vec![change], durations, ..Calendar::default() }
}

fn deadlines(calendar: &Calendar, now: Timestamp) -> Deadlines {
    let window = calendar.window("change").unwrap();
    let opening = calendar.next_opening(window, None, now).unwrap();
    Deadlines::of(&opening, window, &calendar.durations, None)
}

fn turn(scene: &Scene, to: Timestamp) {
    let micros = to.duration_since(scene.clock.now()).as_micros();
    scene.clock.0.fetch_add(i64::try_from(micros).unwrap(), Ordering::SeqCst);
}

/// A plan whose preflight takes the snapshot, and whose release is in the window.
fn scene(calendar: &Calendar) -> Scene {
    let mut scene = Scene::new();
    let mut plan = (*scene.plan).clone();
    for stage in &mut plan.stages.stages {
        match stage.name.as_str() {
            "look" => stage.leave = vec!["snapshot".to_owned()],
            "release" => stage.window = Some("change".to_owned()),
            _ => {}
        }
    }
    scene.plan = Arc::new(plan);
    scene.hands.all_windows.lock().unwrap().clone_from(&calendar.windows);
    let hours = |hours: f64| Duration::from_secs_f64(hours * 3600.0).as_micros().try_into().unwrap();
    let takes =
        [("https://snapshot", hours(2.5)), ("https://flag-on", hours(4.0)), ("https://restore", hours(1.0))];
    scene.hands.takes.lock().unwrap().extend(takes.map(|(url, takes)| (url.to_owned(), takes)));
    scene
}

/// To eleven o'clock: the snapshot was taken in time, the release overran its decision point and failed.
async fn overrun(calendar: &Calendar) -> Scene {
    let scene = scene(calendar);
    let planned = deadlines(calendar, scene.clock.now());
    assert_eq!(planned.snapshot_start_by, Some(at("04:25")));
    turn(&scene, at("04:25"));
    assert_eq!(scene.walk(false).await.unwrap(), Ending::AtGate(StageName::new("bulk")));
    assert_eq!(scene.clock.now(), at("06:55"), "two and a half hours of snapshot");
    assert!(scene.decide("bulk", Verb::Go).await.unwrap());
    assert_eq!(scene.walk(true).await.unwrap(), Ending::AtGate(StageName::new("release")));
    assert!(scene.decide("release", Verb::Go).await.unwrap());
    // Five minutes early: a go does not open the window.
    assert!(matches!(scene.walk(true).await.unwrap(), Ending::AtWindow(_)));
    turn(&scene, at("07:00"));
    scene.hands.wrong.lock().unwrap().insert("https://tell".to_owned());
    let Ending::Paused(reasons) = scene.walk(true).await.unwrap() else { panic!("it did not pause") };
    assert!(reasons[0].contains("stage `release` failed: hook `tell`"), "{reasons:?}");
    assert_eq!(scene.clock.now(), at("11:00"));
    scene
}

#[tokio::test(start_paused = true)]
async fn an_overrun_is_extended_and_the_target_put_back_within_the_window() {
    let mut calendar = calendar();
    let scene = overrun(&calendar).await;
    let (restore, smoke) = (Duration::from_hours(1), Duration::from_mins(20));
    // The decision point has passed, and begun now a restore would end too late.
    let planned = deadlines(&calendar, scene.clock.now());
    assert_eq!((planned.decision_point, planned.last_safe_rollback), (at("10:30"), Some(at("10:40"))));
    let back = deadline::way_back(scene.clock.now(), restore, smoke, planned.end);
    assert_eq!((back.fits, back.done_at), (false, at("12:20")));
    let extend =
        Amendment::Extend { window: "change".to_owned(), start: at("07:00"), by: Duration::from_mins(40) };
    let change =
        Change { version: 1, at: 0, by: "sam".to_owned(), reason: "to go back".to_owned(), what: extend };
    calendar.amend(&change).unwrap();
    let extended = deadlines(&calendar, scene.clock.now());
    assert_eq!((extended.end, extended.last_safe_rollback), (at("12:40"), Some(at("11:20"))));
    assert!(deadline::way_back(scene.clock.now(), restore, smoke, extended.end).fits);
    // The incident is on record, and nothing else begins with it.
    let found = report(&scene, Severity::S1, "balances are wrong").await;
    assert_eq!(none_open(&scene.standing().await, Severity::S1).0, CheckResult::Fail);
    let desk = scene.desk("pierre@home");
    let mut standing = desk.standing().await.unwrap();
    let wish = Back { person: "pierre", note: "as F-1 says", plan: &scene.plan.digest };
    assert!(agree(&desk, &scene.plan, &wish, &mut standing).await.unwrap());
    let go_back = || scene.controller(Options { roll_back: true, ..Options::default() }).run();
    assert_eq!(go_back().await.unwrap(), Ending::RolledBack);
    assert_eq!(scene.clock.now(), at("12:00"));
    assert!(scene.clock.now() + smoke <= extended.end, "the smoke ends within the window, too");
    scene.close(&found).await;
    let standing = scene.standing().await;
    assert_eq!(standing.run, RunState::RolledBack);
    assert_eq!(standing.stage(&StageName::new("release")).state, StageState::RolledBack);
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_fails_is_given_to_the_incident_process() {
    let calendar = calendar();
    let scene = overrun(&calendar).await;
    scene.hands.wrong.lock().unwrap().insert("https://restore".to_owned());
    let desk = scene.desk("pierre@home");
    let mut standing = desk.standing().await.unwrap();
    let wish = Back { person: "pierre", note: "the balances are wrong", plan: &scene.plan.digest };
    assert!(agree(&desk, &scene.plan, &wish, &mut standing).await.unwrap());
    let ended = scene.controller(Options { roll_back: true, ..Options::default() }).run().await.unwrap();
    assert!(matches!(ended, Ending::RollbackFailed(_)), "{ended:?}");
    let mut standing = scene.standing().await;
    let closed = haulier_core::stage::Fact::Run(haulier_core::stage::RunEvent::CloseFailed);
    desk.write(&mut standing, vec![(closed, Some("incident 7".to_owned()))]).await.unwrap();
    assert!(standing.run.is_final());
    assert_eq!(scene.walk(true).await.unwrap(), Ending::Aborted, "nobody walks on from there");
}
