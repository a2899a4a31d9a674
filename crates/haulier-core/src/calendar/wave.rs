//! Waves: ordered batches of tenants, each tenant in exactly one, or excluded with a reason.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;

use super::selector::Selector;
use super::tenant::Tenant;
use super::{Calendar, Span};

/// A batch of tenants.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    /// Its name.
    pub name: String,
    /// Whom it takes.
    pub tenants: Selector,
    /// The windows in which it may run; any time where there is none.
    pub windows: Vec<String>,
    /// Tenants at a time; all where there is no bound.
    pub parallel: Option<u32>,
    /// How long it is watched before the next wave begins.
    pub soak: Duration,
    /// With how many failed tenants it goes on; the stage's budget alone where it does not say.
    pub max_failed: Option<MaxFailed>,
    /// The first day on which it may run.
    pub not_before: Option<Date>,
    /// The last day on which it may run.
    pub not_after: Option<Date>,
    /// Whom its notices reach beside those that name an audience.
    pub audience: Option<String>,
}

/// How many tenants of a wave may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxFailed {
    /// So many.
    Tenants(u32),
    /// So many of a hundred, rounded down.
    Percent(u32),
}

impl MaxFailed {
    /// How many of so many.
    #[must_use]
    pub fn of(self, tenants: usize) -> usize {
        match self {
            Self::Tenants(most) => usize::try_from(most).unwrap_or(usize::MAX),
            Self::Percent(most) => tenants.saturating_mul(usize::try_from(most).unwrap_or(usize::MAX)) / 100,
        }
    }
}

/// Who is in which wave.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Roster<'c> {
    /// Each wave, in the plan's order, with its tenants.
    pub waves: Vec<(&'c Wave, Vec<&'c Tenant>)>,
    /// Who is excluded, and why.
    pub excluded: Vec<(&'c Tenant, &'c str)>,
    /// Who is in no wave.
    pub left: Vec<&'c Tenant>,
    /// Who is chosen by more than one, with the waves: they are in the first.
    pub doubled: Vec<(&'c Tenant, Vec<&'c str>)>,
}

impl Roster<'_> {
    /// The wave of a tenant.
    #[must_use]
    pub fn wave_of(&self, key: &str) -> Option<&Wave> {
        self.waves
            .iter()
            .find(|(_, tenants)| tenants.iter().any(|tenant| tenant.key.as_str() == key))
            .map(|(wave, _)| *wave)
    }
}

impl Calendar {
    /// Who is in which wave. A person's move wins over selectors; a list of keys is a choice, like any other.
    #[must_use]
    pub fn roster(&self) -> Roster<'_> {
        let mut roster =
            Roster { waves: self.waves.iter().map(|wave| (wave, Vec::new())).collect(), ..Roster::default() };
        let moved: BTreeMap<&str, &str> =
            self.moved.iter().map(|(tenant, wave)| (tenant.as_str(), wave.as_str())).collect();
        for tenant in &self.tenants {
            if let Some(reason) = &tenant.excluded {
                roster.excluded.push((tenant, reason));
                continue;
            }
            let choosing: Vec<&str> = self
                .waves
                .iter()
                .filter(|wave| wave.tenants.takes(tenant))
                .map(|wave| wave.name.as_str())
                .collect();
            let chosen = match moved.get(tenant.key.as_str()) {
                Some(wave) => Some(*wave),
                None => {
                    if choosing.len() > 1 {
                        roster.doubled.push((tenant, choosing.clone()));
                    }
                    choosing.first().copied().or_else(|| self.rest().map(|wave| wave.name.as_str()))
                }
            };
            let found = roster.waves.iter_mut().find(|(wave, _)| Some(wave.name.as_str()) == chosen);
            match found {
                Some((_, tenants)) => tenants.push(tenant),
                None => roster.left.push(tenant),
            }
        }
        roster
    }

    /// The wave that takes whom nobody else takes.
    #[must_use]
    pub fn rest(&self) -> Option<&Wave> {
        self.waves.iter().find(|wave| wave.tenants == Selector::Rest)
    }

    /// The days on which a wave may run, as a span in the schedule's zone.
    #[must_use]
    pub fn bounds(&self, wave: &Wave) -> Span {
        let zone = self.zone.rules();
        let start = wave
            .not_before
            .and_then(|day| zone.to_ambiguous_timestamp(day.into()).compatible().ok())
            .unwrap_or(jiff::Timestamp::MIN);
        let end = wave
            .not_after
            .and_then(|day| day.tomorrow().ok())
            .and_then(|day| zone.to_ambiguous_timestamp(day.into()).compatible().ok())
            .unwrap_or(jiff::Timestamp::MAX);
        Span { start, end }
    }
}
