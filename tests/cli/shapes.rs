//! Help, completions, the shapes of `--json`, and a reader that goes away.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::refused;
use crate::support::{Case, Engine, Setting};

const COMMANDS: [&str; 12] = [
    "init",
    "scan",
    "check",
    "run",
    "produce",
    "work",
    "status",
    "empty",
    "dead",
    "idmap",
    "demo",
    "completions",
];

async fn case() -> Case {
    Case::small(Setting::default(), 3).await
}

/// The names of an object's members.
fn members(object: &Value) -> Vec<&str> {
    object.as_object().unwrap_or_else(|| panic!("no object: {object}")).keys().map(String::as_str).collect()
}

#[tokio::test]
async fn every_command_has_help_and_is_in_the_completions() {
    let case = case().await;
    let help = case.haulier(&["--help"]).run().await.expect(0).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("\n  {command} ")), "{command} is not in:\n{help}");
        let own = case.haulier(&[command, "--help"]).run().await.expect(0).stdout;
        assert!(own.contains("Usage: haulier") && own.contains("--json"), "{own}");
        assert!(own.lines().all(|line| line.chars().count() <= 112), "a long line in the help of {command}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = case.haulier(&["completions", shell]).run().await.expect(0).stdout;
        assert!(COMMANDS.iter().all(|command| script.contains(command)), "{script}");
    }
    assert!(case.haulier(&["--version"]).run().await.expect(0).stdout.starts_with("haulier 0."));
    case.end().await;
}

#[tokio::test]
async fn a_wrong_command_line_says_how_it_should_be() {
    let case = case().await;
    refused(&case, &["staus"], 2, &["unrecognized subcommand 'staus'", "'status'"]).await;
    refused(&case, &["run", "--workers", "0"], 2, &["--workers"]).await;
    refused(&case, &["run", "--rate=-1"], 2, &["--rate", "a rate is more than 0"]).await;
    refused(&case, &["run", "--rate", "fast"], 2, &["`fast` is not a number"]).await;
    refused(
        &case,
        &["dead", "list", "--kind", "sad"],
        2,
        &["not a kind of failure; there are mapping, refused"],
    )
    .await;
    refused(&case, &["dead", "skip"], 2, &["--reason"]).await;
    refused(&case, &["dead", "list", "--entity", "acount"], 1, &["there has been no run yet", "haulier run"])
        .await;
    refused(&case, &["status"], 1, &["there has been no run yet"]).await;
    refused(&case, &["run", "--plan", "nowhere.toml"], 3, &["nowhere.toml"]).await;
    case.end().await;
}

#[tokio::test]
async fn json_has_the_same_members_whatever_happened() {
    let case = case().await;
    const COUNTS: [&str; 10] =
        ["entity", "planned", "landed", "dead", "held", "skipped", "queued", "sending", "retry", "unknown"];
    let ended = case.haulier(&["run", "--json"]).run().await.expect(0);
    let events: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (last, before) = events.split_last().unwrap();
    assert!(
        before.iter().all(|event| event["event"] == "progress") && last["event"] == "drained",
        "{events:#?}"
    );
    let json = ended.json();
    assert_eq!(members(&json), ["event", "run", "seconds", "moved", "entities", "all"]);
    assert_eq!(members(&json["all"]), COUNTS);

    let status = case.status().await;
    let wanted = [
        "run",
        "plan",
        "state",
        "started_at",
        "produced_at",
        "finished_at",
        "conserved",
        "entities",
        "all",
        "skipped_as",
        "flow",
        "since",
        "partly",
        "fibres",
        "workers",
        "in_flight",
        "produce_rate",
        "push_rate",
        "produced_per_second",
        "requests_per_second",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "throttled_share",
        "failed_share",
        "queue_ready",
        "queue_unsettled",
        "eta_s",
        "ramp",
        "tolerance",
        "binds",
        "expected",
        "settled",
        "tenants",
        "tenants_done",
        "processes",
    ];
    assert_eq!(members(&status), wanted);
    assert_eq!(members(&status["entities"][0]), COUNTS);
    let process = &status["processes"][0];
    assert_eq!(members(process), ["process", "role", "host", "pid", "state", "in_flight", "last_beat_at"]);
    assert_eq!((&process["role"], &process["state"]), (&"run".into(), &"ended".into()), "{status:#}");

    let empty = case.haulier(&["empty", "--quiet", "0", "--json"]).run().await.expect(0).json();
    assert_eq!(members(&empty), ["run", "empty", "terms"]);
    assert_eq!(members(&empty["terms"][0]), ["term", "value", "wanted", "holds"]);

    let ids = case.haulier(&["idmap", "export", "--json"]).run().await.expect(0).stdout;
    let row: Value = serde_json::from_str(ids.lines().next().unwrap()).unwrap();
    assert_eq!(members(&row), ["entity", "source_key", "target_id", "origin", "run", "landed_at"]);

    let check = case.haulier(&["check", "--keys", "--json"]).run().await.expect(0).json();
    assert_eq!(members(&check), ["ok", "findings"]);
    assert_eq!(members(&check["findings"][0]), ["ok", "warns", "what", "says"]);

    // One account that the target refuses, and everything that waits for it.
    case.execute("update accounts set email = 'nobody' where id = (select min(id) from accounts)").await;
    case.haulier(&["run"]).run().await.expect(1);
    let listed = case.haulier(&["dead", "list", "--json"]).run().await.expect(1);
    let row: Value = serde_json::from_str(listed.stdout.lines().next().unwrap()).unwrap();
    let wanted =
        ["entity", "key", "tenant", "state", "kind", "status", "attempts", "since", "waits_for", "reason"];
    assert_eq!(members(&row), wanted);
    let shown = case
        .haulier(&["dead", "show", "account", row["key"].as_str().unwrap(), "--json"])
        .run()
        .await
        .expect(0);
    assert_eq!(shown.json(), row);
    case.end().await;
}

