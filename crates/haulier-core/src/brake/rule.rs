//! When a brake holds.

use std::fmt;
use std::time::Duration;

/// What a gauge counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unit {
    /// A plain number.
    #[default]
    Number,
    /// Seconds.
    Seconds,
    /// An HTTP status.
    Status,
}

impl Unit {
    /// A value with its unit.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        let rounded = if value.fract().abs() < 0.05 || value.abs() >= 100.0 {
            format!("{value:.0}")
        } else {
            format!("{value:.1}")
        };
        match self {
            Self::Number => rounded,
            Self::Seconds => format!("{rounded} s"),
            Self::Status => format!("HTTP {rounded}"),
        }
    }
}

/// What a reading that failed, was NULL, came too late or never does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It holds: what cannot be read is not known to be well.
    #[default]
    Brake,
    /// It changes nothing.
    Ignore,
}

/// A gauge's limit and what goes with it.
#[derive(Debug, Clone, PartialEq)]
pub struct BrakeRule {
    /// Its name.
    pub name: String,
    /// It holds above this.
    pub limit: f64,
    /// What limit and values count in.
    pub unit: Unit,
    /// Above this in all readings of five seconds it is critical: the side is to be paused until a person resumes it.
    pub critical: Option<f64>,
    /// What an unread gauge does.
    pub on_error: OnError,
    /// It lets go at or below this share of the limit ...
    pub release_at: f64,
    /// ... in so many readings one after the other ...
    pub release_after: u32,
    /// ... and not before it held for so long.
    pub hold_at_least: Duration,
    /// A reading that is older counts as none.
    pub stale_after: Duration,
}

impl BrakeRule {
    /// A rule with the usual hysteresis: 80 % of the limit, three good readings, two seconds at least, five seconds to be stale.
    #[must_use]
    pub fn new(name: impl Into<String>, limit: f64, unit: Unit) -> Self {
        Self {
            name: name.into(),
            limit,
            unit,
            critical: None,
            on_error: OnError::Brake,
            // A status is right or not: there is nothing between.
            release_at: if unit == Unit::Status { 1.0 } else { 0.8 },
            release_after: 3,
            hold_at_least: Duration::from_secs(2),
            stale_after: Duration::from_secs(5),
        }
    }
}

impl fmt::Display for BrakeRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} <= {}", self.name, self.unit.show(self.limit))
    }
}
