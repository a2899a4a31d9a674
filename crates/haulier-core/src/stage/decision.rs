//! A person's decision at a gate, and who may take it.

use super::standing::{GateStanding, Standing};
use super::words::words;
use super::{Advice, GateState, RunKind, RunState};
use crate::StageName;
use crate::plan::{Approvers, Gate, Person};
use crate::port::Micros;

words! {
    /// What a person decides.
    Verb {
        /// Open it.
        Go = "go",
        /// Keep it closed: something must change first.
        NoGo = "no-go",
        /// Not yet.
        Hold = "hold",
    }
}

/// One decision, as it is kept for ever. A correction is a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What.
    pub verb: Verb,
    /// Who, by the name in the plan's `people`.
    pub person: String,
    /// Digest of the plan that was decided on.
    pub plan: String,
    /// Digest of the evidence that was decided on.
    pub evidence: String,
    /// Whether it goes against what the `must` checks advise.
    pub overrides: bool,
}

/// What somebody wants to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish<'a> {
    /// What.
    pub verb: Verb,
    /// Who.
    pub person: &'a str,
    /// Why. A no-go, a hold and an override need it.
    pub note: &'a str,
    /// The evidence that the person looked at; the newest where they do not say.
    pub evidence: Option<&'a str>,
    /// Whether a go against the advice is meant.
    pub overrides: bool,
    /// Digest of the plan as it is now.
    pub plan: &'a str,
    /// Now.
    pub now: Micros,
}

/// Why a decision does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody of that name.
    #[error("the plan's `people` do not know {person}")]
    Unknown {
        /// The name.
        person: String,
    },
    /// Not one of the approvers.
    #[error("{person} may not decide here: it takes the role `{role}`")]
    Role {
        /// The name.
        person: String,
        /// The role.
        role: String,
    },
    /// Who started the run may not open its gates, unless the plan says so.
    #[error("{person} started the run, and somebody else must open its gates")]
    Starter {
        /// The name.
        person: String,
    },
    /// Nothing to decide on yet, or not any more.
    #[error("the gate is {state}: there is nothing to decide on")]
    NotDecidable {
        /// Where it stands.
        state: GateState,
    },
    /// The evidence is another than the person looked at.
    #[error("the evidence has changed since: it was {seen}, and is {now}")]
    EvidenceChanged {
        /// What the person looked at.
        seen: String,
        /// What it is.
        now: String,
    },
    /// The evidence is too old to decide on.
    #[error("the evidence is {age_s} s old, and good for {good_s} s")]
    EvidenceOld {
        /// Its age, in seconds.
        age_s: i64,
        /// How long it is good, in seconds.
        good_s: i64,
    },
    /// The run walks another revision of the plan.
    #[error("the plan is another than the run's")]
    PlanChanged,
    /// A `must` check does not say yes.
    #[error("the checks advise {advice}, so a go would be an override")]
    Override {
        /// What they advise.
        advice: Advice,
    },
    /// No reason was given.
    #[error("a {what} needs a reason")]
    NoReason {
        /// What needs it.
        what: &'static str,
    },
    /// The same person cannot count twice.
    #[error("{person} said go already, and it takes {min} persons")]
    Again {
        /// The name.
        person: String,
        /// How many it takes.
        min: u32,
    },
    /// The plan names no hook that puts the target back.
    #[error("the plan has no `restore` in `[snapshot]`, so no way leads back")]
    NoWayBack,
    /// Nothing leads back from there.
    #[error("stage `{stage}` has begun, and the plan says that nothing leads back from it")]
    NoReturn {
        /// The stage.
        stage: StageName,
    },
    /// The run is not where one can go back.
    #[error("the run is {state}: there is nothing to go back from")]
    NotBack {
        /// Where it stands.
        state: RunState,
    },
    /// Nobody, or not enough, decided to go back.
    #[error("going back takes {min} who decide it, and {said} have")]
    Unapproved {
        /// How many decided.
        said: usize,
        /// How many it takes.
        min: u32,
    },
}

