//! The controller is killed in one state of the run after the other, and taken up by an explicit resume.

use crate::stages::scene::{case, go, hook, hooks, stages, state, until};
use crate::support::process::wait_for;
use crate::support::{Engine, LedgerKind, QueueKind};
use hq_sandbox::Faults;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_controller_is_resumed_exactly_where_it_was() {
    let case = case(Engine::Postgres, QueueKind::Rabbit, LedgerKind::Postgres).await;

    // Running: in the middle of the smoke.
    case.sandbox.set_faults(Faults { latency_ms: 40, ..Faults::default() }).unwrap();
    let mut run = case.haulier(&["run", "--by", "sam"]).start();
    let work = case.haulier(&["work"]).start();
    wait_for("records in the target", async || {
        let stats = case.sandbox.stats();
        (stats.collections["accounts"].records > 0).then_some(())
    })
    .await;
    run.kill().await;
    case.sandbox.set_faults(Faults::default()).unwrap();
    let told = until(&case, "the lease to run out", |stages| stages["state"] == "interrupted").await;
    assert_eq!((&told["was"], state(&told, "smoke")), (&"running".into(), "running"));
    // Whoever helped takes nothing while nobody walks the stages.
    work.until_said("controller none walks the stages").await;
    let refused = case.haulier(&["run"]).run().await.expect(1);
    assert!(refused.stderr.contains("`haulier run --resume` takes it up"), "{}", refused.stderr);

    // Awaiting a decision: nothing is opened by dying.
    let mut run = case.haulier(&["run", "--resume"]).start();
    until(&case, "the gate before bulk", |stages| stages["state"] == "awaiting-decision").await;
    assert_eq!(stages(&case).await["stages"][1]["attempt"], 1, "the smoke went on, and was not begun anew");
    run.kill().await;
    until(&case, "the lease to run out", |stages| stages["state"] == "interrupted").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    assert_eq!(state(&stages(&case).await, "bulk"), "pending");

    // A hook that was running: noted before it began, run once more, and told so.
    go(&case, "bulk", "lin").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    case.haulier(&["gate", "record", "free-trial", "--pass", "--by", "lin"]).run().await.expect(0);
    case.haulier(&["gate", "evaluate", "release"]).run().await.expect(5);
    go(&case, "release", "lin").await;
    go(&case, "release", "pierre").await;
    let made = std::process::Command::new("mkfifo").arg(case.path("held")).status().unwrap();
    assert!(made.success());
    hook(&case, "[ \"$HAULIER_ATTEMPT\" = 1 ] && read line < held\nexit 0");
    let mut run = case.haulier(&["run", "--resume"]).start();
    wait_for("the hook", async || hooks(&case).iter().any(|line| line.starts_with("release")).then_some(()))
        .await;
    run.kill().await;
    // Its process outlives the controller, and ends unheard.
    std::fs::write(case.path("held"), "go\n").unwrap();
    let told = until(&case, "the lease to run out", |stages| stages["state"] == "interrupted").await;
    assert_eq!(state(&told, "release"), "entering");
    case.haulier(&["run", "--resume"]).run().await.expect(0);
    work.ended().await.expect(0);
    let release: Vec<String> = hooks(&case).into_iter().filter(|line| line.starts_with("release")).collect();
    assert_eq!(release, ["release flag-on 1", "release flag-on 2"]);
    let before: Vec<String> = hooks(&case).into_iter().filter(|line| line.starts_with("preflight")).collect();
    assert_eq!(
        before,
        ["preflight snapshot-take 1", "preflight snapshot-check 1"],
        "what ended is not run again"
    );
    case.assert_same_on_both_sides().await;
    assert_eq!(stages(&case).await["state"], "completed");
    case.end().await;
}
