//! Carrying: the legs of a smoke or bulk, a wave each, within windows, under the eyes of whoever may stop it.

use haulier_core::TenantKey;
use haulier_core::calendar::{Calendar, Verdict};
use haulier_core::plan::{Stage, StageKind};
use haulier_core::stage::{Fact, RunEvent, RunState, Standing, TenantEvent, TenantState};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::stage::Done;
use super::{Controller, Facts, Step, TICK};
use crate::{Carried, Carry, Trouble, Whose, Wrote};

/// What the ledger calls a leg that has begun, and one that is done.
const BEGUN: &str = "leg";
const DONE: &str = "done";

/// Who of a wave may begin now.
struct Open {
    tenants: Vec<TenantKey>,
    /// When the first of their windows closes.
    until: Option<Timestamp>,
    /// Why nobody may, and until when.
    shut: Option<String>,
}

impl Controller {
    /// Carries what is left of a stage, leg by leg.
    pub(super) async fn carries(&self, stage: &Stage, standing: &mut Standing) -> Result<Done, Trouble> {
        if stage.waves.is_empty() {
            let tenants = self.tenants_of(stage, standing);
            let whose = if tenants.is_empty() {
                let calendar = self.hands.calendar().await?;
                let excluded = calendar.tenants.iter().filter(|tenant| tenant.excluded.is_some());
                Whose::AllBut(excluded.map(|tenant| tenant.key.clone()).collect())
            } else {
                Whose::Only(tenants.clone())
            };
            // Each attempt walks anew: what was mended since is found.
            let what = format!("attempt {}", standing.stage(&stage.name).attempt);
            if !is_done(stage, &what, standing)
                && let Leg::Later(step) = self.leg(stage, &what, whose, &tenants, None, standing).await?
            {
                return Ok(Done::Later(step));
            }
        }
        for wave in &stage.waves {
            loop {
                let calendar = self.hands.calendar().await?;
                let left = self.left(&calendar, wave, standing);
                if left.is_empty() {
                    break;
                }
                let open = self.open_tenants(&calendar, wave, &left);
                if let Some(why) = open.shut.filter(|_| open.tenants.is_empty()) {
                    let shut = vec![(Fact::Run(RunEvent::WindowShut), Some(why))];
                    return self.keep(standing, shut).await.map(Done::Later);
                }
                let whose = Whose::Only(open.tenants.clone());
                let leg = self.leg(stage, wave, whose, &open.tenants, open.until, standing).await?;
                if let Leg::Later(step) = leg {
                    return Ok(Done::Later(step));
                }
            }
        }
        let dead = self.hands.dead().await?;
        if dead > stage.most_dead {
            return Ok(Done::No(format!(
                "{dead} records are dead, and at most {} may be: `haulier dead list`",
                stage.most_dead
            )));
        }
        Ok(Done::Yes(Some(format!("drained, {dead} records dead"))))
    }

    /// Who of a wave still has to move: those whose leg has begun first.
    fn left(&self, calendar: &Calendar, wave: &str, standing: &Standing) -> Vec<TenantKey> {
        let roster = calendar.roster();
        let all = roster.waves.iter().find(|(found, _)| found.name == wave).map(|(_, tenants)| tenants);
        let keys: Vec<TenantKey> = all.into_iter().flatten().map(|tenant| tenant.key.clone()).collect();
        let of = |wanted: TenantState| -> Vec<TenantKey> {
            keys.iter().filter(|key| standing.tenant(key) == wanted).cloned().collect()
        };
        let begun = of(TenantState::Queued);
        if begun.is_empty() { of(TenantState::Pending) } else { begun }
    }

    fn open_tenants(&self, calendar: &Calendar, wave: &str, left: &[TenantKey]) -> Open {
        let mut open = Open { tenants: Vec::new(), until: None, shut: None };
        let Some(wave) = calendar.wave(wave) else { return open };
        let now = self.desk.clock.now();
        let mut next = None;
        for tenant in left.iter().filter_map(|key| calendar.tenant(key.as_str())) {
            match calendar.may_begin(wave, tenant, now) {
                Verdict::Open { until, .. } => {
                    open.tenants.push(tenant.key.clone());
                    open.until = [open.until, until].into_iter().flatten().min();
                }
                shut @ (Verdict::TooLate { .. } | Verdict::Denied { .. } | Verdict::Shut { .. }) => {
                    next = [next, shut.next()].into_iter().flatten().min();
                }
            }
        }
        let when = next.map_or_else(|| "never again".to_owned(), |at| at.to_string());
        open.shut = Some(format!("{} tenants of wave `{}` may begin {when}", left.len(), wave.name));
        open
    }

    /// Why nobody of the wave in hand may begin; nothing where somebody may.
    pub(super) async fn nobody_may_begin(
        &self,
        stage: &Stage,
        standing: &Standing,
    ) -> Result<Option<String>, Trouble> {
        let calendar = self.hands.calendar().await?;
        for wave in &stage.waves {
            let left = self.left(&calendar, wave, standing);
            if !left.is_empty() {
                let open = self.open_tenants(&calendar, wave, &left);
                return Ok(open.shut.filter(|_| open.tenants.is_empty()));
            }
        }
        Ok(None)
    }

