//! Where everything of a run stands: its history, folded.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Approval, Decision, Entry, Evidence, Fact, GateEvent, GateState, HookEvent, ROLLBACK, RunEvent, RunKind,
    RunState, StageEvent, StageState, TenantState, Unlawful, Verb,
};
use crate::port::Micros;
use crate::{StageName, TenantKey};

/// Where a stage stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageStanding {
    /// Its state.
    pub state: StageState,
    /// How often it was entered.
    pub attempt: u32,
    /// Since when it is in that state.
    pub since: Micros,
    /// When it was entered first.
    pub entered_at: Option<Micros>,
    /// Why it is in that state, where somebody or something said so.
    pub note: Option<String>,
    /// Parts of it that are done.
    pub parts: BTreeSet<String>,
}

impl Default for StageStanding {
    fn default() -> Self {
        Self {
            state: StageState::Pending,
            attempt: 0,
            since: 0,
            entered_at: None,
            note: None,
            parts: BTreeSet::new(),
        }
    }
}

/// Where a gate stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateStanding {
    /// Its state.
    pub state: GateState,
    /// Since when.
    pub since: Micros,
    /// When its checks answered last.
    pub evaluated_at: Micros,
    /// What they answered.
    pub evidence: Option<Evidence>,
    /// What people decided, oldest first, with when and why.
    pub decisions: Vec<(Decision, Micros, Option<String>)>,
    /// How many of them were there when the checks answered last: those do not count any more.
    pub counted_from: usize,
}

impl Default for GateStanding {
    fn default() -> Self {
        Self {
            state: GateState::Closed,
            since: 0,
            evaluated_at: 0,
            evidence: None,
            decisions: Vec::new(),
            counted_from: 0,
        }
    }
}

impl GateStanding {
    /// Who said go on this evidence and plan, since the checks answered and since the last no-go or hold.
    #[must_use]
    pub fn goes(&self, evidence: &str, plan: &str) -> BTreeSet<&str> {
        let mut said = BTreeSet::new();
        for (decision, _, _) in self.decisions.iter().skip(self.counted_from) {
            match decision.verb {
                Verb::Go if decision.evidence == evidence && decision.plan == plan => {
                    said.insert(decision.person.as_str());
                }
                Verb::Go => {}
                Verb::NoGo | Verb::Hold => said.clear(),
            }
        }
        said
    }

    /// Why the go that opened it does not hold any more, if it does not.
    #[must_use]
    pub fn stale(&self, plan: &str, expires_after: Micros, now: Micros) -> Option<&'static str> {
        let (decision, at, _) =
            self.decisions.iter().rev().find(|(decision, _, _)| decision.verb == Verb::Go)?;
        if decision.plan != plan {
            return Some("the plan was amended since");
        }
        if self.evidence.as_ref().is_none_or(|evidence| evidence.digest != decision.evidence) {
            return Some("the evidence is another since");
        }
        (now.saturating_sub(*at) > expires_after).then_some("it has expired")
    }
}

/// Where a hook stands in one attempt of its stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HookStanding {
    /// How often it was started.
    pub began: u32,
    /// How its last start ended; `None` while it runs, or when nobody lived to note it.
    pub ended: Option<HookEvent>,
    /// When something of it was noted last.
    pub at: Micros,
}

/// Where everything of a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The version of the last entry.
    pub version: u64,
    /// When the last entry was made.
    pub at: Micros,
    /// The run.
    pub run: RunState,
    /// Since when.
    pub since: Micros,
    /// What it is for; `None` before it was opened.
    pub kind: Option<RunKind>,
    /// Who started it.
    pub started_by: Option<String>,
    /// The revision of the plan, from 1.
    pub revision: u32,
    /// The digest of that revision.
    pub plan: String,
    /// Why it is paused, or why it could not be rolled back.
    pub reasons: Vec<String>,
    /// The stages that have moved.
    pub stages: BTreeMap<StageName, StageStanding>,
    /// The gates that have moved.
    pub gates: BTreeMap<StageName, GateStanding>,
    /// The tenants that have moved.
    pub tenants: BTreeMap<TenantKey, TenantState>,
    /// Who decided to put the target back, as the run stands.
    pub approved: Vec<Approval>,
    /// How often that was begun.
    pub rollbacks: u32,
    /// The hooks that were started: by stage, its attempt, and hook.
    pub hooks: BTreeMap<(StageName, u32, String), HookStanding>,
    /// What neighbours looked like when they were looked at last.
    pub fingerprints: BTreeMap<String, String>,
    /// The last of everything else, by kind and subject.
    pub marks: BTreeMap<(String, String), Mark>,
}

