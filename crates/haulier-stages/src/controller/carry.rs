//! Carrying: the legs of a smoke or bulk, under the eyes of whoever may stop them.

use haulier_core::TenantKey;
use haulier_core::calendar::AtEnd;
use haulier_core::plan::Stage;
use haulier_core::stage::{Fact, RunEvent, RunState, Standing, TenantEvent, TenantState};

use super::stage::Done;
use super::watch::{End, Guard};
use super::wave::{Bound, tenants_of};
use super::{Controller, Facts, Step};
use crate::{Carried, Carry, Trouble, Whose, Wrote};

/// What the ledger calls a leg that has begun, and one that is done.
const BEGUN: &str = "leg";
const DONE: &str = "done";

/// A leg to carry.
pub(super) struct Load<'p> {
    pub(super) stage: &'p Stage,
    /// What it is a part of: a wave, or an attempt.
    pub(super) what: String,
    pub(super) whose: Whose,
    /// Whose states move with it.
    pub(super) tenants: Vec<TenantKey>,
    /// When it must end.
    pub(super) end: Option<End>,
    /// How many tenants may fail; nothing where nobody counts them while it moves.
    pub(super) bound: Option<Bound>,
}

/// How a leg ended.
pub(super) enum Leg {
    /// Everything is accounted for.
    Done,
    /// Not now.
    Later(Step),
}

impl Controller {
    /// Carries what is left of a stage, leg by leg.
    pub(super) async fn carries(&self, stage: &Stage, standing: &mut Standing) -> Result<Done, Trouble> {
        if let Some(shut) = self.shut_meanwhile(stage).await? {
            return self.shuts(standing, shut).await.map(Done::Later);
        }
        if stage.waves.is_empty() {
            let tenants = self.tenants_of(stage, standing);
            let calendar = self.hands.calendar().await?;
            let whose = if tenants.is_empty() {
                let excluded = calendar.tenants.iter().filter(|tenant| tenant.excluded.is_some());
                Whose::AllBut(excluded.map(|tenant| tenant.key.clone()).collect())
            } else {
                Whose::Only(tenants.clone())
            };
            let end = self.end(&calendar, stage, None, &[]);
            // Each attempt walks anew: what was mended since is found.
            let what = format!("attempt {}", standing.stage(&stage.name).attempt);
            let load = Load { stage, what, whose, tenants, end, bound: None };
            if !is_done(stage, &load.what, standing)
                && let Leg::Later(step) = self.leg(&load, standing).await?
            {
                return Ok(Done::Later(step));
            }
        }
        if let Some(done) = self.carries_waves(stage, standing).await? {
            return Ok(done);
        }
        if let Leg::Later(step) = self.mends(stage, standing).await? {
            return Ok(Done::Later(step));
        }
        let dead = self.hands.dead().await?;
        Ok(over_budget(stage, dead)
            .unwrap_or_else(|| Done::Yes(Some(format!("drained, {dead} records dead")))))
    }

    /// After its waves, a stage that is tried again carries what a person mended and sent back meanwhile: no wave is left to do it.
    async fn mends(&self, stage: &Stage, standing: &mut Standing) -> Result<Leg, Trouble> {
        let attempt = standing.stage(&stage.name).attempt;
        let what = format!("attempt {attempt}");
        if attempt < 2 || is_done(stage, &what, standing) || self.hands.open().await? == 0 {
            return Ok(Leg::Done);
        }
        let calendar = self.hands.calendar().await?;
        let all = stage.waves.iter().flat_map(|wave| tenants_of(&calendar, wave));
        let moved = all.filter(|tenant| standing.tenant(tenant) != TenantState::Pending).collect();
        let end = self.end(&calendar, stage, None, &[]);
        let load = Load { stage, what, whose: Whose::Only(moved), tenants: Vec::new(), end, bound: None };
        self.leg(&load, standing).await
    }

    /// The window of what comes next is shut, or it waits for another reason of time.
    pub(super) async fn shuts(&self, standing: &mut Standing, why: String) -> Result<Step, Trouble> {
        self.keep(standing, vec![(Fact::Run(RunEvent::WindowShut), Some(why))]).await
    }

    /// Carries one leg: noted before it begins, and when it is done.
    pub(super) async fn leg(&self, load: &Load<'_>, standing: &mut Standing) -> Result<Leg, Trouble> {
        let Load { stage, what, tenants, .. } = load;
        let number = match begun(stage, what, standing) {
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
        let guard = Guard::new(&self.stop);
        let carry = Carry { number, whose: load.whose.clone(), start: stage.start.clone() };
        let carried = {
            let mut carrying = Box::pin(self.hands.carry(carry, &guard.halt));
            let watching = Box::pin(self.watch(load, standing.version, &guard));
            tokio::pin!(watching);
            let mut watched = false;
            loop {
                tokio::select! {
                    carried = &mut carrying => break carried?,
                    () = &mut watching, if !watched => watched = true,
                }
            }
        };
        match carried {
            Carried::Stopped => {
                self.desk.refresh(standing).await?;
                let closed = guard.closed().filter(|_| standing.run == RunState::Running);
                Ok(Leg::Later(match closed {
                    Some(AtEnd::Pause) => {
                        let why =
                            format!("the window of `{what}` closed in leg {number}, and is to pause the run");
                        self.pause(standing, why).await?
                    }
                    Some(AtEnd::Drain | AtEnd::Overrun) => {
                        let why = format!("the window of `{what}` closed; leg {number} goes on in the next");
                        self.shuts(standing, why).await?
                    }
                    None => Step::On,
                }))
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
}

/// More dead records than a stage allows.
pub(super) fn over_budget(stage: &Stage, dead: u64) -> Option<Done> {
    (dead > stage.most_dead).then(|| {
        Done::No(format!(
            "{dead} records are dead, and at most {} may be: `haulier dead list`",
            stage.most_dead
        ))
    })
}

/// The number of a leg of this kind that has begun and is not done.
pub(super) fn begun(stage: &Stage, what: &str, standing: &Standing) -> Option<u32> {
    let parts = standing.stage(&stage.name).parts;
    parts.iter().find_map(|part| {
        let (number, of) = part.strip_prefix(BEGUN)?.trim_start().split_once(' ')?;
        let open = of == what && !parts.contains(&format!("{DONE} {number} {what}"));
        open.then(|| number.parse().ok()).flatten()
    })
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
