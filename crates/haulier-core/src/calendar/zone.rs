//! A time zone by its IANA name, and what a local time in it means.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

/// An IANA time zone.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// What a local time comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// One instant.
    At(Timestamp),
    /// The clocks skip it: what one would have meant, with the offset before the change and with the one after it, and
    /// when they change.
    Missing {
        /// The same distance before the change.
        earlier: Timestamp,
        /// The same distance after it.
        later: Timestamp,
        /// When the clocks go forward.
        change: Timestamp,
    },
    /// The clocks show it twice.
    Twice {
        /// The first time.
        first: Timestamp,
        /// The second time.
        second: Timestamp,
    },
}

impl Zone {
    /// The zone of that name, where this machine's time zone database has it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let rules = TimeZone::get(name).ok()?;
        let name = rules.iana_name().unwrap_or(name).to_owned();
        Some(Self { name, rules })
    }

    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone's rules.
    #[must_use]
    pub fn rules(&self) -> &TimeZone {
        &self.rules
    }

    /// What the clocks of the zone show at an instant.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> DateTime {
        self.rules.to_datetime(at)
    }

    /// The zone's offset from UTC at an instant.
    #[must_use]
    pub fn offset(&self, at: Timestamp) -> Offset {
        self.rules.to_offset(at)
    }

    /// What a local time means; `None` beyond the years that jiff can hold.
    #[must_use]
    pub fn resolve(&self, local: DateTime) -> Option<Local> {
        let found = self.rules.to_ambiguous_timestamp(local);
        Some(match found.offset() {
            AmbiguousOffset::Unambiguous { offset } => Local::At(offset.to_timestamp(local).ok()?),
            AmbiguousOffset::Gap { .. } => {
                let (earlier, later) = (found.earlier().ok()?, found.later().ok()?);
                let change = self.rules.following(earlier).next().map(|change| change.timestamp())?;
                Local::Missing { earlier, later, change }
            }
            AmbiguousOffset::Fold { .. } => {
                Local::Twice { first: found.earlier().ok()?, second: found.later().ok()? }
            }
        })
    }

    /// An instant as people of the zone say it: `2026-05-05 07:00 CEST`; with the offset where the zone has no letters.
    #[must_use]
    pub fn say(&self, at: Timestamp) -> String {
        let shown = at.to_zoned(self.rules.clone());
        let letters = shown.strftime("%Z").to_string();
        if letters.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return format!("{} {letters}", shown.strftime("%Y-%m-%d %H:%M"));
        }
        shown.strftime("%Y-%m-%d %H:%M %:z").to_string()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}
