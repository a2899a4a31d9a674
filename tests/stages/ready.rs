//! What a preflight finds before anything moves, and what people find and leave out on the way.

use crate::stages::scene::{case, go, stages, state};
use crate::support::{Case, Engine, LedgerKind, QueueKind};

const PROBE: &str = r#"
[[question]]
ask = "who tells the resellers?"
owner = "lin"
[preflight.write_probe]
method = "PUT"
path = "/accounts/by-external-id/haulier-probe"
body = { external_id = "haulier-probe", name = "haulier probe", email = "probe@example.org", plan = "free", created_at = "2026-01-01T00:00:00Z" }
"#;

fn append(case: &Case, file: &str, text: &str) {
    let before = std::fs::read_to_string(case.path(file)).unwrap();
    std::fs::write(case.path(file), format!("{before}\n{text}\n")).unwrap();
}

fn replace(case: &Case, file: &str, from: &str, to: &str) {
    let before = std::fs::read_to_string(case.path(file)).unwrap();
    assert_eq!(before.matches(from).count(), 1, "{from}");
    std::fs::write(case.path(file), before.replace(from, to)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preflight_says_no_to_little_room_wrong_clocks_and_open_questions() {
    let case = case(Engine::Sqlite, QueueKind::Embedded, LedgerKind::Sqlite).await;
    append(&case, "plan.toml", PROBE);
    append(&case, "site.toml", "[preflight]\nleast_free = \"1048576GiB\"");
    std::fs::write(case.path("clock"), "-3600").unwrap();
    let clock = case.path("clock").display().to_string();
    let checked =
        case.haulier(&["check", "--json"]).env("HAULIER_CLOCK", &clock).run().await.expect(1).json();
    let says = |what: &str| -> (bool, String) {
        let all = checked["findings"].as_array().unwrap();
        let found = all.iter().find(|finding| finding["what"] == what);
        let found = found.unwrap_or_else(|| panic!("no {what} in {checked:#}"));
        (found["ok"] == true, found["says"].as_str().unwrap().to_owned())
    };
    for (what, ok, words) in [
        ("room: ledger", false, "it takes 1048576 GiB"),
        ("room: queue", false, "it takes 1048576 GiB"),
        ("clock: target", false, "ahead of ours, and 5.000 s is allowed"),
        ("plan: question", false, "who tells the resellers?; lin finds it out"),
        ("plan: owners", true, "nobody owns: preflight, smoke"),
        ("target: write probe", true, "the preflight of a run writes a marked record"),
    ] {
        let (found, said) = says(what);
        assert!(found == ok && said.contains(words), "{what}: {said}");
    }
    // A run holds there, and writes nothing.
    case.haulier(&["smoke", "--by", "sam"]).run().await.expect(5);
    let paused = stages(&case).await;
    assert_eq!((&paused["was"], state(&paused, "preflight")), (&"paused".into(), "failed"), "{paused:#}");
    assert_eq!(case.sandbox.stats().collections["accounts"].records, 0);
    // Room is made, the question is answered: the probe is written once, and stays.
    replace(&case, "site.toml", "least_free = \"1048576GiB\"", "least_free = \"1MiB\"");
    replace(&case, "plan.toml", "[[question]]\nask = \"who tells the resellers?\"\nowner = \"lin\"\n", "");
    case.haulier(&["plan", "amend", "--reason", "lin tells them"]).run().await.expect(0);
    case.haulier(&["run", "--resume", "--no-wait", "--until", "preflight"]).run().await.expect(0);
    let noted = stages(&case).await["stages"][0]["note"].as_str().unwrap().to_owned();
    assert!(noted.contains("warning: plan: owners: nobody owns"), "{noted}");
    assert_eq!(case.sandbox.stats().collections["accounts"].records, 1);
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn findings_block_gates_cover_is_asked_and_a_stage_is_left_out_by_who_may() {
    let case = case(Engine::Sqlite, QueueKind::Embedded, LedgerKind::Sqlite).await;
    replace(&case, "plan.toml", "should = [\"drill.done\"]", "should = [\"cover.present\", \"findings.s3\"]");
    replace(
        &case,
        "plan.toml",
        "lin = { roles = [\"approver\"] }",
        "lin = { roles = [\"approver\"], away = [] }",
    );
    case.haulier(&["smoke", "--by", "sam"]).run().await.expect(0);
    case.haulier(&["finding", "add", "balances are off by one", "--severity", "s1"]).run().await.expect(0);
    case.haulier(&["finding", "add", "a typo", "--severity", "s3"]).run().await.expect(0);
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    let shown = case.haulier(&["gate", "show", "bulk", "--json"]).run().await.expect(5).json();
    let result = |shown: &serde_json::Value, check: &str| -> String {
        let all = shown["checks"].as_array().unwrap();
        let found = all.iter().find(|one| one["check"] == check);
        found.unwrap_or_else(|| panic!("no {check} in {shown:#}"))["result"].as_str().unwrap().to_owned()
    };
    // The plan asks for s3 as a warning; what is open of s1 blocks all the same.
    assert_eq!(
        (result(&shown, "findings.s3"), result(&shown, "findings.s1")),
        ("fail".into(), "fail".into())
    );
    assert_eq!(result(&shown, "cover.present"), "pass", "{shown:#}");
    case.haulier(&["gate", "decide", "bulk", "--go", "--by", "lin"]).run().await.expect(1);
    case.haulier(&["finding", "list"]).run().await.expect(1);
    case.haulier(&["finding", "close", "F-1", "--note", "a rounding rule"]).run().await.expect(0);
    case.haulier(&["gate", "evaluate", "bulk"]).run().await.expect(5);
    go(&case, "bulk", "lin").await;
    // One that comes after the go takes it back.
    case.haulier(&["finding", "add", "and by two", "--severity", "s1"]).run().await.expect(0);
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    assert_eq!(state(&stages(&case).await, "bulk"), "pending");

    let stage =
        |name: &'static str, by: &'static str| ["stage", "skip", name, "--by", by, "--reason", "no need"];
    let needed = case.haulier(&stage("release", "lin")).run().await.expect(1);
    assert!(needed.stderr.contains("stage `release` is not optional"), "{}", needed.stderr);
    let stranger = case.haulier(&stage("freeze", "sam")).run().await.expect(1);
    assert!(stranger.stderr.contains("sam may not leave it out"), "{}", stranger.stderr);
    case.haulier(&stage("freeze", "lin")).run().await.expect(0);
    let told = stages(&case).await;
    let freeze = told["stages"].as_array().unwrap().iter().find(|one| one["stage"] == "freeze").unwrap();
    assert_eq!((&freeze["state"], &freeze["note"]), (&"skipped".into(), &"no need (lin)".into()));
    case.end().await;
}
