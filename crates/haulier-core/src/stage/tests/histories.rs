//! Histories at random: whatever is tried, only what is lawful is kept, and no gate opens without a decision.

use proptest::prelude::*;

use crate::stage::{
    Approval, CheckResult, Decision, Entry, Evidence, Fact, Finding, GateEvent, GateState, HookEvent,
    Misstep, RunEvent, RunKind, RunState, StageEvent, Standing, TenantEvent, Verb, Weight,
};
use crate::{StageName, TenantKey};

fn name(which: u8) -> StageName {
    StageName::new(["smoke", "bulk", "release"][usize::from(which) % 3])
}

fn evidence(which: u8) -> Evidence {
    let result = CheckResult::ALL[usize::from(which) % CheckResult::ALL.len()];
    let saw = format!("seen\tonce\n{which}");
    let findings = vec![Finding { check: "queue.empty".to_owned(), weight: Weight::Must, result, saw }];
    Evidence { digest: format!("e{}", which % 3), findings }
}

fn decision(which: u8) -> Decision {
    Decision {
        verb: Verb::ALL[usize::from(which) % Verb::ALL.len()],
        person: "pierre".to_owned(),
        plan: format!("p{}", which % 2),
        evidence: format!("e{}", which % 3),
        overrides: which.is_multiple_of(5),
    }
}

fn fact() -> impl Strategy<Value = Fact> {
    let pick = |len: usize| 0..len;
    prop_oneof![
        pick(RunEvent::ALL.len()).prop_map(|n| Fact::Run(RunEvent::ALL[n])),
        (any::<u8>(), pick(StageEvent::ALL.len()))
            .prop_map(|(s, n)| Fact::Stage(name(s), StageEvent::ALL[n])),
        (any::<u8>(), pick(GateEvent::ALL.len())).prop_map(|(s, n)| Fact::Gate(name(s), GateEvent::ALL[n])),
        (any::<u8>(), any::<u8>()).prop_map(|(s, n)| Fact::Evidence(name(s), evidence(n))),
        (any::<u8>(), any::<u8>()).prop_map(|(s, n)| Fact::Decision(name(s), decision(n))),
        pick(TenantEvent::ALL.len()).prop_map(|n| Fact::Tenant(TenantKey::new("7"), TenantEvent::ALL[n])),
        (any::<u8>(), pick(HookEvent::ALL.len())).prop_map(|(s, n)| Fact::Hook(
            name(s),
            "flag".to_owned(),
            HookEvent::ALL[n]
        )),
        any::<u8>().prop_map(|n| Fact::Plan(u32::from(n), format!("p{}", n % 2))),
        any::<u8>().prop_map(|n| Fact::Part(name(n), format!("wave {n}"))),
        any::<u8>().prop_map(|n| Fact::Fingerprint("source".to_owned(), n.to_string())),
        any::<u8>().prop_map(|n| Fact::Approval(Approval {
            person: ["pierre", "lin"][usize::from(n % 2)].to_owned(),
            plan: format!("p{}", n % 3 % 2),
        })),
        Just(Fact::Opened(RunKind::Rehearsal, "sam".to_owned())),
    ]
}

fn entry(version: u64, fact: Fact) -> Entry {
    Entry {
        version,
        at: i64::try_from(version).unwrap(),
        by: "sam@ops".to_owned(),
        note: version.is_multiple_of(2).then(|| "why".to_owned()),
        fact,
    }
}

proptest! {
    #[test]
    fn whatever_is_tried_only_a_decision_opens_a_gate(facts in proptest::collection::vec(fact(), 0..120)) {
        let (mut standing, mut kept) = (Standing::default(), Vec::new());
        for fact in facts {
            let before = standing.clone();
            let entry = entry(standing.version + 1, fact);
            match standing.apply(&entry) {
                Ok(()) => kept.push(entry),
                Err(_) => prop_assert_eq!(&standing, &before, "a refused entry leaves no trace"),
            }
            if standing.rollbacks > before.rollbacks {
                prop_assert!(!before.approvals().is_empty(), "it is rolled back, and nobody decided that");
                prop_assert!(standing.approvals().is_empty(), "one decision, one rollback");
            }
            for (name, gate) in &standing.gates {
                if gate.state == GateState::Go {
                    let opened = gate.decisions.iter().any(|(decision, _, _)| decision.verb == Verb::Go);
                    prop_assert!(opened, "{} is open, and nobody said go", name);
                }
            }
        }
        // What a controller reads after a crash is what the one before it knew, at every point.
        prop_assert_eq!(Standing::of(&kept).unwrap(), standing);
    }

    #[test]
    fn every_fact_reads_back_from_the_ledgers_words(fact in fact()) {
        let words = fact.words();
        let back = Fact::from_words(words.each_ref().map(String::as_str)).unwrap();
        // What an observer saw is kept without line breaks; all else is kept as it was.
        prop_assert_eq!(back.words(), words);
    }
}

#[test]
fn a_gate_that_says_go_without_a_decision_is_refused() {
    let gate = name(1);
    let mut standing = Standing::default();
    let facts = [
        Fact::Plan(1, "p0".to_owned()),
        Fact::Gate(gate.clone(), GateEvent::Evaluate),
        Fact::Evidence(gate.clone(), evidence(0)),
        Fact::Gate(gate.clone(), GateEvent::AdviseGo),
    ];
    for fact in facts {
        standing.apply(&entry(standing.version + 1, fact)).unwrap();
    }
    let go = entry(standing.version + 1, Fact::Gate(gate.clone(), GateEvent::Go));
    assert_eq!(standing.apply(&go), Err(Misstep::Undecided(gate.clone())));
    // A go on another plan, or on other evidence, is none.
    for (plan, seen) in [("p1", "e0"), ("p0", "e1")] {
        let other = Decision { plan: plan.to_owned(), evidence: seen.to_owned(), ..decision(0) };
        standing.apply(&entry(standing.version + 1, Fact::Decision(gate.clone(), other))).unwrap();
        let go = entry(standing.version + 1, Fact::Gate(gate.clone(), GateEvent::Go));
        assert_eq!(standing.apply(&go), Err(Misstep::Undecided(gate.clone())));
    }
    let right = Decision { plan: "p0".to_owned(), evidence: "e0".to_owned(), ..decision(0) };
    standing.apply(&entry(standing.version + 1, Fact::Decision(gate.clone(), right))).unwrap();
    standing.apply(&entry(standing.version + 1, Fact::Gate(gate.clone(), GateEvent::Go))).unwrap();
    assert_eq!(standing.gate(&gate).state, GateState::Go);
}

#[test]
fn entries_have_no_gaps_and_reasons_of_a_pause_add_up() {
    let mut standing = Standing::default();
    let gap = standing.apply(&entry(2, Fact::Run(RunEvent::Start)));
    assert_eq!(gap, Err(Misstep::Gap { last: 0, found: 2 }));
    for event in [RunEvent::Start, RunEvent::Pause, RunEvent::AtRest] {
        standing.apply(&entry(standing.version + 1, Fact::Run(event))).unwrap();
    }
    assert_eq!((standing.run, standing.reasons.len()), (RunState::Paused, 1));
    standing.apply(&entry(4, Fact::Run(RunEvent::Interrupt))).unwrap();
    assert_eq!(standing.reasons.len(), 1, "it is still known why it was paused");
    standing.apply(&entry(5, Fact::Run(RunEvent::TakeUp))).unwrap();
    standing.apply(&entry(6, Fact::Run(RunEvent::Resume))).unwrap();
    assert!(standing.reasons.is_empty());
}