    /// Carries one leg: noted before it begins, and when it is done.
    async fn leg(
        &self,
        stage: &Stage,
        what: &str,
        whose: Whose,
        tenants: &[TenantKey],
        until: Option<Timestamp>,
        standing: &mut Standing,
    ) -> Result<Leg, Trouble> {
        let number = match self.begun(stage, what, standing) {
            Some(number) => number,
            None => {
                let number = 1 + legs(standing);
                let mut facts: Facts =
                    vec![(Fact::Part(stage.name.clone(), format!("{BEGUN} {number} {what}")), None)];
                facts.extend(events(tenants, standing, TenantState::Pending, TenantEvent::Queue));
                if self.desk.write(standing, facts).await? == Wrote::Moved {
                    return Ok(Leg::Later(Step::On));
                }
                number
            }
        };
        let who =
            if tenants.is_empty() { "everybody".to_owned() } else { format!("{} tenants", tenants.len()) };
        self.hands.tell(&format!("stage `{}`, leg {number}: {who}", stage.name));
        let halt = self.stop.child_token();
        let carry = Carry { number, whose, start: stage.start.clone() };
        let carried = {
            let mut carrying = Box::pin(self.hands.carry(carry, &halt));
            let watching = Box::pin(self.watch(standing.version, until, &halt));
            tokio::pin!(watching);
            let mut watched = false;
            loop {
                tokio::select! {
                    carried = &mut carrying => break carried?,
                    _ = &mut watching, if !watched => watched = true,
                }
            }
        };
        match carried {
            Carried::Stopped => {
                self.desk.refresh(standing).await?;
                let now = self.desk.clock.now();
                let closed = until.filter(|until| now >= *until && standing.run == RunState::Running);
                if closed.is_some() && stage.kind == StageKind::Bulk {
                    let why =
                        Some(format!("the window of `{what}` closed; leg {number} goes on in the next"));
                    return self
                        .keep(standing, vec![(Fact::Run(RunEvent::WindowShut), why)])
                        .await
                        .map(Leg::Later);
                }
                Ok(Leg::Later(Step::On))
            }
            Carried::Drained => loop {
                let mut facts: Facts =
                    vec![(Fact::Part(stage.name.clone(), format!("{DONE} {number} {what}")), None)];
                facts.extend(events(tenants, standing, TenantState::Queued, TenantEvent::Moved));
                if self.desk.write(standing, facts).await? == Wrote::Kept {
                    return Ok(Leg::Done);
                }
            },
        }
    }

    /// The number of a leg of this kind that has begun and is not done.
    fn begun(&self, stage: &Stage, what: &str, standing: &Standing) -> Option<u32> {
        let parts = standing.stage(&stage.name).parts;
        parts.iter().find_map(|part| {
            let (number, of) = part.strip_prefix(BEGUN)?.trim_start().split_once(' ')?;
            let open = of == what && !parts.contains(&format!("{DONE} {number} {what}"));
            open.then(|| number.parse().ok()).flatten()
        })
    }

    /// Stops what is carried when somebody aborts or pauses the run, or its window closes.
    async fn watch(&self, version: u64, until: Option<Timestamp>, halt: &CancellationToken) {
        loop {
            tokio::time::sleep(TICK).await;
            if until.is_some_and(|until| self.desk.clock.now() >= until) {
                return halt.cancel();
            }
            let stops = |fact: &Fact| matches!(fact, Fact::Run(RunEvent::Abort | RunEvent::Pause));
            match self.desk.log.entries(&self.desk.run, version).await {
                Ok(entries) if entries.iter().any(|entry| stops(&entry.fact)) => return halt.cancel(),
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the stage log does not answer"),
            }
        }
    }
}

/// How a leg ended.
enum Leg {
    /// Everything is accounted for.
    Done,
    /// Not now.
    Later(Step),
}

/// Whether a leg of this kind is done.
fn is_done(stage: &Stage, what: &str, standing: &Standing) -> bool {
    let parts = standing.stage(&stage.name).parts;
    parts.iter().any(|part| {
        let rest = part.strip_prefix(DONE).and_then(|rest| rest.trim_start().split_once(' '));
        rest.is_some_and(|(_, of)| of == what)
    })
}

/// How many legs the run has had.
fn legs(standing: &Standing) -> u32 {
    let parts = standing.stages.values().flat_map(|stage| &stage.parts);
    u32::try_from(parts.filter(|part| part.starts_with(BEGUN)).count()).unwrap_or(u32::MAX)
}

fn events(
    tenants: &[TenantKey],
    standing: &Standing,
    in_state: TenantState,
    event: TenantEvent,
) -> Vec<(Fact, Option<String>)> {
    let wanted = tenants.iter().filter(|tenant| standing.tenant(tenant) == in_state);
    wanted.map(|tenant| (Fact::Tenant(tenant.clone(), event), None)).collect()
}