/// The last that was said of a thing with states of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What happened.
    pub word: String,
    /// All else there is to say.
    pub data: String,
    /// When.
    pub at: Micros,
    /// Why, or what was seen.
    pub note: Option<String>,
}

/// An entry that cannot follow on those before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misstep {
    /// The thing has no such way from where it stands.
    #[error(transparent)]
    Unlawful(#[from] Unlawful),
    /// The entries are not numbered without a gap.
    #[error("entry {found} follows on entry {last}")]
    Gap {
        /// The last one.
        last: u64,
        /// The one that follows.
        found: u64,
    },
    /// The target is put back by nothing but a decision.
    #[error("the run is rolled back without a decision")]
    Unapproved,
    /// A gate is opened by nothing but a decision.
    #[error("the gate before `{0}` was opened without a decision")]
    Undecided(StageName),
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            version: 0,
            at: 0,
            run: RunState::Scheduled,
            since: 0,
            kind: None,
            started_by: None,
            revision: 0,
            plan: String::new(),
            reasons: Vec::new(),
            stages: BTreeMap::new(),
            gates: BTreeMap::new(),
            tenants: BTreeMap::new(),
            approved: Vec::new(),
            rollbacks: 0,
            hooks: BTreeMap::new(),
            fingerprints: BTreeMap::new(),
            marks: BTreeMap::new(),
        }
    }
}

impl Standing {
    /// Folds a history.
    pub fn of(entries: &[Entry]) -> Result<Self, Misstep> {
        let mut standing = Self::default();
        for entry in entries {
            standing.apply(entry)?;
        }
        Ok(standing)
    }

