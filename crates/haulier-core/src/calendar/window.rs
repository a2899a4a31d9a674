//! Windows and blackouts: when work may run, and when it must not. Deny beats allow; any open window suffices.

use std::time::Duration;

use jiff::Timestamp;

use super::selector::Selector;
use super::tenant::Tenant;
use super::when::When;
use super::zone::Zone;

/// What happens to work that still runs at a window's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtEnd {
    /// What is in flight ends; nothing new begins.
    #[default]
    Drain,
    /// It pauses at once.
    Pause,
    /// It goes on, and says so.
    Overrun,
}

impl AtEnd {
    /// Each with its word in the plan.
    pub const ALL: [(&'static str, Self); 3] =
        [("drain", Self::Drain), ("pause", Self::Pause), ("overrun", Self::Overrun)];

    /// Its word in the plan.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Pause => "pause",
            Self::Overrun => "overrun",
        }
    }
}

/// Where the times of a window are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In one zone.
    Zone(Zone),
    /// In each tenant's own zone.
    Tenant,
}

impl Place {
    /// The zone for a tenant; `None` where it takes one and the tenant has none.
    #[must_use]
    pub fn zone<'z>(&'z self, tenant: Option<&'z Tenant>) -> Option<&'z Zone> {
        match self {
            Self::Zone(zone) => Some(zone),
            Self::Tenant => tenant?.zone.as_ref(),
        }
    }
}

/// When work may run.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// Its name.
    pub name: String,
    /// Where its times are meant.
    pub place: Place,
    /// When it opens and closes.
    pub when: When,
    /// No tenant and no stage begins later than so long before the end; what a tenant takes where the plan says nothing.
    pub cutoff: Option<Duration>,
    /// What happens to work that still runs at its end.
    pub at_end: AtEnd,
    /// How long before its end people decide whether to go back.
    pub decision_point: Duration,
    /// How far an opening may be extended, in all.
    pub max_extension: Duration,
    /// Whether a restore that is decided at the decision point may end after the window.
    pub restore_may_overrun: bool,
    /// Openings that people extended: each by its start.
    pub extended: Vec<(Timestamp, Duration)>,
}

/// Decision point where the plan says nothing.
pub const DECISION_POINT: Duration = Duration::from_mins(30);

/// When work must not run.
#[derive(Debug, Clone, PartialEq)]
pub struct Blackout {
    /// Its name.
    pub name: String,
    /// Whom it spares.
    pub tenants: Selector,
    /// Where its times are meant.
    pub place: Place,
    /// When.
    pub when: When,
    /// Who asked for it.
    pub said_by: Option<String>,
}
