//! Who may decide, on what, and until when.

use std::time::Duration;

use crate::StageName;
use crate::plan::{Approvers, Gate, OnTimeout, Person};
use crate::stage::{
    CheckResult, Decision, Entry, Evidence, Fact, Finding, GateEvent, Refusal, RunKind, Standing, Verb,
    Weight, Wish, weigh,
};

const SECOND: i64 = 1_000_000;

fn gate(min: u32) -> Gate {
    Gate {
        before: StageName::new("bulk"),
        checks: Vec::new(),
        approvers: Approvers { role: "approver".to_owned(), min, not_the_starter: true },
        override_role: "lead".to_owned(),
        fresh_for: Duration::from_hours(1),
        expires: Duration::from_hours(8),
        due: None,
        on_timeout: OnTimeout::Hold,
        auto: false,
    }
}

fn people() -> Vec<Person> {
    let person = |name: &str, roles: &[&str]| Person {
        name: name.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Person::default()
    };
    vec![
        person("pierre", &["approver", "lead"]),
        person("lin", &["approver"]),
        person("sam", &["approver", "operator"]),
        person("nobody", &["qa"]),
    ]
}

/// A run that sam started, with a gate whose one check answered so.
fn standing(kind: RunKind, result: CheckResult) -> Standing {
    let bulk = StageName::new("bulk");
    let saw = String::new();
    let finding = Finding { check: "queue.empty".to_owned(), weight: Weight::Must, result, saw };
    let evidence = Evidence { digest: "0123456789abcdef".to_owned(), findings: vec![finding] };
    let advice = GateEvent::from(evidence.advice());
    let facts = [
        Fact::Opened(kind, "sam".to_owned()),
        Fact::Plan(1, "plan-1".to_owned()),
        Fact::Gate(bulk.clone(), GateEvent::Evaluate),
        Fact::Evidence(bulk.clone(), evidence),
        Fact::Gate(bulk, advice),
    ];
    let entries: Vec<Entry> = (1..).zip(facts).map(|(version, fact)| entry(version, fact)).collect();
    Standing::of(&entries).unwrap()
}

fn entry(version: u64, fact: Fact) -> Entry {
    Entry { version, at: SECOND, by: "sam@ops".to_owned(), note: None, fact }
}

fn go(person: &str) -> Wish<'_> {
    Wish {
        verb: Verb::Go,
        person,
        note: "",
        evidence: None,
        overrides: false,
        plan: "plan-1",
        now: 2 * SECOND,
    }
}

#[test]
fn a_decision_is_refused_unless_its_person_may_take_it() {
    let passed = standing(RunKind::Production, CheckResult::Pass);
    let refused = |wish: &Wish<'_>| weigh(wish, &gate(1), &people(), &passed).unwrap_err();
    assert!(matches!(refused(&go("ghost")), Refusal::Unknown { .. }));
    assert!(matches!(refused(&go("nobody")), Refusal::Role { .. }));
    assert!(matches!(refused(&go("sam")), Refusal::Starter { .. }));
    // Who started it may stop it.
    let stop = Wish { verb: Verb::NoGo, note: "not today", ..go("sam") };
    assert!(weigh(&stop, &gate(1), &people(), &passed).is_ok());
    // In a rehearsal there is nobody else to ask.
    let rehearsal = standing(RunKind::Rehearsal, CheckResult::Pass);
    assert!(weigh(&go("sam"), &gate(1), &people(), &rehearsal).is_ok());
    let (decision, opens) = weigh(&go("lin"), &gate(1), &people(), &passed).unwrap();
    assert!(opens && !decision.overrides);
    assert_eq!((decision.plan.as_str(), decision.evidence.as_str()), ("plan-1", "0123456789abcdef"));
}

#[test]
fn a_stale_decision_is_refused() {
    let passed = standing(RunKind::Production, CheckResult::Pass);
    let refused = |wish: &Wish<'_>| weigh(wish, &gate(1), &people(), &passed).unwrap_err();
    assert_eq!(refused(&Wish { plan: "plan-2", ..go("lin") }), Refusal::PlanChanged);
    let other = Wish { evidence: Some("ffffffff"), ..go("lin") };
    assert!(matches!(refused(&other), Refusal::EvidenceChanged { .. }));
    // A prefix names it, a letter or two do not.
    assert!(weigh(&Wish { evidence: Some("01234567"), ..go("lin") }, &gate(1), &people(), &passed).is_ok());
    assert!(matches!(refused(&Wish { evidence: Some("01"), ..go("lin") }), Refusal::EvidenceChanged { .. }));
    let late = Wish { now: 3602 * SECOND, ..go("lin") };
    assert_eq!(refused(&late), Refusal::EvidenceOld { age_s: 3601, good_s: 3600 });
}

#[test]
fn against_the_checks_it_takes_a_role_a_word_and_a_reason() {
    for result in [CheckResult::Fail, CheckResult::Inconclusive, CheckResult::Error] {
        let failed = standing(RunKind::Production, result);
        let of = |wish: &Wish<'_>| weigh(wish, &gate(1), &people(), &failed);
        assert!(matches!(of(&go("pierre")), Err(Refusal::Override { .. })), "{result}");
        let meant = Wish { overrides: true, ..go("pierre") };
        assert!(matches!(of(&meant), Err(Refusal::NoReason { .. })));
        let role = Wish { overrides: true, note: "known", ..go("lin") };
        assert!(matches!(of(&role), Err(Refusal::Role { .. })));
        let (decision, opens) = of(&Wish { note: "known, mended tomorrow", ..meant }).unwrap();
        assert!(decision.overrides && opens);
    }
}

#[test]
fn two_approvers_are_two_persons() {
    let mut standing = standing(RunKind::Production, CheckResult::Pass);
    let (first, opens) = weigh(&go("lin"), &gate(2), &people(), &standing).unwrap();
    assert!(!opens);
    let keep = |standing: &mut Standing, decision: Decision| {
        let fact = Fact::Decision(StageName::new("bulk"), decision);
        standing.apply(&entry(standing.version + 1, fact)).unwrap();
    };
    keep(&mut standing, first);
    assert!(matches!(weigh(&go("lin"), &gate(2), &people(), &standing), Err(Refusal::Again { .. })));
    let (second, opens) = weigh(&go("pierre"), &gate(2), &people(), &standing).unwrap();
    assert!(opens);
    // A hold between them takes the first one back.
    let hold = Decision { verb: Verb::Hold, ..second };
    keep(&mut standing, hold);
    assert!(!weigh(&go("pierre"), &gate(2), &people(), &standing).unwrap().1);
}

#[test]
fn a_go_that_was_given_goes_stale_with_plan_and_time() {
    let mut standing = standing(RunKind::Production, CheckResult::Pass);
    let bulk = StageName::new("bulk");
    let (decision, _) = weigh(&go("lin"), &gate(1), &people(), &standing).unwrap();
    for fact in [Fact::Decision(bulk.clone(), decision), Fact::Gate(bulk.clone(), GateEvent::Go)] {
        standing.apply(&entry(standing.version + 1, fact)).unwrap();
    }
    let at = standing.gate(&bulk);
    let hour = 3600 * SECOND;
    assert_eq!(at.stale("plan-1", 8 * hour, 2 * hour), None);
    assert!(at.stale("plan-1", 8 * hour, 9 * hour).is_some());
    assert!(at.stale("plan-2", 8 * hour, 2 * hour).is_some());
}
