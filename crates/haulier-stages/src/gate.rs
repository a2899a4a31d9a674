//! Gates: their checks, the evidence of those, and decisions.

use haulier_core::StageName;
use haulier_core::plan::{Gate, Plan};
use haulier_core::stage::{
    CheckResult, Decision, Evidence, Fact, Finding, GateEvent, RunKind, Severity, Standing, Verb, Weight,
    Wish, advice, none_open, weigh,
};
use sha2::{Digest, Sha256};

use crate::{Desk, Hands, Trouble, Wrote};

/// Findings with their digest.
#[must_use]
pub fn evidence(findings: Vec<Finding>) -> Evidence {
    Evidence { digest: fingerprint(&Evidence::text(&findings)), findings }
}

/// SHA-256 of a text, in lower-case hex.
#[must_use]
pub fn fingerprint(text: &str) -> String {
    use std::fmt::Write;
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // Writing to a string does not fail.
        let _written = write!(digest, "{byte:02x}");
    }
    digest
}

/// Runs a gate's checks and keeps what they answered. A go that was given before does not count any more.
pub async fn evaluate(
    desk: &Desk,
    hands: &dyn Hands,
    gate: &Gate,
    standing: &mut Standing,
) -> Result<Evidence, Trouble> {
    loop {
        let mut findings = Vec::with_capacity(gate.checks.len());
        for (weight, check) in &gate.checks {
            let (result, saw) = hands.look(check, &gate.before, standing).await;
            findings.push(Finding { check: check.clone(), weight: *weight, result, saw });
        }
        findings.extend(worst(&findings, standing));
        let advised = GateEvent::from(advice(&findings));
        let found = evidence(findings);
        let before = &gate.before;
        let facts = vec![
            (Fact::Gate(before.clone(), GateEvent::Evaluate), None),
            (Fact::Evidence(before.clone(), found.clone()), None),
            (Fact::Gate(before.clone(), advised), None),
        ];
        if desk.write(standing, facts).await? == Wrote::Kept {
            return Ok(found);
        }
    }
}

/// What is open of the highest severity blocks every gate, also one that does not ask for it.
fn worst(findings: &[Finding], standing: &Standing) -> Option<Finding> {
    const CHECK: &str = "findings.s1";
    let (result, saw) = none_open(standing, Severity::S1);
    let asked = findings.iter().any(|one| one.weight == Weight::Must && one.check == CHECK);
    let finding = Finding { check: CHECK.to_owned(), weight: Weight::Must, result, saw };
    (result == CheckResult::Fail && !asked).then_some(finding)
}

/// Takes a decision, or says why it does not count. The answer says whether it moved the gate.
pub async fn decide(
    desk: &Desk,
    plan: &Plan,
    gate: &Gate,
    wish: &Wish<'_>,
    standing: &mut Standing,
) -> Result<(Decision, bool), Trouble> {
    loop {
        let (decision, moves) = weigh(wish, gate, &plan.stages.people, standing)?;
        let note = Some(wish.note.trim().to_owned()).filter(|note| !note.is_empty());
        let mut facts = vec![(Fact::Decision(gate.before.clone(), decision.clone()), note)];
        if moves {
            facts.push((Fact::Gate(gate.before.clone(), event(wish.verb)), None));
        }
        if desk.write(standing, facts).await? == Wrote::Kept {
            return Ok((decision, moves));
        }
    }
}

fn event(verb: Verb) -> GateEvent {
    match verb {
        Verb::Go => GateEvent::Go,
        Verb::NoGo => GateEvent::NoGo,
        Verb::Hold => GateEvent::Hold,
    }
}

/// In a rehearsal, the decision that a gate takes by itself when its checks advise to go.
#[must_use]
pub(crate) fn by_itself(gate: &Gate, standing: &Standing) -> Option<Vec<(Fact, Option<String>)>> {
    let at = standing.gate(&gate.before);
    let evidence = at.evidence.filter(|evidence| evidence.advice() == haulier_core::stage::Advice::Go)?;
    let may = gate.auto
        && at.state == haulier_core::stage::GateState::GoAdvised
        && matches!(standing.kind, Some(RunKind::Rehearsal | RunKind::Drill));
    let decision = Decision {
        verb: Verb::Go,
        person: "rehearsal".to_owned(),
        plan: standing.plan.clone(),
        evidence: evidence.digest,
        overrides: false,
    };
    let note = Some("the checks advise to go, and the plan lets a rehearsal decide by itself".to_owned());
    may.then(|| {
        vec![
            (Fact::Decision(gate.before.clone(), decision), note),
            (Fact::Gate(gate.before.clone(), GateEvent::Go), None),
        ]
    })
}

/// Keeps what a person saw, for a check of the kind `person`.
pub async fn record(
    desk: &Desk,
    check: &str,
    passes: bool,
    person: &str,
    note: Option<String>,
    standing: &mut Standing,
) -> Result<(), Trouble> {
    let word = if passes { "pass" } else { "fail" };
    loop {
        let fact = Fact::Other {
            kind: "seen".to_owned(),
            subject: check.to_owned(),
            word: word.to_owned(),
            data: person.to_owned(),
        };
        if desk.write(standing, vec![(fact, note.clone())]).await? == Wrote::Kept {
            return Ok(());
        }
    }
}

/// The gate before a stage, where there is one that is not open.
pub(crate) fn closed<'p>(plan: &'p Plan, standing: &Standing, before: &StageName) -> Option<&'p Gate> {
    plan.stages.gate(before).filter(|gate| !standing.gate(&gate.before).state.is_open())
}
