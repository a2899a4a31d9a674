//! The controller: the one process that walks a run's stages. It does one thing at a time, and notes it before the next.

mod carry;
mod lease;
mod stage;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::plan::{OnTimeout, Plan, Stage, StageKind};
use haulier_core::stage::{
    Fact, GateEvent, GateState, Live, RunEvent, RunKind, RunState, StageEvent, StageState, Standing,
    TenantEvent,
};
use haulier_core::{ProcessId, StageName, TenantKey};
use tokio_util::sync::CancellationToken;

pub use lease::LEASE;

use crate::gate::{by_itself, closed, evaluate};
use crate::{Desk, Hands, Trouble, Wrote};

/// How often is looked for what others decided.
const TICK: Duration = Duration::from_millis(250);

/// Facts to keep together, each with why.
type Facts = Vec<(Fact, Option<String>)>;

/// What the operator asks of a controller.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Goes no further than the end of this stage.
    pub until: Option<StageName>,
    /// Ends at a closed gate or window instead of waiting there.
    pub no_wait: bool,
    /// Optional stages that are not skipped this time.
    pub with: BTreeSet<StageName>,
    /// Takes up an interrupted run.
    pub resume: bool,
    /// Goes on although a neighbour looks other than before.
    pub accept_drift: bool,
    /// The tenants of the smoke, instead of those of the plan.
    pub smoke: Vec<TenantKey>,
    /// Tenants that an earlier run accepted; a new run does not move them again.
    pub accepted: Vec<TenantKey>,
}

/// Walks one run.
#[derive(Debug)]
pub struct Controller {
    /// The run's history.
    pub desk: Desk,
    /// What others do.
    pub hands: Arc<dyn Hands>,
    /// The plan, whose digest is that of the run.
    pub plan: Arc<Plan>,
    /// The folder of the plan, beside which hooks are.
    pub folder: PathBuf,
    /// This process.
    pub process: ProcessId,
    /// Who starts the run, by the name in the plan's people or of the account.
    pub person: String,
    /// What for.
    pub kind: RunKind,
    /// What the operator asks.
    pub options: Options,
    /// Leaves the run: what is in flight ends, and the run is interrupted.
    pub stop: CancellationToken,
}

/// How a controller ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every stage is done.
    Completed,
    /// Somebody aborted it.
    Aborted,
    /// The stage that it should go to is done.
    Reached(StageName),
    /// A gate waits for a decision.
    AtGate(StageName),
    /// A window is shut.
    AtWindow(String),
    /// It is paused, for these reasons.
    Paused(Vec<String>),
    /// The operator stopped the controller.
    Stopped,
}

/// What one look at the standing came to.
enum Step {
    /// Something was done: look again.
    On,
    /// Nothing can be done now: wait a little.
    Wait,
    /// The end.
    End(Ending),
}

impl Controller {
    /// Walks until the run ends, waits where it may not, or the stop comes. Takes the lease first, and gives it back.
    pub async fn run(self) -> Result<Ending, Trouble> {
        let lease = lease::take(&self).await?;
        let walked = tokio::select! {
            walked = self.walk(&lease.lost) => walked,
            () = lease.lost.cancelled() => Err(Trouble::Lost(self.desk.run.to_string())),
        };
        lease.give_back(&self).await;
        walked
    }

