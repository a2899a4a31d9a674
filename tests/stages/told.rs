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
name = "trouble"
template = "incident"
of = "run"
audience = "everybody"
channels = ["log"]
[[notice]]
name = "well-again"
template = "resolved"
of = "run"
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
    let dated = format!("{NOTICES}\n[schedule]\nt0 = \"2026-05-05T07:00\"\n");
    for (file, more) in
        [("plan.toml", dated.as_str()), ("site.toml", "[channels.log]\nfile = \"told.jsonl\"\n")]
    {
        let text = std::fs::read_to_string(case.path(file)).unwrap();
        std::fs::write(case.path(file), format!("{text}\n{more}")).unwrap();
    }
    let mut run = case.haulier(&["run", "--by", "sam"]).start();
    until(&case, "the gate before bulk", |stages| stages["state"] == "awaiting-decision").await;
    run.kill().await;
    until(&case, "the lease to run out", |stages| stages["state"] == "interrupted").await;
    case.haulier(&["run", "--resume", "--no-wait"]).run().await.expect(5);
    // An incident of the worst kind shuts a gate that asks for it.
    case.haulier(&["incident", "open", "api", "--severity", "s1", "--reason", "the API is down"])
        .run()
        .await
        .expect(0);
    case.haulier(&["incident", "open", "api", "--severity", "s2", "--reason", "again"]).run().await.expect(1);
    case.haulier(&["incident", "list"]).run().await.expect(1);
    let shut = case.haulier(&["gate", "evaluate", "bulk", "--json"]).run().await.expect(5).json();
    assert_eq!(shut["advice"], "no-go", "{shut:#}");
    case.haulier(&["incident", "close", "api", "--reason", "it was restarted"]).run().await.expect(0);
    case.haulier(&["incident", "close", "api", "--reason", "again"]).run().await.expect(1);
    case.haulier(&["gate", "evaluate", "bulk"]).run().await.expect(5);
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
        [
            "end run",
            "end wave:w1",
            "end wave:w2",
            "incident run",
            "resolved run",
            "start run",
            "start wave:w1",
            "start wave:w2"
        ],
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
    // The timeline has the run's own times beside the planned ones.
    let timeline = case.haulier(&["timeline", "--json"]).run().await.expect(0).stdout;
    let steps: Vec<Value> = timeline.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of =
        |what: &str| steps.iter().find(|step| step["what"] == what).unwrap_or_else(|| panic!("{timeline}"));
    assert!(
        of("stage bulk")["actual_seconds"].is_u64() && of("stage bulk")["seconds"].as_u64() >= Some(1),
        "{timeline}"
    );
    let (first, last) = (of("stage preflight"), of("everything is done"));
    assert_eq!((&first["actual_t"], &first["delta_seconds"]), (&"T+0s".into(), &0.into()), "{timeline}");
    assert!(last["actual_at"].as_str() > of("stage bulk")["actual_at"].as_str(), "{timeline}");
    let checklist = case.haulier(&["checklist"]).run().await.expect(0).stdout;
    assert!(checklist.contains("- [x] bulk (succeeded)"), "{checklist}");
    case.end().await;
}
