//! Rules of time over changes of the clocks, in tables.

mod changes;
mod clocks;
mod waves;
mod windows;

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Time, Weekday};

use super::*;
use crate::TenantKey;

fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(hours: u64) -> Duration {
    Duration::from_hours(hours)
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

fn span(start: &str, end: &str) -> Span {
    Span::new(at(start), at(end)).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn window(name: &str, zone: &str, when: When) -> Window {
    Window {
        name: name.to_owned(),
        place: Place::Zone(Zone::named(zone).unwrap()),
        when,
        cutoff: None,
        at_end: AtEnd::Drain,
        decision_point: DECISION_POINT,
        max_extension: Duration::ZERO,
        restore_may_overrun: false,
        extended: Vec::new(),
    }
}

fn weekly(days: &[Weekday], from: &str, to: &str) -> When {
    let (from, to) = (time(from), time(to));
    When::Weekly(days.iter().map(|day| Weekly { day: *day, from, days: u8::from(to <= from), to }).collect())
}

fn tenant(key: &str, zone: &str, tags: &[&str]) -> Tenant {
    let mut tenant = Tenant::plain(TenantKey::new(key));
    tenant.zone = Zone::named(zone);
    tenant.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
    tenant
}

fn wave(name: &str, tenants: &str) -> Wave {
    Wave {
        name: name.to_owned(),
        tenants: Selector::parse(tenants).unwrap(),
        windows: Vec::new(),
        parallel: None,
        soak: Duration::ZERO,
        max_failed: None,
        not_before: None,
        not_after: None,
        audience: None,
    }
}

fn change(what: Amendment) -> Change {
    Change { version: 1, at: 0, by: "sam".to_owned(), reason: "because".to_owned(), what }
}
