//! What people change of a calendar after the plan was written: kept for ever, with who, when and why.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::opening::Opening;
use super::selector::Selector;
use super::when::{When, WhenError};
use super::window::{Blackout, Place};
use super::{Calendar, Span, Zone, lead};
use crate::port::Micros;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number; 0 before it is kept.
    pub version: u64,
    /// When.
    pub at: Micros,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// What.
    pub what: Amendment,
}

/// What is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// A tenant goes with another wave.
    Move {
        /// Its key.
        tenant: String,
        /// The wave.
        wave: String,
    },
    /// A tenant is not migrated; the change's reason says why.
    Exclude {
        /// Its key.
        tenant: String,
    },
    /// A tenant is migrated after all, and no longer put off.
    Include {
        /// Its key.
        tenant: String,
    },
    /// A tenant does not begin before that.
    Defer {
        /// Its key.
        tenant: String,
        /// The instant.
        until: Timestamp,
    },
    /// A wave gets its first day.
    Date {
        /// The wave.
        wave: String,
        /// The day, in the schedule's zone.
        day: Date,
    },
    /// A window of one date gets another.
    Reschedule {
        /// The window.
        window: String,
        /// `START/END` in the window's zone.
        at: String,
    },
    /// An opening ends later.
    Extend {
        /// The window.
        window: String,
        /// The start of the opening.
        start: Timestamp,
        /// By how much.
        by: Duration,
    },
    /// Work must not run.
    Blackout {
        /// Its name.
        name: String,
        /// Whom it spares, as a selector.
        tenants: String,
        /// Where its times are meant.
        zone: String,
        /// `START/END` in that zone.
        at: String,
    },
    /// The dates are promised; notices go out by them from now on.
    Commit,
}

