//! What people change of a calendar after the plan was written: kept for ever, with who, when and why.

mod apply;

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use super::lead;
use super::when::WhenError;
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
    /// A task is done; the change's reason says how.
    Done {
        /// Its name.
        task: String,
    },
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
            Self::Done { task } => ("done", vec![task.clone()]),
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
            ("done", [task]) => Self::Done { task: own(task) },
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
            Self::Done { task } => format!("task {task} is done"),
        }
    }
}
