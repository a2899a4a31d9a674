//! The waves of a bulk: one after the other, so many tenants at a time, each wave watched before the next, and held where too
//! many of its tenants fail.

use std::time::Duration;

use haulier_core::TenantKey;
use haulier_core::calendar::{Calendar, Verdict, span};
use haulier_core::plan::Stage;
use haulier_core::stage::{CheckResult, Fact, Severity, Standing, TenantState, none_open};
use jiff::Timestamp;

use super::carry::{Leg, Load, begun, over_budget};
use super::stage::Done;
use super::watch::End;
use super::{Controller, Step};
use crate::{Trouble, Whose, Wrote};

/// What the ledger calls a wave of which nobody is left.
const WAVE: &str = "wave";
const OVER: &str = "over";

/// Who of a wave may begin now.
struct Open {
    tenants: Vec<TenantKey>,
    /// Why nobody may, and until when.
    shut: String,
}

/// With how many failed tenants a wave goes on.
pub(super) struct Bound {
    tenants: Vec<TenantKey>,
    pub(super) most: usize,
}

/// The bound of a wave; nothing where it has none of its own.
fn bound(calendar: &Calendar, wave: &str) -> Option<Bound> {
    let most = calendar.wave(wave)?.max_failed?;
    let tenants = tenants_of(calendar, wave);
    Some(Bound { most: most.of(tenants.len()), tenants })
}

impl Controller {
    /// Carries what is left of a stage's waves; nothing to say when all of them are through.
    pub(super) async fn carries_waves(
        &self,
        stage: &Stage,
        standing: &mut Standing,
    ) -> Result<Option<Done>, Trouble> {
        for (place, wave) in stage.waves.iter().enumerate() {
            loop {
                let calendar = self.hands.calendar().await?;
                if let Some(step) = self.failing(&calendar, wave, standing).await? {
                    return Ok(Some(Done::Later(step)));
                }
                let left = left(&calendar, wave, standing);
                if left.is_empty() {
                    if !self.is_over(wave, standing).await? {
                        return Ok(Some(Done::Later(Step::On)));
                    }
                    if let Some(done) = over_budget(stage, self.hands.dead().await?) {
                        return Ok(Some(done));
                    }
                    break;
                }
                if begun(stage, wave, standing).is_none() {
                    if let (CheckResult::Fail, said) = none_open(standing, Severity::S1) {
                        let why = format!("wave `{wave}` does not begin: {said}");
                        return self.pause(standing, why).await.map(|step| Some(Done::Later(step)));
                    }
                    if let Some(soaks) = self.soaks(stage, place, &calendar, standing) {
                        return self.shuts(standing, soaks).await.map(|step| Some(Done::Later(step)));
                    }
                }
                let open = self.open_tenants(&calendar, wave, &left);
                if open.tenants.is_empty() {
                    return self.shuts(standing, open.shut).await.map(|step| Some(Done::Later(step)));
                }
                let end = self.end(&calendar, stage, Some(wave), &open.tenants);
                let whose = Whose::Only(open.tenants.clone());
                let bound = bound(&calendar, wave);
                let load = Load { stage, what: wave.clone(), whose, tenants: open.tenants, end, bound };
                if let Leg::Later(step) = self.leg(&load, standing).await? {
                    return Ok(Some(Done::Later(step)));
                }
            }
        }
        Ok(None)
    }

    /// Notes once that nobody of a wave is left: from then on it is watched.
    async fn is_over(&self, wave: &str, standing: &mut Standing) -> Result<bool, Trouble> {
        if standing.marks.contains_key(&(WAVE.to_owned(), wave.to_owned())) {
            return Ok(true);
        }
        let fact = Fact::Other {
            kind: WAVE.to_owned(),
            subject: wave.to_owned(),
            word: OVER.to_owned(),
            data: String::new(),
        };
        Ok(self.desk.write(standing, vec![(fact, None)]).await? == Wrote::Kept)
    }

    /// Pauses the run where more tenants of a wave have failed than it allows.
    async fn failing(
        &self,
        calendar: &Calendar,
        wave: &str,
        standing: &mut Standing,
    ) -> Result<Option<Step>, Trouble> {
        let Some(bound) = bound(calendar, wave) else { return Ok(None) };
        let (failed, most) = (self.failed(&bound).await?, bound.most);
        if failed <= most {
            return Ok(None);
        }
        let why = format!(
            "{failed} tenants of wave `{wave}` have dead records, and it holds after {most}: `haulier dead list`"
        );
        self.pause(standing, why).await.map(Some)
    }

    /// How many tenants of a wave have failed.
    pub(super) async fn failed(&self, bound: &Bound) -> Result<usize, Trouble> {
        let failed = self.hands.failed().await?;
        Ok(bound.tenants.iter().filter(|tenant| failed.contains(*tenant)).count())
    }

