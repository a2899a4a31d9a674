//! The plug is pulled on a rehearsal site, and the report is evidence for a gate.

use std::collections::BTreeMap;

use crate::stages::scene::case;
use crate::support::evidence::number;
use crate::support::server::{Server, place};
use crate::support::services::address;
use crate::support::{Case, Engine, LedgerKind, QueueKind, Setting};
use hq_sandbox::Faults;
use serde_json::Value;

/// Slow enough to be killed midstream.
fn slow(case: &Case) {
    case.sandbox.set_faults(Faults { latency_ms: 10, ..Faults::default() }).unwrap();
}

/// Makes it a site to rehearse on, with these lines.
fn rehearsal(case: &Case, lines: &str) {
    let site = std::fs::read_to_string(case.path("site.toml")).unwrap();
    std::fs::write(case.path("site.toml"), format!("rehearsal = true\n{site}\n{lines}")).unwrap();
}

/// Records that the target's own log shows to have been written more than once.
fn written_again(case: &Case) -> u64 {
    let mut writes: BTreeMap<String, u64> = BTreeMap::new();
    for request in case.requests().iter().filter(|request| request["method"] != "GET") {
        let record = &request["record"];
        if let (Some(collection), Some(id)) = (record["collection"].as_str(), record["id"].as_str()) {
            *writes.entry(format!("{collection}/{id}")).or_default() += 1;
        }
    }
    writes.values().filter(|count| **count > 1).count() as u64
}

/// Nothing lost, nothing doubled, killed while something was on its way.
fn assert_clean(pulled: &Value) {
    let of = |name| number(pulled, name);
    assert_eq!((of("lost"), of("doubled"), of("changed")), (0, 0, 0), "{pulled:#}");
    assert!(of("landed_before") >= 20 && of("planned") > of("landed_before"), "{pulled:#}");
    assert!(pulled["resumed_after_ms"].is_u64(), "{pulled:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_kills_and_reports_what_that_cost() {
    let case = case(Engine::Sqlite, QueueKind::Embedded, LedgerKind::Sqlite).await;
    let refused = case.haulier(&["drill", "--kill", "worker"]).run().await.expect(2);
    assert!(refused.stderr.contains("rehearsal = true"), "{}", refused.stderr);
    rehearsal(&case, "");
    let refused = case.haulier(&["drill", "--kill", "target"]).run().await.expect(2);
    assert!(refused.stderr.contains("`target = { kill = ["), "{}", refused.stderr);
    slow(&case);
    let drill = case.haulier(&["drill", "--kill", "worker", "--json"]).run().await.expect(0).json();
    let pulled = &drill["pulled"][0];
    assert_eq!(drill["passed"], true);
    assert_clean(pulled);
    // What the dead worker had in hand is begun once more; the target's own log shows no other record written again.
    assert!(number(pulled, "in_hand") > 0, "{pulled:#}");
    assert!(number(pulled, "repeated") >= number(pulled, "in_hand"), "{pulled:#}");
    assert!(written_again(&case) <= number(pulled, "repeated"), "{pulled:#}");
    case.assert_same_on_both_sides().await;
    // The report is what the gate's check looks for.
    case.haulier(&["run", "--no-wait", "--by", "sam"]).run().await.expect(5);
    let shown = case.haulier(&["gate", "show", "bulk", "--json"]).run().await.expect(5).json();
    let checks = shown["checks"].as_array().unwrap();
    let done = checks.iter().find(|check| check["check"] == "drill.done").unwrap();
    assert_eq!(done["result"], "pass", "{done:#}");
    assert!(done["saw"].as_str().unwrap().starts_with("worker killed"), "{done:#}");
    case.end().await;
}

/// Source and ledger are one server of the test's own, which the site's commands kill and start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_kills_the_ledgers_server_and_everything_goes_on() {
    let server = Server::start("postgres", &[]).await;
    let setting = Setting { ledger: LedgerKind::Postgres, ..Setting::default() };
    let case = Case::small(setting, 8).await;
    case.edit("site.toml", &place(&address("HAULIER_TEST_POSTGRES_URL")), &server.at(11));
    let command = |what| server.words(what).join("\", \"");
    let (kill, start) = (command("kill9"), command("start"));
    rehearsal(
        &case,
        &format!("[drill]\naway = \"100ms\"\nledger = {{ kill = [\"{kill}\"], start = [\"{start}\"] }}"),
    );
    slow(&case);
    let drill = case.haulier(&["drill", "--kill", "ledger", "--json"]).run().await.expect(0).json();
    assert_eq!(drill["pulled"][0]["killed"], "ledger");
    assert_clean(&drill["pulled"][0]);
    case.assert_same_on_both_sides().await;
    case.end().await;
}
