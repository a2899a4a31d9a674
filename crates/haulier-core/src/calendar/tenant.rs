//! What a plan says of a tenant: where its people are, what it is like, and what it has before it.

use super::when::{Side, When};
use super::zone::Zone;
use super::{Span, Timestamp};
use crate::TenantKey;

/// A tenant as waves and windows see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// The key of its root record.
    pub key: TenantKey,
    /// What people call it; its key where the plan says nothing.
    pub name: String,
    /// Where its people are.
    pub zone: Option<Zone>,
    /// Words that selectors know it by: `small`, or with a kind, `provider:gcp`.
    pub tags: Vec<String>,
    /// Whom notices to its contacts reach.
    pub contacts: Vec<String>,
    /// Its activity: 24 figures by hour of the day, or 168 by hour of the week from Monday 00:00, in its zone; or none.
    pub usage: Vec<f64>,
    /// What it has before it.
    pub events: Vec<Event>,
    /// Why it is not migrated.
    pub excluded: Option<String>,
}

/// Something that a tenant is busy with.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it is.
    pub name: String,
    /// When.
    pub when: When,
    /// Where its times are meant.
    pub zone: Zone,
}

impl Tenant {
    /// A tenant of which the plan says nothing.
    #[must_use]
    pub fn plain(key: TenantKey) -> Self {
        Self {
            name: key.as_str().to_owned(),
            key,
            zone: None,
            tags: Vec::new(),
            contacts: Vec::new(),
            usage: Vec::new(),
            events: Vec::new(),
            excluded: None,
        }
    }

    /// Whether it has that tag; its key, its name and `zone:NAME` count as tags, too.
    #[must_use]
    pub fn has(&self, tag: &str) -> bool {
        self.key.as_str() == tag
            || self.name == tag
            || self.tags.iter().any(|known| known == tag)
            || tag
                .strip_prefix("zone:")
                .is_some_and(|zone| self.zone.as_ref().is_some_and(|known| known.name() == zone))
    }

    /// Its configuration values: its tags with a kind.
    pub fn configuration(&self) -> impl Iterator<Item = &str> {
        self.tags.iter().map(String::as_str).filter(|tag| tag.contains(':'))
    }

    /// Its next event that ends after an instant, within a span.
    #[must_use]
    pub fn next_event(&self, within: Span) -> Option<(&str, Timestamp)> {
        let starts = self.events.iter().filter_map(|event| {
            let first = event.when.spans(&event.zone, Side::Deny, within).first().copied()?;
            Some((event.name.as_str(), first.start))
        });
        starts.min_by_key(|(_, start)| *start)
    }
}
