//! The controller: the one process that walks a run's stages. It does one thing at a time, and notes it before the next.

mod carry;
mod entry;
mod lease;
mod opening;
mod rollback;
mod stage;
mod watch;
mod wave;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::plan::{Plan, Stage};
use haulier_core::stage::{Fact, RunEvent, RunKind, RunState, StageEvent, Standing};
use haulier_core::{ProcessId, StageName, TenantKey};
use tokio_util::sync::CancellationToken;

pub use lease::LEASE;

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
    /// Puts the target back, as people decided, and walks nothing.
    pub roll_back: bool,
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
    /// The target was put back.
    RolledBack,
    /// It could not be put back, and why.
    RollbackFailed(String),
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
            RunState::Paused => Ok(Step::Wait),
            RunState::RollingBack => self.roll_back(standing).await,
            RunState::RollbackFailed => {
                Ok(Step::End(Ending::RollbackFailed(standing.reasons.last().cloned().unwrap_or_default())))
            }
            RunState::AwaitingDecision => self.at_gate(standing).await,
            RunState::AwaitingWindow => self.at_window(standing).await,
            RunState::Aborting => self.abort(standing).await,
            RunState::Completed => {
                self.hands.finish().await?;
                Ok(Step::End(Ending::Completed))
            }
            RunState::RolledBack => {
                self.hands.finish().await?;
                Ok(Step::End(Ending::RolledBack))
            }
            RunState::Aborted | RunState::Cancelled | RunState::ClosedFailed => {
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