#[tokio::test]
async fn a_dry_run_and_a_first_plan_write_nothing() {
    let case = case().await;
    let checked = case.haulier(&["check"]).run().await.expect(0).stdout;
    assert_eq!(checked.matches("is not there yet").count(), 2, "{checked}");
    assert!(!case.path("ledger.sqlite").exists() && !case.path("queue.sqlite").exists());
    let dry = case.haulier(&["run", "--dry-run"]).run().await.expect(0);
    assert!(dry.stdout.contains("account: 3 rows would be read"), "{}", dry.stdout);
    assert_eq!(case.stored(), 0);
    let from = format!("sqlite:{}", case.field.display());
    case.haulier(&["init", "--from", &from, "--output", "first.toml"]).run().await.expect(0);
    case.haulier(&["check", "--offline", "--plan", "first.toml"]).run().await.expect(0);
    // A first site comes with it where there is none.
    let both = ["init", "--from", &from, "--output", "second.toml", "--site", "first-site.toml"];
    case.haulier(&both).run().await.expect(0);
    case.haulier(&["check", "--offline", "--plan", "second.toml", "--site", "first-site.toml"])
        .run()
        .await
        .expect(0);
    for command in ["init", "scan"] {
        let says = ["the source has no table `acounts`", "hint: did you mean `accounts`?"];
        refused(&case, &[command, "--from", &from, "--table", "acounts"], 2, &says).await;
    }
    let again = case.haulier(&["init", "--from", &from, "--output", "first.toml"]).run().await.expect(1);
    assert!(again.stderr.contains("first.toml cannot be written"), "{}", again.stderr);
    let scan = case.haulier(&["scan", "--from", &from]).run().await.expect(0);
    assert!(scan.stdout.contains("external_id"), "{}", scan.stdout);
    case.end().await;
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_error() {
    let case = Case::small(Setting { source: Engine::Sqlite, ..Setting::default() }, 30).await;
    case.haulier(&["run", "--workers", "16"]).run().await.expect(0);
    let exported = case.haulier(&["idmap", "export"]).run().await.expect(0).stdout;
    assert!(exported.len() > 100_000, "{} bytes would fit into the pipe", exported.len());
    let script = "set -o pipefail; \"$HAULIER\" idmap export | head -n 1; exit ${PIPESTATUS[0]}";
    let piped = Command::new("bash")
        .args(["-c", script])
        .env("HAULIER", env!("CARGO_BIN_EXE_haulier"))
        .current_dir(case.dir.path())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&piped.stderr), "");
    assert_eq!(piped.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&piped.stdout), "entity,source_key,target_id,origin,run,landed_at\n");
    case.end().await;
}

#[tokio::test]
async fn the_demo_moves_everything_and_finds_nothing_to_do_the_second_time() {
    let case = case().await;
    let first = case.haulier(&["demo", "--latency", "0"]).run().await.expect(0);
    assert!(
        first.stdout.contains("what both sides say")
            && first.stdout.contains("every record is accounted for")
    );
    let second = case.haulier(&["demo", "--latency", "0", "--json"]).run().await.expect(0).json();
    assert_eq!(second["moved"], 0, "{second:#}");
    assert_eq!(second["all"]["skipped"], second["all"]["planned"], "{second:#}");
    case.end().await;
}

#[tokio::test]
async fn the_demos_target_stays_to_be_proved_equal() {
    let case = case().await;
    let demo = case.haulier(&["demo", "--latency", "0", "--dir", "d", "--stay"]).start();
    demo.until_said("the target stays on").await;
    let proof = ["validate", "diff", "--plan", "d/plan.toml", "--site", "d/site.toml"];
    let proved = case.haulier(&proof).run().await.expect(0);
    assert_eq!(proved.stdout.matches("equal").count(), 1 + 4, "{}", proved.stdout);
    demo.signal("INT").await;
    let ended = demo.ended().await.expect(0);
    assert!(
        ended.stdout.contains("haulier validate diff --plan d/plan.toml --site d/site.toml"),
        "{}",
        ended.stdout
    );
    case.end().await;
}
