//! Stages, gates, people, hooks and checks: what is read, and what is refused.

use std::path::Path;
use std::time::Duration;

use haulier_core::StageName;
use haulier_core::plan::{CheckAsk, HookAct, OnTimeout, ProofLevel, StageKind};
use haulier_core::stage::Weight;

use super::{NO_MISTAKE, changed, plan_mistakes};

/// A good plan with stages, which every case spoils in its own way.
pub(super) const GOOD: &str = r#"name = "field-to-hq"
tenant = "account"

[people]
pierre = { roles = ["approver", "lead"] }
lin = { roles = ["approver"] }

[hooks.flag-on]
exec = ["flag", "on"]
expect = "2m"
timeout = "5m"
retries = 2
[hooks.tell]
webhook = "https://hooks.example.org/haulier"

[checks.big-projects]
sql = "select count(*) from projects"
on = "target"
least = 1
[checks.free-trial]
person = "the free trial can be begun"

[snapshot]
take = "tell"
max_age = "12h"

[[window]]
name = "night"
zone = "Europe/Paris"
days = ["mon", "tue"]
from = "20:00"
to = "06:00"

[[wave]]
name = "w1"
tenants = "rest"

[[stage]]
name = "look"
kind = "preflight"
[[stage]]
name = "smoke"
kind = "smoke"
tenants = ["1", "2"]
start = { workers = 2, rate = 10 }
[[stage]]
name = "bulk"
kind = "bulk"
needs = ["smoke"]
waves = ["w1"]
window = "night"
most_dead = 3
[[stage]]
name = "empty"
kind = "drained"
lasts = "2s"
[[stage]]
name = "release"
kind = "release"
needs = ["bulk", "empty"]
enter = ["flag-on"]
no_return = true

[[gate]]
before = "bulk"
must = ["queue.empty", "big-projects"]
should = ["free-trial"]
approvers = { role = "approver", min = 2 }
override_role = "lead"
due = "2h"
on_timeout = "no-go"

[[entity]]
name = "account"
source.table = "accounts"
source.key = ["id"]
natural_key = ["external_id"]
push = { shape = "put", path = "/accounts/{external_id}", id = "/id" }
fields = { email = "email" }
"#;

#[test]
fn a_plan_with_stages_is_read() {
    let plan = crate::parse_plan(Path::new("plan.toml"), GOOD).unwrap();
    let stages = &plan.stages;
    let names: Vec<&str> = stages.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(names, ["look", "smoke", "bulk", "empty", "release"]);
    let smoke = stages.of_kind(StageKind::Smoke).unwrap();
    assert_eq!((smoke.tenants.len(), smoke.start.len()), (2, 2));
    assert_eq!(smoke.proof, [ProofLevel::Deep]);
    let bulk = stages.of_kind(StageKind::Bulk).unwrap();
    assert_eq!((bulk.most_dead, bulk.window.as_deref()), (3, Some("night")));
    assert_eq!(stages.of_kind(StageKind::Drained).unwrap().lasts, Duration::from_secs(2));
    let gate = stages.gate(&StageName::new("bulk")).unwrap();
    let wanted =
        [(Weight::Must, "queue.empty"), (Weight::Must, "big-projects"), (Weight::Should, "free-trial")];
    let found: Vec<_> = gate.checks.iter().map(|(weight, name)| (*weight, name.as_str())).collect();
    assert_eq!(found, wanted);
    assert_eq!((gate.approvers.min, gate.approvers.not_the_starter), (2, true));
    assert_eq!((gate.on_timeout, gate.due), (OnTimeout::NoGo, Some(Duration::from_hours(2))));
    let hook = stages.hook("flag-on").unwrap();
    assert!(matches!(&hook.act, HookAct::Exec(words) if words.len() == 2));
    assert_eq!(hook.retries, 2);
    assert!(matches!(stages.check("big-projects").unwrap().ask, CheckAsk::Sql { least: Some(_), .. }));
}

