//! What of a run's history people are told of.

use std::collections::BTreeSet;

use haulier_core::RunId;
use haulier_core::calendar::Calendar;
use haulier_core::notice::{Kind, Subject};
use haulier_core::plan::{Plan, StageKind};
use haulier_core::stage::incident::{CLOSED, INCIDENT, OPENED};
use haulier_core::stage::{Entry, Fact, RunEvent, StageEvent, TenantEvent};
use jiff::Timestamp;

use crate::due::Happened;

/// Reads a run's history. The same entries give the same answer, and more of them only add to it.
///
/// The run begins with its start and is over when it is complete or rolled back; a window begins with the first stage that is
/// entered in it, and is over when all of its stages are; a wave begins with its first tenant in a bulk
/// stage, and is over when the next one begins or that stage passes. What is aborted or rolled back is an incident, as is what people open.
#[must_use]
pub fn happened(run: &RunId, entries: &[Entry], plan: &Plan, calendar: &Calendar) -> Vec<Happened> {
    let roster = calendar.roster();
    let mut found = Vec::new();
    let mut begun: BTreeSet<Subject> = BTreeSet::new();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    // A tenant that only the smoke moves begins no wave.
    let mut in_bulk = false;
    // Waves go one after the other, so the next one's first tenant is the end of the one before.
    let mut wave_now: Option<Subject> = None;
    for entry in entries {
        let mut tell = |kind: Kind, subject: Subject| {
            found.push(Happened {
                id: format!("{run}:{}", entry.version),
                kind,
                subject,
                at: Timestamp::from_microsecond(entry.at).unwrap_or(Timestamp::UNIX_EPOCH),
                reason: entry.note.clone(),
                by: Some(entry.by.clone()),
            });
        };
        match &entry.fact {
            Fact::Run(RunEvent::Start) => tell(Kind::Start, Subject::Run),
            Fact::Run(RunEvent::Complete | RunEvent::RolledBack) => tell(Kind::End, Subject::Run),
            Fact::Run(RunEvent::Abort | RunEvent::RollBack | RunEvent::RollbackFailed) => {
                tell(Kind::Incident, Subject::Run);
            }
            Fact::Stage(name, event) => {
                if plan.stages.stage(name).is_some_and(|stage| stage.kind == StageKind::Bulk) {
                    let passed = matches!(event, StageEvent::Pass | StageEvent::Accept);
                    in_bulk = !passed && *event != StageEvent::Fail;
                    if let Some(over) = wave_now.take_if(|_| passed) {
                        tell(Kind::End, over);
                    }
                }
                let Some(window) = plan.stages.stage(name).and_then(|stage| stage.window.clone()) else {
                    continue;
                };
                let subject = Subject::Window(window.clone());
                if *event == StageEvent::Enter && begun.insert(subject.clone()) {
                    tell(Kind::Start, subject.clone());
                }
                if matches!(event, StageEvent::Pass | StageEvent::Accept | StageEvent::Skip) {
                    done.insert(name.as_str());
                    let mut within =
                        plan.stages.stages.iter().filter(|stage| stage.window.as_ref() == Some(&window));
                    if begun.contains(&subject) && within.all(|stage| done.contains(stage.name.as_str())) {
                        tell(Kind::End, subject);
                    }
                }
            }
            Fact::Tenant(tenant, TenantEvent::Queue | TenantEvent::Begin) if in_bulk => {
                if let Some(wave) = roster.wave_of(tenant.as_str()) {
                    let subject = Subject::Wave(wave.name.clone());
                    if begun.insert(subject.clone()) {
                        if let Some(before) = wave_now.replace(subject.clone()) {
                            tell(Kind::End, before);
                        }
                        tell(Kind::Start, subject);
                    }
                }
            }
            Fact::Other { kind, word, .. } if kind == INCIDENT && word == OPENED => {
                tell(Kind::Incident, Subject::Run);
            }
            Fact::Other { kind, word, .. } if kind == INCIDENT && word == CLOSED => {
                tell(Kind::Resolved, Subject::Run);
            }
            Fact::Run(_)
            | Fact::Opened(..)
            | Fact::Plan(..)
            | Fact::Gate(..)
            | Fact::Evidence(..)
            | Fact::Decision(..)
            | Fact::Approval(_)
            | Fact::Tenant(..)
            | Fact::Hook(..)
            | Fact::Part(..)
            | Fact::Fingerprint(..)
            | Fact::Other { .. } => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use haulier_core::stage::incident::{Incident, Severity};
    use haulier_core::{StageName, TenantKey};

    use super::*;

    const PLAN: &str = r#"
name = "release"
tenant = "account"
tenants = { a = {}, b = {} }
[[window]]
name = "night"
zone = "Europe/Paris"
at = "2026-05-05T22:00/2026-05-06T04:00"
[[wave]]
name = "first"
tenants = ["a", "b"]
[[stage]]
name = "smoke"
kind = "smoke"
tenants = ["a"]
[[stage]]
name = "bulk"
kind = "bulk"
needs = ["smoke"]
waves = ["first"]
window = "night"
[[stage]]
name = "release"
kind = "release"
needs = ["bulk"]
window = "night"
[[gate]]
before = "bulk"
approvers = { role = "approver" }
[people.sam]
roles = ["approver"]
[[entity]]
name = "account"
source = { table = "accounts", key = "id" }
fields = { name = "name" }
push = { shape = "put", path = "/a/{id}", id = "/id" }
"#;

    fn entries() -> Vec<Entry> {
        let stage = |name: &str, event| Fact::Stage(StageName::new(name), event);
        let tenant = |key: &str, event| Fact::Tenant(TenantKey::new(key), event);
        let facts = [
            Fact::Run(RunEvent::Start),
            stage("bulk", StageEvent::Enter),
            tenant("a", TenantEvent::Queue),
            tenant("b", TenantEvent::Queue),
            stage("bulk", StageEvent::Pass),
            // Held and entered again: nobody is told twice.
            stage("release", StageEvent::Enter),
            stage("release", StageEvent::Fail),
            stage("release", StageEvent::Enter),
            stage("release", StageEvent::Pass),
            Fact::Run(RunEvent::Complete),
            Incident::opened("api", Severity::S1),
            Incident::closed("api", Severity::S1),
        ];
        let entry = |(version, fact)| Entry { version, at: 0, by: "sam".to_owned(), note: None, fact };
        (1..).zip(facts).map(entry).collect()
    }

    #[test]
    fn a_history_says_what_began_and_what_is_over() {
        let plan =
            haulier_plan::parse_plan("plan.toml".as_ref(), PLAN).unwrap_or_else(|error| panic!("{error}"));
        let run = RunId::new("r-1");
        let all = happened(&run, &entries(), &plan, &plan.calendar);
        let told: Vec<(String, &str, String)> =
            all.iter().map(|one| (one.id.clone(), one.kind.as_str(), one.subject.to_string())).collect();
        let told: Vec<(&str, &str, &str)> =
            told.iter().map(|(id, kind, of)| (id.as_str(), *kind, of.as_str())).collect();
        assert_eq!(
            told,
            [
                ("r-1:1", "start", "run"),
                ("r-1:2", "start", "window:night"),
                ("r-1:3", "start", "wave:first"),
                ("r-1:5", "end", "wave:first"),
                ("r-1:9", "end", "window:night"),
                ("r-1:10", "end", "run"),
                ("r-1:11", "incident", "run"),
                ("r-1:12", "resolved", "run"),
            ]
        );
        // A history that is read half, as after a crash, only lacks its end.
        for length in 0..all.len() {
            let part = happened(&run, &entries()[..length], &plan, &plan.calendar);
            assert!(all.starts_with(&part), "{length}");
        }
    }
}
