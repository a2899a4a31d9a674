//! What lets a stage begin: the stages that it needs, its gate, and its window.

use std::time::Duration;

use haulier_core::plan::{OnTimeout, Stage};
use haulier_core::stage::{
    CheckResult, Fact, GateEvent, GateState, RunEvent, Severity, StageEvent, StageState, Standing, none_open,
};

use super::{Controller, Ending, Facts, Step};
use crate::Trouble;
use crate::gate::{by_itself, closed, evaluate};

impl Controller {
    pub(super) async fn go_on(&self, standing: &mut Standing) -> Result<Step, Trouble> {
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
        self.shut_for(stage, stage.expect.unwrap_or_default()).await
    }

    /// Why the window of a stage does not let work of that length begin now.
    pub(super) async fn shut_for(&self, stage: &Stage, needs: Duration) -> Result<Option<String>, Trouble> {
        let Some(name) = &stage.window else { return Ok(None) };
        let calendar = self.hands.calendar().await?;
        let Some(window) = calendar.window(name) else { return Ok(None) };
        let verdict = calendar.verdict(&[window], None, self.desk.clock.now(), needs);
        if verdict.is_open() {
            return Ok(None);
        }
        let next = verdict.next().map_or_else(|| "never".to_owned(), |at| at.to_string());
        Ok(Some(format!("stage `{}` waits for its window `{name}`, which opens {next}", stage.name)))
    }

    pub(super) async fn at_window(&self, standing: &mut Standing) -> Result<Step, Trouble> {
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
    pub(super) async fn at_gate(&self, standing: &mut Standing) -> Result<Step, Trouble> {
        let gate = self.next(standing).and_then(|stage| self.plan.stages.gate(&stage.name));
        let Some(gate) = gate else {
            return self.keep(standing, vec![(Fact::Run(RunEvent::GateOpened), None)]).await;
        };
        let (name, at, now) = (&gate.before, standing.gate(&gate.before), self.desk.clock.micros());
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        match at.state {
            GateState::Go => {
                if let (CheckResult::Fail, said) = none_open(standing, Severity::S1) {
                    return self
                        .keep(standing, vec![(Fact::Gate(name.clone(), GateEvent::Expire), Some(said))])
                        .await;
                }
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
}
