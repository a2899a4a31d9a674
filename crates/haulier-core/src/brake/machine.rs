//! One brake: readings in, holding or not out.

use super::{BrakeRule, Holding, OnError};
use crate::port::{Micros, ProbeError};

/// Two readings beyond the critical limit count when they are so far apart.
const STRIKES_APART: Micros = 5_000_000;

/// The state of one brake.
#[derive(Debug, Clone)]
pub struct Brake {
    rule: BrakeRule,
    holding: Option<Holding>,
    good: u32,
    read_at: Micros,
    /// Since when every reading was beyond the critical limit.
    struck_at: Option<Micros>,
}

impl Brake {
    /// A brake that does not hold, as if it had been read well just now.
    #[must_use]
    pub fn new(rule: BrakeRule, now: Micros) -> Self {
        Self { rule, holding: None, good: 0, read_at: now, struck_at: None }
    }

    /// Its rule.
    #[must_use]
    pub fn rule(&self) -> &BrakeRule {
        &self.rule
    }

    /// Takes another limit, for the readings to come.
    pub fn set_limit(&mut self, limit: f64) {
        self.rule.limit = limit;
    }

    /// What it holds by; `None` while it does not.
    #[must_use]
    pub fn holding(&self) -> Option<&Holding> {
        self.holding.as_ref()
    }

    /// Takes a reading. Returns whether what it holds by changed.
    pub fn read(&mut self, reading: Result<f64, ProbeError>, now: Micros) -> bool {
        let before = self.holding.clone();
        match reading {
            Ok(value) if value.is_nan() => self.blind("is no number", now),
            Ok(value) => {
                self.read_at = now;
                self.strike(value, now);
                if value > self.rule.limit {
                    self.good = 0;
                    let value = self.rule.unit.show(value);
                    self.hold(value, now);
                } else {
                    self.release(value, now);
                }
            }
            Err(error) => self.blind(&error.to_string(), now),
        }
        before != self.holding
    }

    /// Looks whether the last reading is too old. Returns whether what it holds by changed.
    pub fn look(&mut self, now: Micros) -> bool {
        let stale = Micros::try_from(self.rule.stale_after.as_micros()).unwrap_or(Micros::MAX);
        let age = now.saturating_sub(self.read_at);
        // A brake that holds because it cannot be read says so already, with the cause.
        if age <= stale || self.good == 0 && self.holding.is_some() {
            return false;
        }
        let before = self.holding.clone();
        self.blind(&format!("was not read for {} s", age / 1_000_000), now);
        before != self.holding
    }

    fn blind(&mut self, why: &str, now: Micros) {
        self.good = 0;
        self.struck_at = None;
        match self.rule.on_error {
            OnError::Brake => self.hold(why.to_owned(), now),
            OnError::Ignore => {}
        }
    }

    fn hold(&mut self, value: String, now: Micros) {
        let limit = self.rule.unit.show(self.rule.limit);
        let (name, since) = (&self.rule.name, now);
        let critical = self.struck_at.is_some_and(|at| now.saturating_sub(at) >= STRIKES_APART);
        let holding = self.holding.get_or_insert_with(|| Holding {
            name: name.clone(),
            value: String::new(),
            limit: String::new(),
            since,
            critical: false,
            part: false,
        });
        holding.value = value;
        holding.limit = limit;
        holding.critical |= critical;
    }

    fn release(&mut self, value: f64, now: Micros) {
        let Some(holding) = &mut self.holding else { return };
        holding.value = self.rule.unit.show(value);
        if value > self.rule.limit * self.rule.release_at {
            self.good = 0;
            return;
        }
        self.good += 1;
        let least = Micros::try_from(self.rule.hold_at_least.as_micros()).unwrap_or(Micros::MAX);
        if self.good >= self.rule.release_after && now.saturating_sub(holding.since) >= least {
            self.holding = None;
            self.good = 0;
        }
    }

    fn strike(&mut self, value: f64, now: Micros) {
        let beyond = self.rule.critical.is_some_and(|critical| value > critical);
        self.struck_at = if beyond { self.struck_at.or(Some(now)) } else { None };
    }
}
