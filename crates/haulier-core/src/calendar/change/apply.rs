//! Changes applied to a calendar: each is tried whole, and one that does not fit changes nothing.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Amendment, Change, ChangeError};
use crate::calendar::opening::Opening;
use crate::calendar::selector::Selector;
use crate::calendar::when::When;
use crate::calendar::window::{Blackout, Place};
use crate::calendar::{Calendar, Span, Tenant, Zone, lead};

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
            Amendment::Done { task } if self.done.contains(task) => {
                Err(ChangeError::Already(format!("task {task} is done already")))
            }
            Amendment::Done { task } if self.tasks.iter().any(|known| known.name == *task) => {
                self.done.push(task.clone());
                Ok(())
            }
            Amendment::Done { task } => Err(ChangeError::Unknown { kind: "task", name: task.clone() }),
        }
    }

    fn tenant_mut(&mut self, key: &str) -> Result<&mut Tenant, ChangeError> {
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
