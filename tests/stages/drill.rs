//! The plug is pulled on a rehearsal site, and the report is evidence for a gate.

use crate::stages::scene::case;
use crate::support::{Engine, LedgerKind, QueueKind};
use hq_sandbox::Faults;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_kills_and_reports_what_that_cost() {
    let case = case(Engine::Sqlite, QueueKind::Embedded, LedgerKind::Sqlite).await;
    let refused = case.haulier(&["drill", "--kill", "worker"]).run().await.expect(2);
    assert!(refused.stderr.contains("rehearsal = true"), "{}", refused.stderr);
    let site = std::fs::read_to_string(case.path("site.toml")).unwrap();
    std::fs::write(case.path("site.toml"), format!("rehearsal = true\n{site}")).unwrap();
    // Slow enough to be killed midstream.
    case.sandbox.set_faults(Faults { latency_ms: 10, ..Faults::default() }).unwrap();
    let drill = case.haulier(&["drill", "--kill", "worker", "--json"]).run().await.expect(0).json();
    let pulled = &drill["pulled"][0];
    assert_eq!(
        (&drill["passed"], &pulled["lost"], &pulled["doubled"]),
        (&true.into(), &0.into(), &0.into()),
        "{drill:#}"
    );
    assert!(
        pulled["landed_before"].as_u64().unwrap() >= 20
            && pulled["planned"].as_u64() > pulled["landed_before"].as_u64()
    );
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
