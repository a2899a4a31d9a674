//! One entry of a run's history, and the words in which the ledger keeps it.

use super::words::words;
use super::{
    Advice, Approval, CheckResult, Decision, Finding, GateEvent, ROLLBACK, RunEvent, StageEvent, TenantEvent,
    Verb, Weight, advice,
};
use crate::port::Micros;
use crate::{StageName, TenantKey};

words! {
    /// What a run is for.
    RunKind {
        /// The real thing.
        Production = "production",
        /// The same on a rehearsal site: one person may open gates.
        Rehearsal = "rehearsal",
        /// A rehearsal in which parts are killed.
        Drill = "drill",
    }
}

words! {
    /// What happens to a hook.
    HookEvent {
        /// It is about to be started: noted first, so that what it switches on is known before it is on.
        Began = "began",
        /// It ended well.
        Done = "done",
        /// It ended badly, or took too long.
        Failed = "failed",
    }
}

/// What the checks of a gate answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Digest of the findings, lower-case hex; what a decision is bound to.
    pub digest: String,
    /// The findings.
    pub findings: Vec<Finding>,
}

impl Evidence {
    /// What they advise.
    #[must_use]
    pub fn advice(&self) -> Advice {
        advice(&self.findings)
    }

    /// The findings as lines, from which the digest is made.
    #[must_use]
    pub fn text(findings: &[Finding]) -> String {
        let line = |finding: &Finding| {
            [
                finding.weight.as_str(),
                plain(&finding.check).as_str(),
                finding.result.as_str(),
                plain(&finding.saw).as_str(),
            ]
            .join("\t")
        };
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    fn read(text: &str) -> Option<Vec<Finding>> {
        let line = |line: &str| {
            let mut cells = line.splitn(4, '\t');
            Some(Finding {
                weight: Weight::named(cells.next()?)?,
                check: cells.next()?.to_owned(),
                result: CheckResult::named(cells.next()?)?,
                saw: cells.next()?.to_owned(),
            })
        };
        text.lines().map(line).collect()
    }
}

/// A text that stays in its cell.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A run of this kind was opened by this person.
    Opened(RunKind, String),
    /// The run walks this revision of the plan, with this digest, from now on.
    Plan(u32, String),
    /// The run moved.
    Run(RunEvent),
    /// A stage moved.
    Stage(StageName, StageEvent),
    /// A gate moved.
    Gate(StageName, GateEvent),
    /// The checks of a gate answered.
    Evidence(StageName, Evidence),
    /// A person decided at a gate.
    Decision(StageName, Decision),
    /// A person decided to put the target back.
    Approval(Approval),
    /// A tenant moved.
    Tenant(TenantKey, TenantEvent),
    /// A hook of a stage: its name, and what happened.
    Hook(StageName, String, HookEvent),
    /// A part of a stage is done and need not be done again: a wave, a level of validation.
    Part(StageName, String),
    /// What a neighbour looked like: its name, and its fingerprint.
    Fingerprint(String, String),
    /// A notice, or any other thing with states of its own: the kind, the name, and the word for what happened.
    Other {
        /// Such as `notice`; none of the words that the ledger uses for the facts above.
        kind: String,
        /// Which one.
        subject: String,
        /// What happened.
        word: String,
        /// All else there is to say.
        data: String,
    },
}

/// One entry, never altered once it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Grows by one with every entry of the run.
    pub version: u64,
    /// When.
    pub at: Micros,
    /// Who, as user and host.
    pub by: String,
    /// Why, or what was seen.
    pub note: Option<String>,
    /// What.
    pub fact: Fact,
}

impl Fact {
    /// The ledger's words: kind, subject, word, data.
    #[must_use]
    pub fn words(&self) -> [String; 4] {
        let of = |kind: &str, subject: &str, word: &str, data: String| {
            [kind.to_owned(), subject.to_owned(), word.to_owned(), data]
        };
        match self {
            Self::Opened(kind, person) => of("opened", person, kind.as_str(), String::new()),
            Self::Plan(revision, digest) => of("plan", &revision.to_string(), digest, String::new()),
            Self::Run(event) => of("run", "", event.as_str(), String::new()),
            Self::Stage(stage, event) => of("stage", stage.as_str(), event.as_str(), String::new()),
            Self::Gate(gate, event) => of("gate", gate.as_str(), event.as_str(), String::new()),
            Self::Evidence(gate, evidence) => {
                of("evidence", gate.as_str(), &evidence.digest, Evidence::text(&evidence.findings))
            }
            Self::Decision(gate, decision) => {
                let how = if decision.overrides { "override" } else { "as-advised" };
                let data = [
                    plain(&decision.person).as_str(),
                    decision.plan.as_str(),
                    decision.evidence.as_str(),
                    how,
                ]
                .join("\t");
                of("decision", gate.as_str(), decision.verb.as_str(), data)
            }
            Self::Approval(approval) => {
                let data = [plain(&approval.person).as_str(), approval.plan.as_str()].join("\t");
                of("approval", ROLLBACK, "given", data)
            }
            Self::Tenant(tenant, event) => of("tenant", tenant.as_str(), event.as_str(), String::new()),
            Self::Hook(stage, hook, event) => of("hook", stage.as_str(), event.as_str(), hook.clone()),
            Self::Part(stage, part) => of("part", stage.as_str(), "done", part.clone()),
            Self::Fingerprint(of_what, print) => of("fingerprint", of_what, print, String::new()),
            Self::Other { kind, subject, word, data } => of(kind, subject, word, data.clone()),
        }
    }

    /// Back from the ledger's words; `None` for words that make no sense.
    #[must_use]
    pub fn from_words([kind, subject, word, data]: [&str; 4]) -> Option<Self> {
        let stage = || StageName::new(subject);
        Some(match kind {
            "opened" => Self::Opened(RunKind::named(word)?, subject.to_owned()),
            "plan" => Self::Plan(subject.parse().ok()?, word.to_owned()),
            "run" => Self::Run(RunEvent::named(word)?),
            "stage" => Self::Stage(stage(), StageEvent::named(word)?),
            "gate" => Self::Gate(stage(), GateEvent::named(word)?),
            "evidence" => {
                let findings = Evidence::read(data)?;
                Self::Evidence(stage(), Evidence { digest: word.to_owned(), findings })
            }
            "decision" => {
                let mut cells = data.split('\t').map(str::to_owned);
                let decision = Decision {
                    verb: Verb::named(word)?,
                    person: cells.next()?,
                    plan: cells.next()?,
                    evidence: cells.next()?,
                    overrides: cells.next()? == "override",
                };
                Self::Decision(stage(), decision)
            }
            "approval" => {
                let (person, plan) = data.split_once('\t')?;
                Self::Approval(Approval { person: person.to_owned(), plan: plan.to_owned() })
            }
            "tenant" => Self::Tenant(TenantKey::new(subject), TenantEvent::named(word)?),
            "hook" => Self::Hook(stage(), data.to_owned(), HookEvent::named(word)?),
            "part" => Self::Part(stage(), data.to_owned()),
            "fingerprint" => Self::Fingerprint(subject.to_owned(), word.to_owned()),
            _ => Self::Other {
                kind: kind.to_owned(),
                subject: subject.to_owned(),
                word: word.to_owned(),
                data: data.to_owned(),
            },
        })
    }
}
