//! The controller is killed while the run is paused, waits for a window, freezes the source, or is put back; each is taken up as it was.

use crate::stages::scene::{case, go, hook, hooks, stages, state, until};
use crate::support::process::wait_for;
use crate::support::{Case, Engine, LedgerKind, QueueKind};

async fn small() -> Case {
    case(Engine::Sqlite, QueueKind::Embedded, LedgerKind::Sqlite).await
}

fn change(case: &Case, from: &str, to: &str) {
    let plan = std::fs::read_to_string(case.path("plan.toml")).unwrap();
    assert_eq!(plan.matches(from).count(), 1, "{from}");
    std::fs::write(case.path("plan.toml"), plan.replace(from, to)).unwrap();
}

/// Lets one hook wait at its first start until somebody writes to `held`.
fn hold(case: &Case, name: &str) {
    assert!(std::process::Command::new("mkfifo").arg(case.path("held")).status().unwrap().success());
    let waits = format!("[ \"$HAULIER_HOOK$HAULIER_ATTEMPT\" = {name}1 ] && read line < held\nexit 0");
    hook(case, &waits);
}

async fn begun(case: &Case, name: &str) {
    wait_for("the hook", async || hooks(case).iter().any(|line| line.contains(name)).then_some(())).await;
}

fn of(case: &Case, name: &str) -> Vec<String> {
    hooks(case).into_iter().filter(|line| line.contains(name)).collect()
}

/// What the run was, once the dead controller's lease has run out.
async fn interrupted(case: &Case) -> String {
    let told = until(case, "the lease to run out", |stages| stages["state"] == "interrupted").await;
    told["was"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_run_stays_paused_until_somebody_resumes_it() {
    let case = small().await;
    let mut run = case.haulier(&["run", "--by", "sam"]).start();
    until(&case, "the gate before bulk", |stages| stages["state"] == "awaiting-decision").await;
    case.haulier(&["pause", "--reason", "lunch"]).run().await.expect(0);
    let paused = until(&case, "the pause", |stages| stages["state"] == "paused").await;
    assert_eq!(paused["reasons"][0], "lunch");
    case.haulier(&["resume"]).run().await.expect(0);
    until(&case, "the gate again", |stages| stages["state"] == "awaiting-decision").await;
    case.haulier(&["pause", "--reason", "lunch again"]).run().await.expect(0);
    until(&case, "the pause", |stages| stages["state"] == "paused").await;
    run.kill().await;
    assert_eq!(interrupted(&case).await, "paused");
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    let told = stages(&case).await;
    assert_eq!((&told["was"], state(&told, "bulk")), (&"awaiting-decision".into(), "pending"), "{told:#}");
    assert_eq!(of(&case, "snapshot-take").len(), 1);
    // What the pause shut is open again: the rest can move.
    go(&case, "bulk", "lin").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    assert_eq!(state(&stages(&case).await, "validate"), "succeeded");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_waits_for_its_window_begins_nothing_before_it() {
    let case = small().await;
    let later = "[[window]]\nname = \"later\"\nzone = \"UTC\"\nat = \"2099-05-05T07:00/2099-05-05T12:00\"\n[[wave]]\nname = \"w1\"";
    change(&case, "[[wave]]\nname = \"w1\"", later);
    change(&case, "name = \"bulk\"\nkind = \"bulk\"", "name = \"bulk\"\nkind = \"bulk\"\nwindow = \"later\"");
    case.haulier(&["smoke", "--by", "sam"]).run().await.expect(0);
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    go(&case, "bulk", "lin").await;
    let mut run = case.haulier(&["run", "--resume"]).start();
    until(&case, "the window", |stages| stages["state"] == "awaiting-window").await;
    run.kill().await;
    assert_eq!(interrupted(&case).await, "awaiting-window");
    let waits = case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    assert!(waits.stdout.contains("waits for its window `later`"), "{}", waits.stdout);
    assert_eq!(state(&stages(&case).await, "bulk"), "pending");
    assert_eq!(case.sandbox.stats().collections["accounts"].records, 5, "those of the smoke");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_freeze_that_was_cut_off_goes_on_and_its_hook_knows_it() {
    let case = small().await;
    change(&case, "kind = \"freeze\"", "kind = \"freeze\"\nenter = [\"source-freeze\"]");
    change(&case, "[hooks.flag-on]", "[hooks.source-freeze]\nexec = [\"./hook\"]\n[hooks.flag-on]");
    hold(&case, "source-freeze");
    case.haulier(&["smoke", "--by", "sam"]).run().await.expect(0);
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    go(&case, "bulk", "lin").await;
    let mut run = case.haulier(&["run", "--resume", "--with", "freeze"]).start();
    begun(&case, "source-freeze").await;
    run.kill().await;
    std::fs::write(case.path("held"), "go\n").unwrap();
    assert_eq!(interrupted(&case).await, "running");
    assert_eq!(state(&stages(&case).await, "freeze"), "entering");
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    let told = stages(&case).await;
    assert_eq!((state(&told, "freeze"), state(&told, "release")), ("succeeded", "pending"));
    assert_eq!(of(&case, "source-freeze"), ["freeze source-freeze 1", "freeze source-freeze 2"]);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_is_decided_and_goes_on_after_a_kill() {
    let case = small().await;
    change(&case, "max_age = \"12h\"", "max_age = \"12h\"\nrestore = \"snapshot-restore\"");
    change(&case, "[hooks.flag-on]", "[hooks.snapshot-restore]\nexec = [\"./hook\"]\n[hooks.flag-on]");
    hold(&case, "snapshot-restore");
    case.haulier(&["smoke", "--by", "sam"]).run().await.expect(0);
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    // Nobody decided it, the starter may not, and it needs a reason.
    let early = case.haulier(&["rollback", "start"]).run().await.expect(1);
    assert!(early.stderr.contains("going back takes 1 who decide it, and 0 have"), "{}", early.stderr);
    let stranger = ["rollback", "decide", "--by", "sam", "--note", "wrong"];
    case.haulier(&stranger).run().await.expect(1);
    case.haulier(&["rollback", "decide", "--by", "lin"]).run().await.expect(1);
    case.haulier(&["rollback", "decide", "--by", "lin", "--note", "balances are wrong"])
        .run()
        .await
        .expect(0);
    let mut back = case.haulier(&["rollback", "start"]).start();
    begun(&case, "snapshot-restore").await;
    back.kill().await;
    std::fs::write(case.path("held"), "go\n").unwrap();
    assert_eq!(interrupted(&case).await, "rolling-back");
    case.haulier(&["run"]).run().await.expect(1);
    let resumed = case.haulier(&["rollback", "start"]).run().await.expect(0);
    assert!(resumed.stdout.contains("rolled back"), "{}", resumed.stdout);
    assert_eq!(of(&case, "snapshot-restore"), ["rollback snapshot-restore 1", "rollback snapshot-restore 2"]);
    assert_eq!(stages(&case).await["state"], "rolled-back");
    // The ledger says of five accounts that they have landed, and the target has none of them any more.
    let refused = case.haulier(&["run", "--no-wait"]).run().await.expect(1);
    assert!(refused.stderr.contains("holds what the target no longer has"), "{}", refused.stderr);
    case.end().await;
}
