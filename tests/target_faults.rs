//! A target that refuses, throttles, breaks off and forgets to answer: nothing doubled, nothing lost, nobody dead.

use std::time::Duration;

use haulier_testkit::fake_target::{Fault, Reply};
use hq_sandbox::{Faults, Uniqueness};

use crate::support::collections::Collections;
use crate::support::desk::{self, Desk, NOTES};
use crate::support::evidence::number;
use crate::support::{Case, Engine, Setting, process};

/// A target without uniqueness and without idempotency keys: whatever is sent twice is stored twice.
async fn careless(faults: Faults) -> Case {
    let setting = Setting { unique: Uniqueness::None, idempotency_keys: 0, faults, ..Setting::default() };
    let case = Case::small(setting, 12).await;
    case.edit("plan.toml", "base = \"1s\"", "base = \"50ms\"");
    case.edit("plan.toml", "cap = \"60s\"", "cap = \"500ms\"");
    case
}

async fn lands_whole(case: Case, args: &[&str]) -> hq_sandbox::Stats {
    case.haulier(args).run().await.expect(0);
    case.sandbox.set_faults(Faults::default()).unwrap();
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    let stats = case.sandbox.stats();
    case.end().await;
    stats
}

#[tokio::test]
async fn too_many_requests_slow_haulier_down_and_kill_nothing() {
    let case = careless(Faults { rate_per_s: 120.0, ..Faults::default() }).await;
    let stats = lands_whole(case, &["run", "--workers", "8"]).await;
    let refused = stats.by_status[&429];
    // Each refusal holds the whole process for the second that the target asks for: only what was in flight is refused too.
    assert!(
        (1..=stats.requests / 4).contains(&refused),
        "{refused} of {} requests were refused",
        stats.requests
    );
}

#[tokio::test]
async fn a_share_of_503_costs_attempts_and_no_records() {
    let case = careless(Faults { error_share: 0.1, ..Faults::default() }).await;
    let stats = lands_whole(case, &["run", "--workers", "8"]).await;
    assert!(stats.by_status[&503] > 0, "{stats:?}");
}

#[tokio::test]
async fn half_replies_are_looked_up_before_anything_is_sent_again() {
    let case = careless(Faults { half_reply_share: 0.08, ..Faults::default() }).await;
    let stats = lands_whole(case, &["run", "--workers", "8"]).await;
    assert!(stats.half_replies > 0, "{stats:?}");
}

#[tokio::test]
async fn lost_answers_are_looked_up_before_anything_is_sent_again() {
    let case = careless(Faults { lost_answer_share: 0.08, ..Faults::default() }).await;
    let stats = lands_whole(case, &["run", "--workers", "8"]).await;
    assert!(stats.lost_answers > 0, "{stats:?}");
}

#[tokio::test]
async fn a_token_that_ends_again_and_again_is_renewed_and_costs_no_record() {
    let case = careless(Faults { latency_ms: 15, ..Faults::default() }).await;
    let login = "auth = { login = { path = \"/login\", body = '{\"user\":\"{user}\",\"password\":\"{password}\"}', \
                 user = \"mover\", password = { file = \"hq.token\" }, token = \"/token\" } }";
    case.edit("site.toml", "auth = { bearer = { file = \"hq.token\" } }", login);
    let stats = lands_whole(case, &["run", "--workers", "4"]).await;
    assert!(stats.by_status[&401] > 1, "no token ended: {stats:?}");
}

#[tokio::test]
async fn everything_at_once_over_three_workers() {
    let faults = Faults {
        latency_ms: 2,
        error_share: 0.04,
        half_reply_share: 0.03,
        lost_answer_share: 0.03,
        ..Faults::default()
    };
    let case = careless(faults).await;
    let workers = [(); 3].map(|()| case.haulier(&["work", "--workers", "4"]).start());
    let stats = lands_whole(case, &["produce"]).await;
    for worker in workers {
        worker.ended().await.expect(0);
    }
    assert!(stats.lost_answers > 0 && stats.half_replies > 0 && stats.by_status[&503] > 0, "{stats:?}");
}

async fn notes(count: u32, plan: &str) -> Desk {
    Desk::new(Engine::Sqlite, &desk::notes(count), plan, Collections::start(&[]).await).await
}

#[tokio::test]
async fn a_refused_token_pauses_the_endpoint_and_buries_nobody() {
    let desk = notes(40, NOTES).await;
    let run = {
        desk.target.refuse("notes", Some(Reply::json(401, r#"{"error":"token"}"#)));
        desk.haulier(&["run"]).start()
    };
    process::wait_for("a second round of refusals", async || (desk.target.log().len() > 16).then_some(()))
        .await;
    let status = desk.status().await;
    assert_eq!(number(&status["all"], "dead") + number(&status["all"], "held"), 0, "{status:#}");
    desk.target.refuse("notes", None);
    run.ended().await.expect(0);
    let refused = desk.target.log().len() - 40;
    assert_eq!(desk.target.records("notes").len(), 40);
    assert!(refused < 200, "{refused} requests ran against the refused token");
    desk.end().await;
}

#[tokio::test]
async fn the_targets_own_waiting_time_is_kept() {
    let desk = notes(30, NOTES).await;
    desk.target.refuse("notes", Some(Reply::json(429, "{}").header("Retry-After", "2")));
    let run = desk.haulier(&["run", "--workers", "1"]).start();
    process::wait_for("the first refusal", async || {
        desk.target.lines().iter().any(|line| line.starts_with("POST")).then_some(())
    })
    .await;
    desk.target.refuse("notes", None);
    run.ended().await.expect(0);
    let log = desk.target.log();
    let posts: Vec<_> = log.iter().filter(|seen| seen.method == "POST").collect();
    let waited = posts[1].at - posts[0].at;
    assert!(waited >= Duration::from_secs(2), "the next request came after {waited:?}");
    assert_eq!(desk.target.records("notes").len(), 30);
    desk.end().await;
}

#[tokio::test]
async fn an_unknown_outcome_that_cannot_be_looked_up_waits_for_a_person() {
    let without_lookup: Vec<&str> = NOTES.lines().filter(|line| !line.starts_with("lookup")).collect();
    let desk = notes(5, &without_lookup.join("\n")).await;
    desk.target.break_answers("notes", Some(Fault::Cut));
    desk.haulier(&["run"]).run().await.expect(1);
    let dead = desk.dead().await;
    assert_eq!(dead.len(), 5, "{dead:#?}");
    let told = |row: &serde_json::Value| {
        row["reason"].as_str().is_some_and(|why| why.contains("may have been stored"))
    };
    assert!(dead.iter().all(|row| row["state"] == "held" && told(row)), "{dead:#?}");
    assert_eq!(desk.target.records("notes").len(), 5, "something was sent again blindly");
    desk.end().await;
}

#[tokio::test]
async fn the_same_with_a_lookup_ends_by_itself() {
    let desk = notes(5, NOTES).await;
    desk.target.break_answers("notes", Some(Fault::Cut));
    let run = desk.haulier(&["run"]).start();
    process::wait_for("five lost answers", async || (desk.target.records("notes").len() == 5).then_some(()))
        .await;
    run.ended().await.expect(0);
    assert_eq!(desk.target.records("notes").len(), 5, "something was sent again blindly");
    let origins = desk.haulier(&["idmap", "export"]).run().await.expect(0).stdout;
    assert_eq!(origins.matches("notes-").count(), 5, "{origins}");
    desk.end().await;
}
