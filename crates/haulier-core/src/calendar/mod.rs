//! When work may run, for whom, in which order, and by when what must be decided.
//!
//! Everything here is a pure function of the plan, of what people changed since, and of an instant that the caller names.
//! Local times have an IANA zone; lengths are real elapsed time. What is allowed is read narrowly and what is denied
//! widely where the clocks change.

mod change;
mod date;
pub mod deadline;
pub mod durations;
pub mod lead;
pub mod opening;
mod overlap;
mod propose;
mod selector;
pub mod span;
mod suggest;
mod task;
mod tenant;
#[cfg(test)]
mod tests;
mod wave;
mod when;
mod window;
mod zone;

pub use change::{Amendment, Change, ChangeError};
pub use deadline::Deadlines;
pub use durations::Durations;
pub use lead::Lead;
pub use opening::{Opening, Verdict};
pub use overlap::overlap;
pub use propose::{Proposal, Score, Term, propose, score};
pub use selector::{Selector, SelectorError};
pub use span::Span;
pub use suggest::{Activity, Quiet};
pub use task::{Task, TaskState};
pub use tenant::{Event, Tenant};
pub use wave::{MaxFailed, Roster, Wave};
pub use when::{Moment, Side, Weekly, When, WhenError};
pub use window::{AtEnd, Blackout, DECISION_POINT, Place, Window};
pub use zone::{Local, Zone};

use std::collections::HashSet;

use jiff::Timestamp;

use crate::TenantKey;

/// What a plan says about time and tenants.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// The zone in which the operators think; days without a zone of their own are meant there.
    pub zone: Zone,
    /// The day of the release, where there is one.
    pub t0: Option<Timestamp>,
    /// Whether the dates are promised. Until then no notice goes out by date.
    pub committed: bool,
    /// When work may run.
    pub windows: Vec<Window>,
    /// When it must not.
    pub blackouts: Vec<Blackout>,
    /// What is known of tenants.
    pub tenants: Vec<Tenant>,
    /// Who goes when.
    pub waves: Vec<Wave>,
    /// Tenants that a person moved to another wave: key and wave.
    pub moved: Vec<(String, String)>,
    /// Tenants that a person put off: key and until when.
    pub deferred: Vec<(String, Timestamp)>,
    /// What people have to do before the day.
    pub tasks: Vec<Task>,
    /// Tasks that somebody said are done.
    pub done: Vec<String>,
    /// How long things take.
    pub durations: Durations,
}

impl Default for Calendar {
    fn default() -> Self {
        Self {
            zone: Zone::utc(),
            t0: None,
            committed: false,
            windows: Vec::new(),
            blackouts: Vec::new(),
            tenants: Vec::new(),
            waves: Vec::new(),
            moved: Vec::new(),
            deferred: Vec::new(),
            tasks: Vec::new(),
            done: Vec::new(),
            durations: Durations::default(),
        }
    }
}

impl Calendar {
    /// What is known of a tenant.
    #[must_use]
    pub fn tenant(&self, key: &str) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.key.as_str() == key)
    }

    /// The wave of that name.
    #[must_use]
    pub fn wave(&self, name: &str) -> Option<&Wave> {
        self.waves.iter().find(|wave| wave.name == name)
    }

    /// The windows of a wave.
    #[must_use]
    pub fn windows_of(&self, wave: &Wave) -> Vec<&Window> {
        wave.windows.iter().filter_map(|name| self.window(name)).collect()
    }

    /// Whether a tenant of a wave may begin at an instant: windows, blackouts, the wave's days, and whether a person put
    /// it off.
    #[must_use]
    pub fn may_begin(&self, wave: &Wave, tenant: &Tenant, at: Timestamp) -> Verdict {
        let bounds = self.bounds(wave);
        let put_off = self.deferred_until(tenant);
        let from = bounds.start.max(put_off.unwrap_or(Timestamp::MIN));
        let needs = self.durations.tenant.unwrap_or_default();
        let windows = self.windows_of(wave);
        if at >= bounds.end {
            return Verdict::Shut { next: None };
        }
        if at >= from {
            return self.verdict(&windows, Some(tenant), at, needs).before(bounds.end);
        }
        let then = self.verdict(&windows, Some(tenant), from, needs);
        let next = if then.is_open() { Some(from) } else { then.next() };
        Verdict::Shut { next }.before(bounds.end)
    }

    /// The same with tenants of which the plan says nothing, such as the source has them.
    #[must_use]
    pub fn with_tenants(mut self, keys: impl IntoIterator<Item = TenantKey>) -> Self {
        let known: HashSet<TenantKey> = self.tenants.iter().map(|tenant| tenant.key.clone()).collect();
        self.tenants.extend(keys.into_iter().filter(|key| !known.contains(key)).map(Tenant::plain));
        self
    }
}