/// Weighs a wish: the decision to keep, and whether it moves the gate (a go moves it when it is the last that was missing).
pub fn weigh(
    wish: &Wish<'_>,
    gate: &Gate,
    people: &[Person],
    standing: &Standing,
) -> Result<(Decision, bool), Refusal> {
    let person = people
        .iter()
        .find(|person| person.name == wish.person)
        .ok_or_else(|| Refusal::Unknown { person: wish.person.to_owned() })?;
    may_decide(person, &gate.approvers, wish.verb, standing)?;
    let reason = !wish.note.trim().is_empty();
    let nothing = GateStanding::default();
    let at = standing.gates.get(&gate.before).unwrap_or(&nothing);
    if wish.plan != standing.plan {
        return Err(Refusal::PlanChanged);
    }
    let evidence = match &at.evidence {
        Some(evidence) if at.state.is_decidable() => evidence,
        // A go may be taken back until the stage behind the gate has begun.
        Some(evidence) if wish.verb != Verb::Go && at.state == GateState::Go => evidence,
        Some(_) | None => return Err(Refusal::NotDecidable { state: at.state }),
    };
    if let Some(seen) = wish.evidence.filter(|seen| !evidence.digest.starts_with(seen) || seen.len() < 8) {
        return Err(Refusal::EvidenceChanged { seen: seen.to_owned(), now: evidence.digest.clone() });
    }
    let decision = |overrides| Decision {
        verb: wish.verb,
        person: wish.person.to_owned(),
        plan: standing.plan.clone(),
        evidence: evidence.digest.clone(),
        overrides,
    };
    match wish.verb {
        Verb::NoGo if !reason => Err(Refusal::NoReason { what: "no-go" }),
        Verb::Hold if !reason => Err(Refusal::NoReason { what: "hold" }),
        Verb::NoGo | Verb::Hold => Ok((decision(false), true)),
        Verb::Go => {
            let seconds = |micros: Micros| micros / 1_000_000;
            let good = Micros::try_from(gate.fresh_for.as_micros()).unwrap_or(Micros::MAX);
            let age = wish.now.saturating_sub(at.evaluated_at);
            if age > good {
                return Err(Refusal::EvidenceOld { age_s: seconds(age), good_s: seconds(good) });
            }
            let advice = evidence.advice();
            let overrides = advice != Advice::Go;
            if overrides {
                if !wish.overrides {
                    return Err(Refusal::Override { advice });
                }
                if !person.roles.contains(&gate.override_role) {
                    return Err(Refusal::Role {
                        person: person.name.clone(),
                        role: gate.override_role.clone(),
                    });
                }
                if !reason {
                    return Err(Refusal::NoReason { what: "go against the checks" });
                }
            }
            let said = at.goes(&evidence.digest, &standing.plan);
            if said.contains(&wish.person) {
                return Err(Refusal::Again { person: person.name.clone(), min: gate.approvers.min });
            }
            let enough = said.len() + 1 >= usize::try_from(gate.approvers.min).unwrap_or(usize::MAX);
            Ok((decision(overrides), enough))
        }
    }
}

fn may_decide(
    person: &Person,
    approvers: &Approvers,
    verb: Verb,
    standing: &Standing,
) -> Result<(), Refusal> {
    if !person.roles.contains(&approvers.role) {
        return Err(Refusal::Role { person: person.name.clone(), role: approvers.role.clone() });
    }
    // Anybody with the role may stop; only opening takes a second pair of eyes. A rehearsal has none to spare.
    let starter = verb == Verb::Go
        && approvers.not_the_starter
        && standing.kind != Some(RunKind::Rehearsal)
        && standing.started_by.as_deref() == Some(person.name.as_str());
    if starter { Err(Refusal::Starter { person: person.name.clone() }) } else { Ok(()) }
}