    /// Takes one more entry, or says why it cannot follow. After an error nothing has changed.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Misstep> {
        if entry.version != self.version + 1 {
            return Err(Misstep::Gap { last: self.version, found: entry.version });
        }
        match &entry.fact {
            Fact::Opened(kind, person) => {
                self.kind = Some(*kind);
                self.started_by = Some(person.clone());
            }
            Fact::Plan(revision, digest) => {
                self.revision = *revision;
                self.plan.clone_from(digest);
            }
            Fact::Run(event) => {
                self.run_moves(*event, entry)?;
            }
            Fact::Stage(name, event) => self.stage_moves(name, *event, entry)?,
            Fact::Gate(name, event) => self.gate_moves(name, *event, entry)?,
            Fact::Evidence(name, evidence) => {
                let gate = self.gates.entry(name.clone()).or_default();
                gate.evidence = Some(evidence.clone());
                gate.evaluated_at = entry.at;
                gate.counted_from = gate.decisions.len();
            }
            Fact::Decision(name, decision) => {
                let gate = self.gates.entry(name.clone()).or_default();
                gate.decisions.push((decision.clone(), entry.at, entry.note.clone()));
            }
            Fact::Approval(approval) => self.approved.push(approval.clone()),
            Fact::Tenant(tenant, event) => {
                let state = self.tenant(tenant).next(*event)?;
                self.tenants.insert(tenant.clone(), state);
            }
            Fact::Hook(stage, hook, event) => {
                let attempt = self.attempt(stage);
                let at = self.hooks.entry((stage.clone(), attempt, hook.clone())).or_default();
                at.at = entry.at;
                match event {
                    HookEvent::Began => (at.began, at.ended) = (at.began + 1, None),
                    HookEvent::Done | HookEvent::Failed => at.ended = Some(*event),
                }
            }
            Fact::Part(stage, part) => {
                self.stages.entry(stage.clone()).or_default().parts.insert(part.clone());
            }
            Fact::Fingerprint(of, print) => {
                self.fingerprints.insert(of.clone(), print.clone());
            }
            Fact::Other { kind, subject, word, data } => {
                let mark =
                    Mark { word: word.clone(), data: data.clone(), at: entry.at, note: entry.note.clone() };
                self.marks.insert((kind.clone(), subject.clone()), mark);
            }
        }
        (self.version, self.at) = (entry.version, entry.at);
        Ok(())
    }

    /// A stage; pending where nothing happened to it.
    #[must_use]
    pub fn stage(&self, name: &StageName) -> StageStanding {
        self.stages.get(name).cloned().unwrap_or_default()
    }

    /// A gate; closed where nothing happened to it.
    #[must_use]
    pub fn gate(&self, before: &StageName) -> GateStanding {
        self.gates.get(before).cloned().unwrap_or_default()
    }

    /// A tenant; pending where nothing happened to it.
    #[must_use]
    pub fn tenant(&self, tenant: &TenantKey) -> TenantState {
        self.tenants.get(tenant).copied().unwrap_or(TenantState::Pending)
    }

    /// The hook in the attempt that its stage is in.
    #[must_use]
    pub fn hook(&self, stage: &StageName, hook: &str) -> HookStanding {
        let attempt = self.attempt(stage);
        self.hooks.get(&(stage.clone(), attempt, hook.to_owned())).cloned().unwrap_or_default()
    }

    /// Who decided to put the target back, on this plan and as the run stands.
    #[must_use]
    pub fn approvals(&self) -> BTreeSet<&str> {
        let on_this = self.approved.iter().filter(|approval| approval.plan == self.plan);
        on_this.map(|approval| approval.person.as_str()).collect()
    }

    /// How often a stage was entered; of the way back, how often it was begun.
    fn attempt(&self, stage: &StageName) -> u32 {
        if stage.as_str() == ROLLBACK { self.rollbacks } else { self.stage(stage).attempt }
    }

    fn run_moves(&mut self, event: RunEvent, entry: &Entry) -> Result<(), Misstep> {
        let to = self.run.next(event)?;
        if event == RunEvent::RollBack {
            if self.approvals().is_empty() {
                return Err(Misstep::Unapproved);
            }
            self.rollbacks += 1;
        }
        // What was decided of the run as it stood says nothing of one that goes on.
        if matches!(to, RunState::Running | RunState::RollingBack) && event != RunEvent::TakeUp {
            self.approved.clear();
        }
        self.reason(to, entry);
        (self.run, self.since) = (to, entry.at);
        Ok(())
    }

    fn reason(&mut self, to: RunState, entry: &Entry) {
        match to {
            RunState::Pausing | RunState::Paused => self.reasons.extend(entry.note.clone()),
            RunState::Interrupted(_) => {}
            RunState::Scheduled
            | RunState::AwaitingWindow
            | RunState::Running
            | RunState::AwaitingDecision
            | RunState::Aborting
            | RunState::Aborted
            | RunState::RollingBack
            | RunState::RolledBack
            | RunState::Completed
            | RunState::Cancelled
            | RunState::ClosedFailed => self.reasons.clear(),
            RunState::RollbackFailed => self.reasons = entry.note.iter().cloned().collect(),
        }
    }

    fn stage_moves(&mut self, name: &StageName, event: StageEvent, entry: &Entry) -> Result<(), Misstep> {
        let state = self.stage(name).state.next(event)?;
        let stage = self.stages.entry(name.clone()).or_default();
        if event == StageEvent::Enter {
            stage.attempt += 1;
            stage.entered_at = stage.entered_at.or(Some(entry.at));
        }
        (stage.state, stage.since) = (state, entry.at);
        stage.note.clone_from(&entry.note);
        Ok(())
    }

    fn gate_moves(&mut self, name: &StageName, event: GateEvent, entry: &Entry) -> Result<(), Misstep> {
        let at = self.gate(name);
        let state = at.state.next(event)?;
        if event == GateEvent::Go {
            // The one way in which a gate opens: a go that is kept, on this plan and on this evidence.
            let evidence = at.evidence.as_ref().map(|evidence| evidence.digest.as_str()).unwrap_or_default();
            if at.goes(evidence, &self.plan).is_empty() {
                return Err(Misstep::Undecided(name.clone()));
            }
        }
        let gate = self.gates.entry(name.clone()).or_default();
        (gate.state, gate.since) = (state, entry.at);
        Ok(())
    }
}