    async fn walk(&self, lost: &CancellationToken) -> Result<Ending, Trouble> {
        let mut standing = self.desk.standing().await?;
        self.open(&mut standing).await?;
        if let Some(paused) = self.check_drift(&mut standing).await? {
            self.hands.tell(&paused);
        }
        let mut told = None;
        loop {
            if lost.is_cancelled() {
                return Err(Trouble::Lost(self.desk.run.to_string()));
            }
            if self.stop.is_cancelled() && standing.run.live().is_some() {
                let why = Some(format!("the controller {} left", self.process));
                self.desk.write(&mut standing, vec![(Fact::Run(RunEvent::Interrupt), why)]).await?;
                return Ok(Ending::Stopped);
            }
            self.desk.refresh(&mut standing).await?;
            if standing.plan != self.plan.digest && standing.run.live().is_some() {
                let why = "the plan was amended: `haulier run --resume` walks the new revision";
                self.hands.tell(why);
                let facts = vec![(Fact::Run(RunEvent::Interrupt), Some(why.to_owned()))];
                if self.desk.write(&mut standing, facts).await? == Wrote::Kept {
                    return Ok(Ending::Stopped);
                }
                continue;
            }
            match Box::pin(self.step(&mut standing)).await? {
                Step::On => {}
                Step::End(ending) => return Ok(ending),
                Step::Wait => {
                    let at = (standing.run, standing.version);
                    if told != Some(at) {
                        self.hands.tell(&self.waits(&standing));
                        told = Some(at);
                    }
                    tokio::select! {
                        () = tokio::time::sleep(TICK) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
            }
        }
    }

    /// Opens the history of a new run, or takes up that of an old one.
    async fn open(&self, standing: &mut Standing) -> Result<(), Trouble> {
        loop {
            let mut facts: Facts = Vec::new();
            if standing.version == 0 {
                facts.push((Fact::Opened(self.kind, self.person.clone()), None));
                facts.push((Fact::Plan(1, self.plan.digest.clone()), None));
                facts.extend(self.chosen());
                facts.extend(self.accepted());
            } else if standing.plan != self.plan.digest {
                return Err(Trouble::Told(format!(
                    "run {} walks another version of the plan: put it back, or `haulier plan amend --reason TEXT`",
                    self.desk.run
                )));
            }
            if standing.run.is_live() {
                if !self.options.resume {
                    return Err(Trouble::Told(format!(
                        "run {} is {} and has no controller: `haulier run --resume` takes it up, `haulier abort` ends it",
                        self.desk.run, standing.run
                    )));
                }
                if standing.run.live().is_some() {
                    let why = "its controller died without a word".to_owned();
                    facts.push((Fact::Run(RunEvent::Interrupt), Some(why)));
                }
                facts.push((Fact::Run(RunEvent::TakeUp), Some(format!("resumed by {}", self.person))));
                // Taking up is also what lets a pause go on: a person asked for it.
                let paused = matches!(standing.run, RunState::Paused | RunState::Interrupted(Live::Paused));
                if paused {
                    facts.push((Fact::Run(RunEvent::Resume), Some(format!("resumed by {}", self.person))));
                }
            }
            if facts.is_empty() || self.desk.write(standing, facts).await? == Wrote::Kept {
                return Ok(());
            }
        }
    }

    /// The tenants that the operator chose for the smoke, kept once for the whole run.
    fn chosen(&self) -> Option<(Fact, Option<String>)> {
        let smoke = self.plan.stages.of_kind(StageKind::Smoke).filter(|_| !self.options.smoke.is_empty())?;
        let keys: Vec<&str> = self.options.smoke.iter().map(TenantKey::as_str).collect();
        let fact = Fact::Other {
            kind: "tenants".to_owned(),
            subject: smoke.name.to_string(),
            word: "chosen".to_owned(),
            data: keys.join("\n"),
        };
        Some((fact, Some(format!("chosen by {}", self.person))))
    }

    /// What an earlier run accepted, as this one takes it over.
    fn accepted(&self) -> Facts {
        use TenantEvent::{Accept, Moved, Queue, Validate};
        let taken = Some("accepted by the run that this one continues".to_owned());
        let of = |tenant: &TenantKey| {
            let (tenant, taken) = (tenant.clone(), taken.clone());
            [Queue, Moved, Validate, Accept].map(|event| (Fact::Tenant(tenant.clone(), event), taken.clone()))
        };
        self.options.accepted.iter().flat_map(of).collect()
    }

    /// Holds the run where a neighbour looks other than it did, unless the operator accepts it. The answer says so.
    async fn check_drift(&self, standing: &mut Standing) -> Result<Option<String>, Trouble> {
        if standing.fingerprints.is_empty() || !matches!(standing.run, RunState::Running) {
            return Ok(None);
        }
        let now = self.hands.fingerprints().await?;
        let other: Vec<&(String, String)> = now
            .iter()
            .filter(|(name, print)| standing.fingerprints.get(name).is_some_and(|was| was != print))
            .collect();
        if other.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = other.iter().map(|(name, _)| name.as_str()).collect();
        let said = format!("drift: {} looks other than at the preflight", names.join(", "));
        if self.options.accept_drift {
            let accepted = Some(format!("accepted by {}", self.person));
            let facts = other
                .iter()
                .map(|(name, print)| (Fact::Fingerprint(name.clone(), print.clone()), accepted.clone()));
            self.desk.write(standing, facts.collect()).await?;
            return Ok(Some(format!("{said}; accepted")));
        }
        let said = format!("{said}; `haulier run --resume --accept-drift` goes on");
        self.desk.write(standing, vec![(Fact::Run(RunEvent::Pause), Some(said.clone()))]).await?;
        Ok(Some(said))
    }

    /// Does the next thing.
    async fn step(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        match standing.run {
            RunState::Scheduled => self.keep(standing, vec![(Fact::Run(RunEvent::Start), None)]).await,
            RunState::Running => self.go_on(standing).await,
            // Nothing is carried between two steps.
            RunState::Pausing => self.keep(standing, vec![(Fact::Run(RunEvent::AtRest), None)]).await,
            RunState::Paused if self.options.no_wait => {
                Ok(Step::End(Ending::Paused(standing.reasons.clone())))
            }
            RunState::Paused | RunState::RollingBack | RunState::RollbackFailed => Ok(Step::Wait),
            RunState::AwaitingDecision => self.at_gate(standing).await,
            RunState::AwaitingWindow => self.at_window(standing).await,
            RunState::Aborting => self.abort(standing).await,
            RunState::Completed => {
                self.hands.finish().await?;
                Ok(Step::End(Ending::Completed))
            }
            RunState::Aborted | RunState::RolledBack | RunState::Cancelled | RunState::ClosedFailed => {
                self.hands.finish().await?;
                Ok(Step::End(Ending::Aborted))
            }
            // Somebody took it from us and left again.
            RunState::Interrupted(_) => Err(Trouble::Lost(self.desk.run.to_string())),
        }
    }

    async fn keep(&self, standing: &mut Standing, facts: Facts) -> Result<Step, Trouble> {
        // Whether it was kept or somebody came between: look again.
        self.desk.write(standing, facts).await.map(|_| Step::On)
    }

    /// The first stage that is not done.
    fn next<'p>(&'p self, standing: &Standing) -> Option<&'p Stage> {
        self.plan.stages.stages.iter().find(|stage| !standing.stage(&stage.name).state.is_done())
    }