/// Why a change does not fit the calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The calendar has no such thing.
    #[error("there is no {kind} `{name}`")]
    Unknown {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It is so already.
    #[error("{0}")]
    Already(String),
    /// It must not be.
    #[error("{0}")]
    Refused(String),
    /// The times are wrong.
    #[error(transparent)]
    When(#[from] WhenError),
}

impl Amendment {
    /// Its word and its parts, as ledgers keep it.
    #[must_use]
    pub fn words(&self) -> (&'static str, Vec<String>) {
        match self {
            Self::Move { tenant, wave } => ("move", vec![tenant.clone(), wave.clone()]),
            Self::Exclude { tenant } => ("exclude", vec![tenant.clone()]),
            Self::Include { tenant } => ("include", vec![tenant.clone()]),
            Self::Defer { tenant, until } => ("defer", vec![tenant.clone(), until.to_string()]),
            Self::Date { wave, day } => ("date", vec![wave.clone(), day.to_string()]),
            Self::Reschedule { window, at } => ("reschedule", vec![window.clone(), at.clone()]),
            Self::Extend { window, start, by } => {
                ("extend", vec![window.clone(), start.to_string(), by.as_secs().to_string()])
            }
            Self::Blackout { name, tenants, zone, at } => {
                ("blackout", vec![name.clone(), tenants.clone(), zone.clone(), at.clone()])
            }
            Self::Commit => ("commit", Vec::new()),
        }
    }

    /// Reads what [`Self::words`] wrote.
    #[must_use]
    pub fn read(word: &str, parts: &[String]) -> Option<Self> {
        let own = |text: &String| text.clone();
        Some(match (word, parts) {
            ("move", [tenant, wave]) => Self::Move { tenant: own(tenant), wave: own(wave) },
            ("exclude", [tenant]) => Self::Exclude { tenant: own(tenant) },
            ("include", [tenant]) => Self::Include { tenant: own(tenant) },
            ("defer", [tenant, until]) => Self::Defer { tenant: own(tenant), until: until.parse().ok()? },
            ("date", [wave, day]) => Self::Date { wave: own(wave), day: day.parse().ok()? },
            ("reschedule", [window, at]) => Self::Reschedule { window: own(window), at: own(at) },
            ("extend", [window, start, by]) => Self::Extend {
                window: own(window),
                start: start.parse().ok()?,
                by: Duration::from_secs(by.parse().ok()?),
            },
            ("blackout", [name, tenants, zone, at]) => {
                Self::Blackout { name: own(name), tenants: own(tenants), zone: own(zone), at: own(at) }
            }
            ("commit", []) => Self::Commit,
            _ => return None,
        })
    }

    /// What it does, in words.
    #[must_use]
    pub fn say(&self) -> String {
        match self {
            Self::Move { tenant, wave } => format!("tenant {tenant} moved to wave {wave}"),
            Self::Exclude { tenant } => format!("tenant {tenant} excluded"),
            Self::Include { tenant } => format!("tenant {tenant} taken in again"),
            Self::Defer { tenant, until } => format!("tenant {tenant} deferred until {until}"),
            Self::Date { wave, day } => format!("wave {wave} begins on {day} at the earliest"),
            Self::Reschedule { window, at } => format!("window {window} moved to {at}"),
            Self::Extend { window, start, by } => {
                format!("window {window} of {start} extended by {}", lead::say(*by))
            }
            Self::Blackout { name, tenants, zone, at } => {
                format!("blackout {name}: {at} in {zone} for {tenants}")
            }
            Self::Commit => "the dates are promised".to_owned(),
        }
    }
}

impl Calendar {
    /// The calendar with these changes, in their order, and which of them no longer fit it.
    #[must_use]
    pub fn amended(&self, changes: &[Change]) -> (Self, Vec<(u64, ChangeError)>) {
        let mut calendar = self.clone();
        let mut unfit = Vec::new();
        for change in changes {
            if let Err(error) = calendar.amend(change) {
                unfit.push((change.version, error));
            }
        }
        (calendar, unfit)
    }

    /// Makes one change.
    ///
    /// # Errors
    /// It does not fit; then nothing is changed.
    pub fn amend(&mut self, change: &Change) -> Result<(), ChangeError> {
        match &change.what {
            Amendment::Move { tenant, wave } => self.move_tenant(tenant, wave),
            Amendment::Exclude { tenant } => {
                let found = self.tenant_mut(tenant)?;
                if let Some(reason) = &found.excluded {
                    return Err(ChangeError::Already(format!(
                        "tenant {tenant} is excluded already: {reason}"
                    )));
                }
                found.excluded = Some(change.reason.clone());
                Ok(())
            }
            Amendment::Include { tenant } => {
                let was_out = self.tenant_mut(tenant)?.excluded.take().is_some();
                let was_late = self.deferred.iter().any(|(key, _)| key == tenant);
                self.deferred.retain(|(key, _)| key != tenant);
                if was_out || was_late {
                    return Ok(());
                }
                Err(ChangeError::Already(format!("tenant {tenant} is neither excluded nor deferred")))
            }
            Amendment::Defer { tenant, until } => {
                self.tenant_mut(tenant)?;
                self.deferred.retain(|(key, _)| key != tenant);
                self.deferred.push((tenant.clone(), *until));
                Ok(())
            }
            Amendment::Date { wave, day } => self.date(wave, *day),
            Amendment::Reschedule { window, at } => self.reschedule(window, at),
            Amendment::Extend { window, start, by } => self.extend(window, *start, *by),
            Amendment::Blackout { name, tenants, zone, at } => self.deny(name, tenants, zone, at, &change.by),
            Amendment::Commit if self.committed => {
                Err(ChangeError::Already("the dates are promised already".to_owned()))
            }
            Amendment::Commit => {
                self.committed = true;
                Ok(())
            }
        }
    }

    fn tenant_mut(&mut self, key: &str) -> Result<&mut super::Tenant, ChangeError> {
        let unknown = ChangeError::Unknown { kind: "tenant", name: key.to_owned() };
        self.tenants.iter_mut().find(|tenant| tenant.key.as_str() == key).ok_or(unknown)
    }

    fn move_tenant(&mut self, key: &str, wave: &str) -> Result<(), ChangeError> {
        let excluded = self.tenant_mut(key)?.excluded.is_some();
        if self.wave(wave).is_none() {
            return Err(ChangeError::Unknown { kind: "wave", name: wave.to_owned() });
        }
        if excluded {
            return Err(ChangeError::Refused(format!("tenant {key} is excluded, so it goes with no wave")));
        }
        let roster = self.roster();
        let from = roster.wave_of(key).map(|wave| wave.name.clone());
        if from.as_deref() == Some(wave) {
            return Err(ChangeError::Already(format!("tenant {key} is in wave {wave} already")));
        }
        let alone = roster
            .waves
            .iter()
            .any(|(found, tenants)| Some(&found.name) == from.as_ref() && tenants.len() == 1);
        if let (true, Some(from)) = (alone, from) {
            return Err(ChangeError::Refused(format!("wave {from} would be empty without tenant {key}")));
        }
        self.moved.retain(|(known, _)| known != key);
        self.moved.push((key.to_owned(), wave.to_owned()));
        Ok(())
    }

    fn date(&mut self, name: &str, day: Date) -> Result<(), ChangeError> {
        let unknown = ChangeError::Unknown { kind: "wave", name: name.to_owned() };
        let wave = self.waves.iter_mut().find(|wave| wave.name == name).ok_or(unknown)?;
        if wave.not_before == Some(day) {
            return Err(ChangeError::Already(format!("wave {name} begins on {day} already")));
        }
        if let Some(last) = wave.not_after.filter(|last| *last < day) {
            return Err(ChangeError::Refused(format!("wave {name} must end on {last}")));
        }
        wave.not_before = Some(day);
        Ok(())
    }

    fn reschedule(&mut self, name: &str, at: &str) -> Result<(), ChangeError> {
        let when = When::once(at)?;
        let zones: Vec<Zone> = self.tenants.iter().filter_map(|tenant| tenant.zone.clone()).collect();
        let unknown = ChangeError::Unknown { kind: "window", name: name.to_owned() };
        let window = self.windows.iter_mut().find(|window| window.name == name).ok_or(unknown)?;
        if matches!(window.when, When::Weekly(_)) {
            let weekly = format!("window {name} opens every week: change the plan, or name a blackout");
            return Err(ChangeError::Refused(weekly));
        }
        match &window.place {
            Place::Zone(zone) => when.check(zone)?,
            Place::Tenant => zones.iter().try_for_each(|zone| when.check(zone))?,
        }
        if window.when == when {
            return Err(ChangeError::Already(format!("window {name} is at that time already")));
        }
        window.when = when;
        window.extended.clear();
        Ok(())
    }

    fn extend(&mut self, name: &str, start: Timestamp, by: Duration) -> Result<(), ChangeError> {
        let unknown = || ChangeError::Unknown { kind: "window", name: name.to_owned() };
        let opening = self.opening_at(name, start).ok_or_else(unknown)?;
        let window = self.window(name).ok_or_else(unknown)?;
        let (most, sum) = (window.max_extension, opening.extended.saturating_add(by));
        if sum > most {
            return Err(ChangeError::Refused(format!(
                "window {name} may be extended by {} in all, and {} are taken",
                lead::say(most),
                lead::say(opening.extended)
            )));
        }
        if let Some(blackout) = &opening.cut_by {
            return Err(ChangeError::Refused(format!("blackout {blackout} ends window {name}")));
        }
        if let Some((_, blackout)) = self.denied(None, Span::from(opening.span.end, by)).first() {
            return Err(ChangeError::Refused(format!(
                "blackout {blackout} begins before {} more are over",
                lead::say(by)
            )));
        }
        let window = self.windows.iter_mut().find(|window| window.name == name).ok_or_else(unknown)?;
        window.extended.push((start, by));
        Ok(())
    }

    /// The opening of a window whose own hours start at that instant, for somebody.
    #[must_use]
    pub fn opening_at(&self, name: &str, start: Timestamp) -> Option<Opening> {
        let window = self.window(name)?;
        let within = Span::from(start, Duration::from_secs(1));
        let somebody = std::iter::once(None).chain(self.tenants.iter().map(Some));
        let mut found = somebody.flat_map(|tenant| self.openings(window, tenant, within));
        found.find(|opening| opening.planned.start == start)
    }

    fn deny(&mut self, name: &str, tenants: &str, zone: &str, at: &str, by: &str) -> Result<(), ChangeError> {
        if self.blackouts.iter().any(|blackout| blackout.name == name) {
            return Err(ChangeError::Already(format!("there is a blackout {name} already")));
        }
        let unknown = ChangeError::Unknown { kind: "time zone", name: zone.to_owned() };
        let zone = Zone::named(zone).ok_or(unknown)?;
        let when = When::once(at)?;
        when.check(&zone)?;
        let tenants = Selector::parse(tenants).map_err(|error| ChangeError::Refused(error.to_string()))?;
        let somebody = tenants == Selector::All || self.tenants.iter().any(|tenant| tenants.takes(tenant));
        if !somebody {
            return Err(ChangeError::Refused(format!("`{tenants}` takes no tenant")));
        }
        self.blackouts.push(Blackout {
            name: name.to_owned(),
            tenants,
            place: Place::Zone(zone),
            when,
            said_by: Some(by.to_owned()),
        });
        Ok(())
    }
}