    /// Why a wave still waits for the one before it to be watched long enough.
    fn soaks(&self, stage: &Stage, place: usize, calendar: &Calendar, standing: &Standing) -> Option<String> {
        let before = calendar.wave(stage.waves.get(place.checked_sub(1)?)?)?;
        let wave = stage.waves.get(place)?;
        let over = standing.marks.get(&(WAVE.to_owned(), before.name.clone()))?;
        let over = Timestamp::from_microsecond(over.at).ok()?;
        let until = span::later(over, before.soak);
        let waits = self.desk.clock.now() < until;
        waits
            .then(|| format!("wave `{wave}` begins when wave `{}` has been watched, at {until}", before.name))
    }

    /// Those who may begin now, at most so many as go at a time.
    fn open_tenants(&self, calendar: &Calendar, wave: &str, left: &[TenantKey]) -> Open {
        let mut open = Open { tenants: Vec::new(), shut: format!("there is no wave `{wave}`") };
        let Some(wave) = calendar.wave(wave) else { return open };
        let most = wave.parallel.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let now = self.desk.clock.now();
        let mut next = None;
        for tenant in left.iter().filter_map(|key| calendar.tenant(key.as_str())) {
            match calendar.may_begin(wave, tenant, now) {
                Verdict::Open { .. } => open.tenants.push(tenant.key.clone()),
                shut @ (Verdict::TooLate { .. } | Verdict::Denied { .. } | Verdict::Shut { .. }) => {
                    next = [next, shut.next()].into_iter().flatten().min();
                }
            }
            if open.tenants.len() == most {
                break;
            }
        }
        let when = next.map_or_else(|| "never again".to_owned(), |at| at.to_string());
        open.shut = format!("{} tenants of wave `{}` may begin {when}", left.len(), wave.name);
        open
    }

    /// When what these tenants have begun must end: by the wave's windows and days, and by the stage's window.
    pub(super) fn end(
        &self,
        calendar: &Calendar,
        stage: &Stage,
        wave: Option<&str>,
        tenants: &[TenantKey],
    ) -> Option<End> {
        let now = self.desk.clock.now();
        let window = stage.window.as_deref().and_then(|name| calendar.window(name));
        let mut ends: Vec<End> = window
            .and_then(|window| calendar.must_end(&[window], None, now))
            .into_iter()
            .map(|(at, at_end)| End { at, at_end })
            .collect();
        if let Some(wave) = wave.and_then(|wave| calendar.wave(wave)) {
            let windows = calendar.windows_of(wave);
            for tenant in tenants.iter().filter_map(|key| calendar.tenant(key.as_str())) {
                let end = calendar.must_end(&windows, Some(tenant), now);
                ends.extend(end.map(|(at, at_end)| End { at, at_end }));
            }
            let last = calendar.bounds(wave).end;
            ends.extend((last < Timestamp::MAX).then(|| End { at: last, ..End::default() }));
        }
        ends.into_iter().min_by_key(|end| end.at)
    }

    /// Why the window of a stage that has begun does not let it go on.
    pub(super) async fn shut_meanwhile(&self, stage: &Stage) -> Result<Option<String>, Trouble> {
        self.shut_for(stage, Duration::ZERO).await
    }

    /// Why nobody of the wave in hand may begin; nothing where somebody may.
    pub(super) async fn nobody_may_begin(
        &self,
        stage: &Stage,
        standing: &Standing,
    ) -> Result<Option<String>, Trouble> {
        if let Some(shut) = self.shut_meanwhile(stage).await? {
            return Ok(Some(shut));
        }
        let calendar = self.hands.calendar().await?;
        for (place, wave) in stage.waves.iter().enumerate() {
            let left = left(&calendar, wave, standing);
            if left.is_empty() {
                continue;
            }
            if begun(stage, wave, standing).is_none()
                && let Some(soaks) = self.soaks(stage, place, &calendar, standing)
            {
                return Ok(Some(soaks));
            }
            let open = self.open_tenants(&calendar, wave, &left);
            return Ok(open.tenants.is_empty().then_some(open.shut));
        }
        Ok(None)
    }
}

pub(super) fn tenants_of(calendar: &Calendar, wave: &str) -> Vec<TenantKey> {
    let roster = calendar.roster();
    let all = roster.waves.iter().find(|(found, _)| found.name == wave).map(|(_, tenants)| tenants);
    all.into_iter().flatten().map(|tenant| tenant.key.clone()).collect()
}

/// Who of a wave still has to move: those whose leg has begun first.
fn left(calendar: &Calendar, wave: &str, standing: &Standing) -> Vec<TenantKey> {
    let keys = tenants_of(calendar, wave);
    let of = |wanted: TenantState| -> Vec<TenantKey> {
        keys.iter().filter(|key| standing.tenant(key) == wanted).cloned().collect()
    };
    let begun = of(TenantState::Queued);
    if begun.is_empty() { of(TenantState::Pending) } else { begun }
}