    async fn go_on(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        let until = self.options.until.as_ref();
        if let Some(until) = until.filter(|until| standing.stage(until).state.is_done()) {
            let why = Some(format!("it should go no further than `{until}`"));
            self.desk.write(standing, vec![(Fact::Run(RunEvent::Interrupt), why)]).await?;
            return Ok(Step::End(Ending::Reached(until.clone())));
        }
        let Some(stage) = self.next(standing) else { return self.complete(standing).await };
        let at = standing.stage(&stage.name);
        match at.state {
            StageState::Pending | StageState::Failed => self.enter(stage, standing).await,
            StageState::Entering
            | StageState::Running
            | StageState::Draining
            | StageState::Held
            | StageState::Verifying
            | StageState::Inconclusive => self.work(stage, standing).await,
            StageState::Succeeded | StageState::Skipped | StageState::RolledBack | StageState::Cancelled => {
                Err(Trouble::Told(format!("stage `{}` is {}, and the run goes on", stage.name, at.state)))
            }
        }
    }

    async fn enter(&self, stage: &Stage, standing: &mut Standing) -> Result<Step, Trouble> {
        let name = &stage.name;
        if stage.optional && !self.options.with.contains(name) {
            let why = Some("reserved, not used".to_owned());
            return self.keep(standing, vec![(Fact::Stage(name.clone(), StageEvent::Skip), why)]).await;
        }
        if let Some(need) = stage.needs.iter().find(|need| !standing.stage(need).state.is_done()) {
            return self.pause(standing, format!("stage `{name}` needs `{need}`")).await;
        }
        if let Some(gate) = closed(&self.plan, standing, name) {
            if standing.gate(name).state == GateState::Closed {
                evaluate(&self.desk, &*self.hands, gate, standing).await?;
            }
            return self.keep(standing, vec![(Fact::Run(RunEvent::GateReached), None)]).await;
        }
        if let Some(shut) = self.shut(stage).await? {
            return self.keep(standing, vec![(Fact::Run(RunEvent::WindowShut), Some(shut))]).await;
        }
        let mut facts: Facts = Vec::new();
        if self.plan.stages.gate(name).is_some() && standing.gate(name).state == GateState::Go {
            facts.push((Fact::Gate(name.clone(), GateEvent::Pass), None));
        }
        facts.push((Fact::Stage(name.clone(), StageEvent::Enter), None));
        self.hands.tell(&format!("stage `{name}` ({}) begins", stage.kind.as_str()));
        self.keep(standing, facts).await
    }

    /// Why the window of a stage does not let it begin now.
    async fn shut(&self, stage: &Stage) -> Result<Option<String>, Trouble> {
        let Some(name) = &stage.window else { return Ok(None) };
        let calendar = self.hands.calendar().await?;
        let Some(window) = calendar.window(name) else { return Ok(None) };
        let needs = stage.expect.unwrap_or_default();
        let verdict = calendar.verdict(&[window], None, self.desk.clock.now(), needs);
        if verdict.is_open() {
            return Ok(None);
        }
        let next = verdict.next().map_or_else(|| "never".to_owned(), |at| at.to_string());
        Ok(Some(format!("stage `{}` waits for its window `{name}`, which opens {next}", stage.name)))
    }

