//! People are told of what a run really did: once each, also when its controller is killed; and papers of its stages.

use serde_json::Value;

use crate::stages::scene::{case, go, stages, state, until};
use crate::support::{Engine, LedgerKind, QueueKind};

const NOTICES: &str = r#"
[audiences]
everybody = ["all@example.org"]
[[notice]]
name = "began"
template = "start"
of = "run"
audience = "everybody"
channels = ["log"]
[[notice]]
name = "wave-began"
template = "start"
of = "waves"
audience = "everybody"
channels = ["log"]
[[notice]]
name = "wave-over"
template = "end"
of = "waves"
audience = "everybody"
channels = ["log"]
[[notice]]
name = "over"
template = "end"
of = "run"
audience = "everybody"
channels = ["log"]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_controller_tells_nobody_twice_and_forgets_nobody() {
    let case = case(Engine::Sqlite, QueueKind::Embedded, LedgerKind::Sqlite).await;
    for (file, more) in [("plan.toml", NOTICES), ("site.toml", "[channels.log]\nfile = \"told.jsonl\"\n")] {
        let text = std::fs::read_to_string(case.path(file)).unwrap();
        std::fs::write(case.path(file), format!("{text}\n{more}")).unwrap();
    }
    let mut run = case.haulier(&["run", "--by", "sam"]).start();
    until(&case, "the gate before bulk", |stages| stages["state"] == "awaiting-decision").await;
    run.kill().await;
    until(&case, "the lease to run out", |stages| stages["state"] == "interrupted").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    go(&case, "bulk", "lin").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    case.haulier(&["gate", "record", "free-trial", "--pass", "--by", "lin"]).run().await.expect(0);
    case.haulier(&["gate", "evaluate", "release"]).run().await.expect(5);
    go(&case, "release", "lin").await;
    go(&case, "release", "pierre").await;
    case.haulier(&["run", "--resume"]).run().await.expect(0);
    assert_eq!(state(&stages(&case).await, "final-smoke"), "succeeded");

    let text = std::fs::read_to_string(case.path("told.jsonl")).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut of: Vec<String> = told
        .iter()
        .map(|post| format!("{} {}", post["kind"].as_str().unwrap(), post["subject"].as_str().unwrap()))
        .collect();
    of.sort();
    assert_eq!(
        of,
        ["end run", "end wave:w1", "end wave:w2", "start run", "start wave:w1", "start wave:w2"],
        "{text}"
    );

    // The snapshot was taken before anything was written, so putting it back would lose all of it.
    let back = case.haulier(&["rollback", "options", "--json"]).run().await.expect(1).json();
    assert!(
        back["snapshot"]["taken"].is_string() && back["options"][1]["loses"].as_u64().unwrap() >= 8,
        "{back}"
    );
    let report = case.haulier(&["report", "--json"]).run().await.expect(0).json();
    let section = |title: &str| -> Vec<Value> {
        let all = report["sections"].as_array().unwrap();
        let found = all.iter().find(|section| section["title"] == title).unwrap();
        found["rows"].as_array().cloned().unwrap_or_default()
    };
    let sheet = section("Planned and actual");
    assert!(sheet.iter().any(|row| row[0] == "bulk" && row[8] == "succeeded"), "{sheet:?}");
    assert_eq!(section("Decisions").len(), 3);
    assert!(section("Notices").iter().all(|row| row[1] == "sent"));
    let timed = case.haulier(&["retime", "--json"]).run().await.expect(0).json();
    assert!(timed["stages"]["bulk"][0].as_u64().unwrap() >= 1, "{timed}");
    let durations = case.haulier(&["retime"]).run().await.expect(0).stdout;
    let plan = std::fs::read_to_string(case.path("plan.toml")).unwrap();
    std::fs::write(case.path("plan.toml"), format!("{plan}\n{durations}")).unwrap();
    case.haulier(&["check", "--offline"]).run().await.expect(0);
    let checklist = case.haulier(&["checklist"]).run().await.expect(0).stdout;
    assert!(checklist.contains("- [x] bulk (succeeded)"), "{checklist}");
    case.end().await;
}
