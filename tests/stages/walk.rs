//! The whole way, with decisions from another shell.

use crate::stages::scene::{case, go, hook, hooks, stages, state, until};
use crate::support::process::wait_for;
use crate::support::{Case, Engine, LedgerKind, QueueKind, field};

/// PostgreSQL, RabbitMQ, a ledger in PostgreSQL: preflight, five accounts, a gate, two waves, queue empty, validation, a gate for two
/// persons, release, final smoke.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_walked_from_preflight_to_final_smoke() {
    let case = case(Engine::Postgres, QueueKind::Rabbit, LedgerKind::Postgres).await;
    let run = case.haulier(&["run", "--by", "sam"]).start();

    until(&case, "the gate before bulk", |stages| stages["state"] == "awaiting-decision").await;
    let smoke = stages(&case).await;
    assert_eq!((state(&smoke, "smoke"), state(&smoke, "bulk")), ("succeeded", "pending"));
    assert_eq!(smoke["tenants"]["accepted"], 5);
    // The test's user owns its tables.
    let looked = smoke["stages"][0]["note"].as_str().unwrap();
    assert!(looked.contains("warning: source.readonly: the source's user has"), "{looked}");
    // Nobody else has moved.
    assert_eq!(case.sandbox.stats().collections["accounts"].records, 5);
    // A busy broker may owe an answer: then the checks run anew.
    let shown = wait_for("checks that advise to go", async || {
        let shown = case.haulier(&["gate", "show", "bulk", "--json"]).run().await.expect(5).json();
        if shown["advice"] == "go" {
            return Some(shown);
        }
        case.haulier(&["gate", "evaluate", "bulk"]).run().await.expect(5);
        None
    })
    .await;
    assert_eq!(shown["state"], "go-advised", "{shown:#}");
    // Who reads the source beside the stages would pass their gates.
    let beside = case.haulier(&["produce"]).run().await.expect(2);
    assert!(beside.stderr.contains("only its controller reads the source"), "{}", beside.stderr);
    // Nobody who is not an approver, and not on other evidence than they looked at.
    let stranger = case.haulier(&["gate", "decide", "bulk", "--go", "--by", "sam"]).run().await.expect(1);
    assert!(stranger.stderr.contains("do not know sam"), "{}", stranger.stderr);
    let blind = ["gate", "decide", "bulk", "--go", "--by", "lin", "--evidence", "00000000"];
    let blind = case.haulier(&blind).run().await.expect(1);
    assert!(blind.stderr.contains("the evidence has changed since"), "{}", blind.stderr);
    go(&case, "bulk", "lin").await;

    until(&case, "the gate before release", |stages| {
        state(stages, "validate") == "succeeded" && stages["state"] == "awaiting-decision"
    })
    .await;
    case.assert_same_on_both_sides().await;
    let workers = case.haulier(&["tune", "push.workers=?", "--json"]).run().await.expect(0).json();
    assert_eq!(workers["turned"][0]["effective"], "8", "a stage's start values end with it: {workers:#}");
    assert_eq!(state(&stages(&case).await, "freeze"), "skipped");
    // A check that nobody answered blocks, whatever the person says.
    let early = case.haulier(&["gate", "decide", "release", "--go", "--by", "lin"]).run().await.expect(1);
    assert!(early.stderr.contains("advise inconclusive"), "{}", early.stderr);
    case.haulier(&["gate", "record", "free-trial", "--pass", "--by", "lin"]).run().await.expect(0);
    wait_for("checks that advise to go", async || {
        let shown = case.haulier(&["gate", "evaluate", "release", "--json"]).run().await.expect(5).json();
        (shown["advice"] == "go").then_some(())
    })
    .await;
    go(&case, "release", "lin").await;
    let twice = case.haulier(&["gate", "decide", "release", "--go", "--by", "lin"]).run().await.expect(1);
    assert!(twice.stderr.contains("it takes 2 persons"), "{}", twice.stderr);
    assert_eq!(hooks(&case).len(), 2, "nothing is released by one of two");
    go(&case, "release", "pierre").await;

    let ended = run.ended().await.expect(0);
    assert!(ended.stdout.contains("completed: every stage is done"), "{}", ended.stdout);
    assert_eq!(
        hooks(&case),
        ["preflight snapshot-take 1", "preflight snapshot-check 1", "release flag-on 1"]
    );
    let last = stages(&case).await;
    assert_eq!((&last["state"], state(&last, "final-smoke")), (&"completed".into(), "succeeded"));
    assert_eq!(last["tenants"]["accepted"], 8);
    case.end().await;
}