    async fn at_window(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        let Some(stage) = self.next(standing) else {
            return self.keep(standing, vec![(Fact::Run(RunEvent::WindowOpened), None)]).await;
        };
        let began = standing.stage(&stage.name).state == StageState::Running;
        let shut =
            if began { self.nobody_may_begin(stage, standing).await? } else { self.shut(stage).await? };
        match shut {
            None => self.keep(standing, vec![(Fact::Run(RunEvent::WindowOpened), None)]).await,
            Some(why) if self.options.no_wait => Ok(Step::End(Ending::AtWindow(why))),
            Some(_) => Ok(Step::Wait),
        }
    }

    /// Goes on where a decision opened the gate and still holds.
    async fn at_gate(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        let gate = self.next(standing).and_then(|stage| self.plan.stages.gate(&stage.name));
        let Some(gate) = gate else {
            return self.keep(standing, vec![(Fact::Run(RunEvent::GateOpened), None)]).await;
        };
        let (name, at, now) = (&gate.before, standing.gate(&gate.before), self.desk.clock.micros());
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        match at.state {
            GateState::Go => {
                if let Some(why) = at.stale(&self.plan.digest, micros(gate.expires), now) {
                    let why = Some(why.to_owned());
                    return self
                        .keep(standing, vec![(Fact::Gate(name.clone(), GateEvent::Expire), why)])
                        .await;
                }
                self.hands.tell(&format!("the gate before `{name}` is open"));
                self.keep(standing, vec![(Fact::Run(RunEvent::GateOpened), None)]).await
            }
            GateState::Passed => self.keep(standing, vec![(Fact::Run(RunEvent::GateOpened), None)]).await,
            GateState::Closed | GateState::Evaluating | GateState::Stale => {
                evaluate(&self.desk, &*self.hands, gate, standing).await.map(|_| Step::On)
            }
            GateState::GoAdvised
            | GateState::NoGoAdvised
            | GateState::Inconclusive
            | GateState::NoGo
            | GateState::Hold => {
                if let Some(facts) = by_itself(gate, standing) {
                    return self.keep(standing, facts).await;
                }
                let overdue = gate.due.is_some_and(|due| now.saturating_sub(standing.since) > micros(due));
                let asked = at.state != GateState::NoGo;
                if overdue && asked && gate.on_timeout == OnTimeout::NoGo && at.state != GateState::Hold {
                    let why =
                        Some(format!("nobody decided within {} s", gate.due.unwrap_or_default().as_secs()));
                    return self.keep(standing, vec![(Fact::Gate(name.clone(), GateEvent::NoGo), why)]).await;
                }
                if self.options.no_wait {
                    return Ok(Step::End(Ending::AtGate(name.clone())));
                }
                Ok(Step::Wait)
            }
        }
    }

    async fn complete(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        let open: Vec<&str> = standing
            .tenants
            .iter()
            .filter(|(_, state)| !state.is_settled())
            .map(|(tenant, _)| tenant.as_str())
            .collect();
        if let Some(first) = open.first() {
            let why = format!("{} tenants are neither accepted nor excluded, such as {first}", open.len());
            return self.pause(standing, why).await;
        }
        self.keep(standing, vec![(Fact::Run(RunEvent::Complete), None)]).await
    }

    async fn pause(&self, standing: &mut Standing, why: String) -> Result<Step, Trouble> {
        self.hands.tell(&format!("the run pauses: {why}"));
        self.keep(standing, vec![(Fact::Run(RunEvent::Pause), Some(why))]).await
    }

    /// Everything that is not done is cancelled; what is in flight has ended, since nothing is carried between two steps.
    async fn abort(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        let mut facts: Facts = Vec::new();
        for stage in &self.plan.stages.stages {
            if !standing.stage(&stage.name).state.is_final() {
                facts.push((Fact::Stage(stage.name.clone(), StageEvent::Cancel), None));
            }
        }
        facts.push((Fact::Run(RunEvent::AtRest), None));
        self.keep(standing, facts).await
    }

    /// What a waiting run waits for, and the next thing to type.
    fn waits(&self, standing: &Standing) -> String {
        match (standing.run, self.next(standing)) {
            (RunState::AwaitingDecision, Some(stage)) => {
                let at = standing.gate(&stage.name);
                format!(
                    "the gate before `{0}` is {1}: `haulier gate show {0}`, `haulier gate decide {0} --go --by NAME`",
                    stage.name, at.state
                )
            }
            (RunState::Paused, _) => {
                format!("the run is paused: {}; `haulier resume` goes on", standing.reasons.join("; "))
            }
            (state, _) => format!("the run is {state}"),
        }
    }
}
