//! A case whose plan has stages, with hooks that note each start.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::process::wait_for;
use crate::support::{Case, Engine, LedgerKind, QueueKind, Setting};

/// Stages of the usual kind: preflight, smoke of five, two waves, queue empty, validation, freeze, release, final smoke.
const STAGES: &str = r#"
[people]
pierre = { roles = ["approver", "lead"] }
lin = { roles = ["approver"] }

[hooks.snapshot-take]
exec = ["./hook"]
[hooks.snapshot-check]
exec = ["./hook"]
[hooks.flag-on]
exec = ["./hook"]
timeout = "30s"

[checks.accounts-there]
sql = "select count(*) from accounts"
on = "source"
least = 8
[checks.free-trial]
person = "the free trial can be begun in HQ"

[snapshot]
take = "snapshot-take"
check = "snapshot-check"
max_age = "12h"

[[wave]]
name = "w1"
tenants = ["6", "7"]
[[wave]]
name = "w2"
tenants = "rest"

[[stage]]
name = "preflight"
kind = "preflight"
leave = ["snapshot-take", "snapshot-check"]
[[stage]]
name = "smoke"
kind = "smoke"
needs = ["preflight"]
tenants = ["1", "2", "3", "4", "5"]
start = { workers = 2 }
[[stage]]
name = "bulk"
kind = "bulk"
needs = ["smoke"]
waves = ["w1", "w2"]
start = { workers = 8 }
[[stage]]
name = "empty"
kind = "drained"
needs = ["bulk"]
lasts = "1s"
[[stage]]
name = "validate"
kind = "validate"
needs = ["empty"]
[[stage]]
name = "freeze"
kind = "freeze"
[[stage]]
name = "release"
kind = "release"
needs = ["empty", "validate"]
enter = ["flag-on"]
no_return = true
[[stage]]
name = "final-smoke"
kind = "final-smoke"
needs = ["release"]

[[gate]]
before = "bulk"
must = ["queue.empty", "dead.within", "snapshot.checked", "accounts-there", "incidents.closed"]
should = ["drill.done"]
[[gate]]
before = "release"
must = ["queue.empty", "validate.equal", "snapshot.young", "free-trial"]
approvers = { role = "approver", min = 2 }
override_role = "lead"
"#;

/// A case of eight accounts on these neighbours, whose plan has the stages.
pub(super) async fn case(source: Engine, queue: QueueKind, ledger: LedgerKind) -> Case {
    let case = Case::small(Setting { source, queue, ledger, ..Setting::default() }, 8).await;
    let plan = std::fs::read_to_string(case.path("plan.toml")).unwrap();
    // Tables of the top come before none of the entities': TOML takes them anywhere.
    std::fs::write(case.path("plan.toml"), format!("{plan}\n{STAGES}")).unwrap();
    hook(&case, "");
    case
}

/// Lets every hook note that it was started, and then do this.
pub(super) fn hook(case: &Case, then: &str) {
    let script =
        format!("#!/bin/sh\necho \"$HAULIER_STAGE $HAULIER_HOOK $HAULIER_ATTEMPT\" >> hooks.log\n{then}\n");
    std::fs::write(case.path("hook"), script).unwrap();
    std::fs::set_permissions(case.path("hook"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Every start of a hook: stage, hook, attempt.
pub(super) fn hooks(case: &Case) -> Vec<String> {
    let log = std::fs::read_to_string(case.path("hooks.log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

/// What `haulier stages --json` says.
pub(super) async fn stages(case: &Case) -> Value {
    case.haulier(&["stages", "--json"]).run().await.expect(0).json()
}

/// The state of one stage.
pub(super) fn state<'v>(stages: &'v Value, name: &str) -> &'v str {
    let all = stages["stages"].as_array().unwrap();
    let found =
        all.iter().find(|stage| stage["stage"] == name).unwrap_or_else(|| panic!("no {name} in {stages:#}"));
    found["state"].as_str().unwrap()
}

/// Waits until the run stands so.
pub(super) async fn until(case: &Case, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    wait_for(what, async || {
        let told = case.haulier(&["stages", "--json"]).run().await;
        (told.code == Some(0)).then(|| told.json()).filter(|stages| fits(stages))
    })
    .await
}

/// Decides, as a person of the plan.
pub(super) async fn go(case: &Case, gate: &str, by: &str) {
    let decided = case.haulier(&["gate", "decide", gate, "--go", "--by", by, "--note", "seen"]).run().await;
    if decided.code != Some(0) {
        let shown = case.haulier(&["gate", "show", gate]).run().await;
        panic!("{}\n{}", decided.stderr, shown.stdout);
    }
}