#[test]
fn every_mistake_is_told_with_its_place_and_the_way_out() {
    for (change, token, words) in [
        (("needs = [\"smoke\"]", "needs = [\"release\"]"), "\"release\"]\nwaves", "need each other"),
        (
            ("needs = [\"bulk\", \"empty\"]", "needs = [\"bulk\", \"release\"]"),
            "\"release\"]",
            "needs itself",
        ),
        (("needs = [\"smoke\"]", "needs = [\"empty\"]"), "\"empty\"]\nwaves", "which comes later"),
        (("needs = [\"smoke\"]", "needs = [\"smok\"]"), "\"smok\"", "did you mean \"smoke\"?"),
        (("needs = [\"smoke\"]\n", ""), "[[stage]]\nname = \"bulk\"", "does not need a smoke stage"),
        (
            ("before = \"bulk\"", "before = \"release\""),
            "[[stage]]\nname = \"bulk\"",
            "no gate stands before stage \"bulk\"",
        ),
        (("before = \"bulk\"", "before = \"bulky\""), "\"bulky\"", "there is no stage \"bulky\""),
        (("waves = [\"w1\"]", "waves = [\"w2\"]"), "\"w2\"", "`waves` names \"w2\""),
        (("window = \"night\"", "window = \"day\""), "\"day\"\nmost", "`window` names \"day\""),
        (("enter = [\"flag-on\"]", "enter = [\"flag-of\"]"), "\"flag-of\"", "there is no hook \"flag-of\""),
        (("\"queue.empty\"", "\"queue.emty\""), "\"queue.emty\"", "there is no check \"queue.emty\""),
        (("role = \"approver\"", "role = \"boss\""), "\"boss\"", "0 of `[people]` have it"),
        (("min = 2", "min = 3"), "\"approver\", min", "the gate takes 3 with the role \"approver\", and 2"),
        (
            ("exec = [\"flag\", \"on\"]", "exec = [\"./flag\", \"on\"]"),
            "\"./flag\"",
            "\"./flag\" is not there",
        ),
        (("expect = \"2m\"", "expect = \"6m\""), "\"6m\"", "longer than its `timeout`"),
        (("least = 1\n", ""), "big-projects]", "says of no number that it passes"),
        (("tenants = [\"1\", \"2\"]\n", ""), "[[stage]]\nname = \"smoke\"", "names no tenants"),
        (
            ("lasts = \"2s\"", "waves = [\"w1\"]"),
            "[\"w1\"]\n[[stage]]\nname = \"release",
            "a stage of the kind \"drained\" has no `waves`",
        ),
        (("kind = \"preflight\"", "kind = \"preflite\""), "\"preflite\"", "it can be: preflight"),
        (("on_timeout = \"no-go\"", "on_timeout = \"go\""), "\"go\"", "`on_timeout` cannot be \"go\""),
        (("take = \"tell\"", "take = \"tel\""), "\"tel\"", "there is no hook \"tel\""),
    ] {
        let text = changed(GOOD, &[change]);
        let before = &text[..text.find(token).unwrap_or_else(|| panic!("{token} is not in the text"))];
        let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
        let place = format!("plan.toml:{}:{column}: ", before.matches('\n').count() + 1);
        let told = plan_mistakes(&text);
        let at = told.split("plan.toml:").map(|part| format!("plan.toml:{part}"));
        let found = at.into_iter().any(|problem| problem.starts_with(&place) && problem.contains(words));
        assert!(found, "{change:?} {place}\n{told}");
    }
    assert_eq!(plan_mistakes(GOOD), NO_MISTAKE);
}

#[test]
fn a_hook_that_cannot_be_executed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("flag"), "#!/bin/sh\n").unwrap();
    let text = changed(GOOD, &[("exec = [\"flag\", \"on\"]", "exec = [\"./flag\", \"on\"]")]);
    let told = crate::parse_plan(&dir.path().join("plan.toml"), &text).unwrap_err().to_string();
    assert!(told.contains("\"./flag\" is not executable") && told.contains("chmod +x"), "{told}");
}