/// The plan changes under a run, a hook fails, somebody aborts; the next run sends only what has not landed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_amended_paused_and_aborted() {
    let case = case(Engine::Sqlite, QueueKind::Embedded, LedgerKind::Sqlite).await;
    let smoke =
        case.haulier(&["smoke", "--tenant", "2", "--tenant", "3", "--by", "sam"]).run().await.expect(0);
    // The source is asked for the rows of these tenants, not for all.
    let theirs = rows_of(&case, "2,3").await;
    assert!(theirs > 2 && theirs < rows_of(&case, "1,2,3,4,5,6,7,8").await);
    let told = format!("leg 1: {theirs} rows of the source were read");
    assert!(smoke.stderr.contains(&told), "{told}:\n{}", smoke.stderr);
    assert_eq!(case.sandbox.stats().collections["accounts"].records, 2, "those of the command line");
    let refused = case.haulier(&["run", "--no-wait"]).run().await.expect(1);
    assert!(refused.stderr.contains("`haulier run --resume` takes it up"), "{}", refused.stderr);
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    go(&case, "bulk", "pierre").await;

    let plan = std::fs::read_to_string(case.path("plan.toml")).unwrap();
    std::fs::write(case.path("plan.toml"), plan.replace("lasts = \"1s\"", "lasts = \"2s\"")).unwrap();
    let changed = case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(3);
    assert!(changed.stderr.contains("another version of the plan"), "{}", changed.stderr);
    let amended = case.haulier(&["plan", "amend", "--reason", "a longer quiet time"]).run().await.expect(0);
    assert!(
        amended.stdout.contains("revision 2") && amended.stdout.contains("decided anew: bulk"),
        "{}",
        amended.stdout
    );
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    assert_eq!(state(&stages(&case).await, "bulk"), "pending", "the go was for another plan");
    go(&case, "bulk", "pierre").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);

    hook(&case, "echo the flag service is down >&2\nexit 7");
    case.haulier(&["gate", "record", "free-trial", "--pass", "--by", "lin"]).run().await.expect(0);
    case.haulier(&["gate", "evaluate", "release"]).run().await.expect(5);
    go(&case, "release", "pierre").await;
    go(&case, "release", "lin").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    let paused = stages(&case).await;
    assert_eq!((&paused["was"], state(&paused, "release")), (&"paused".into(), "failed"), "{paused:#}");
    let why = paused["reasons"][0].as_str().unwrap();
    assert!(why.contains("it ended with 7: the flag service is down"), "{why}");

    case.haulier(&["abort", "--reason", "not today"]).run().await.expect(0);
    assert_eq!(stages(&case).await["state"], "aborted");
    let over = case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(1);
    assert!(over.stderr.contains("is aborted, so there is nothing to resume"), "{}", over.stderr);
    let posts = case.sandbox.stats().collections["accounts"].created;
    case.haulier(&["run", "--no-wait"]).run().await.expect(5);
    assert_eq!(
        case.sandbox.stats().collections["accounts"].created,
        posts,
        "what has landed is not sent again"
    );
    case.end().await;
}

/// Rows of the source that belong to these accounts.
async fn rows_of(case: &Case, accounts: &str) -> usize {
    let mut rows = 0;
    for (table, path) in [
        ("accounts", "id"),
        ("projects", "account_id"),
        ("users", "account_id"),
        ("memberships", "(select account_id from projects where id = project_id)"),
    ] {
        let held = format!("{path} in ({accounts})");
        rows += field::rows(&case.field, table, &[&held])
            .await
            .iter()
            .filter(|row| row[0].as_deref() == Some("1"))
            .count();
    }
    rows
}
