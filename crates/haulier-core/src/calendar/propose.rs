//! Which tenants should go first: each is scored by terms that are shown, and the best goes next.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::suggest::Activity;
use super::tenant::Tenant;
use super::window::Window;
use super::{Calendar, Selector, Span};

/// How far ahead an event counts against a tenant.
const EVENTS_AHEAD: Duration = Duration::from_hours(14 * 24);

/// One term of a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Its name.
    pub name: &'static str,
    /// 0 to 1; one half where nothing is known.
    pub points: f64,
    /// What it counts.
    pub weight: f64,
    /// Why.
    pub why: String,
}

/// How well a tenant suits an early wave.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The tenant.
    pub tenant: String,
    /// Its terms.
    pub terms: Vec<Term>,
}

impl Score {
    /// The sum of points by weight, 0 to 10.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.terms.iter().map(|term| term.points * term.weight).sum()
    }
}

/// Waves that suit the tenants.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The waves, each with its tenants in the order in which they were taken.
    pub waves: Vec<Vec<Score>>,
    /// After each wave: configuration values that were met so far.
    pub covered: Vec<usize>,
    /// Configuration values in all.
    pub values: usize,
    /// Those that the first wave does not meet.
    pub missing_first: Vec<String>,
}

const UNKNOWN: f64 = 0.5;

/// Scores a tenant for a time to come; `covered` are the configuration values that earlier tenants have shown already.
#[must_use]
pub fn score(
    calendar: &Calendar,
    tenant: &Tenant,
    window: Option<&Window>,
    from: Timestamp,
    covered: &BTreeSet<&str>,
) -> Score {
    let activity = Activity::of_usage(&tenant.usage);
    let terms = vec![
        events(tenant, from),
        steady(activity.as_ref()),
        cover(tenant, covered),
        quiet(calendar, tenant, activity.as_ref(), window, from),
        small(calendar, tenant, activity.as_ref()),
    ];
    Score { tenant: tenant.key.as_str().to_owned(), terms }
}

fn events(tenant: &Tenant, from: Timestamp) -> Term {
    let (points, why) = match tenant.next_event(Span::from(from, EVENTS_AHEAD)) {
        None => (1.0, "no event within 14 days".to_owned()),
        Some((name, start)) => {
            let away = super::span::between(from, start).as_secs_f64() / EVENTS_AHEAD.as_secs_f64();
            let days = super::span::between(from, start).as_secs() / 86_400;
            (away.min(1.0), format!("{name} in {days} days"))
        }
    };
    Term { name: "no event near", points, weight: 3.0, why }
}

fn steady(activity: Option<&Activity>) -> Term {
    let (points, why) = match activity.and_then(Activity::variation) {
        Some(variation) => (1.0 / (1.0 + variation), format!("its hours vary by {:.0} %", variation * 100.0)),
        None => (UNKNOWN, "its usage is not known".to_owned()),
    };
    Term { name: "steady use", points, weight: 2.0, why }
}

fn cover(tenant: &Tenant, covered: &BTreeSet<&str>) -> Term {
    let own: Vec<&str> = tenant.configuration().collect();
    let new: Vec<&str> = own.iter().copied().filter(|value| !covered.contains(value)).collect();
    let (points, why) = match (own.len(), new.len()) {
        (0, _) => (0.0, "it has no configuration values".to_owned()),
        (_, 0) => (0.0, "all its configuration values were met before".to_owned()),
        (all, fresh) => (share(fresh, all), format!("first with {}", new.join(", "))),
    };
    Term { name: "new configuration", points, weight: 2.0, why }
}

fn quiet(
    calendar: &Calendar,
    tenant: &Tenant,
    activity: Option<&Activity>,
    window: Option<&Window>,
    from: Timestamp,
) -> Term {
    let term = |points: f64, why: String| Term { name: "quiet hours", points, weight: 2.0, why };
    let (Some(window), Some(zone)) = (window, tenant.zone.as_ref()) else {
        return term(UNKNOWN, "its zone or the window is not known".to_owned());
    };
    let Some(opening) = calendar.next_opening(window, Some(tenant), from) else {
        return term(0.0, format!("window {} never opens for it", window.name));
    };
    let mut hours = 0_usize;
    let mut night = 0_usize;
    let mut used = 0.0;
    let mut at = opening.span.start;
    while at < opening.span.end && hours < 24 * 14 {
        let local = zone.local(at);
        hours += 1;
        night += usize::from(local.hour() < 6 || local.hour() >= 22);
        used += activity.map_or(0.0, |activity| activity.share(local));
        at = super::span::later(at, Duration::from_hours(1));
    }
    if activity.is_some_and(|activity| activity.whole() > 0.0) {
        return term((1.0 - used).clamp(0.0, 1.0), format!("{:.1} % of its week lies in it", used * 100.0));
    }
    term(share(night, hours.max(1)), format!("{night} of {hours} hours are night there"))
}

fn small(calendar: &Calendar, tenant: &Tenant, activity: Option<&Activity>) -> Term {
    let named = [("size:small", 1.0), ("size:medium", UNKNOWN), ("size:large", 0.0)];
    let by_tag = named.into_iter().find(|(tag, _)| tenant.has(tag));
    let (points, why) = match (by_tag, activity) {
        (Some((tag, points)), _) => (points, tag.to_owned()),
        (None, Some(activity)) => {
            let sizes = calendar.tenants.iter().filter_map(|other| Activity::of_usage(&other.usage));
            let largest = sizes.map(|other| other.whole()).fold(0.0, f64::max);
            if largest > 0.0 {
                let part = activity.whole() / largest;
                (1.0 - part, format!("{:.0} % of the largest tenant's activity", part * 100.0))
            } else {
                (UNKNOWN, "its usage is not known".to_owned())
            }
        }
        (None, None) => (UNKNOWN, "its size is not known".to_owned()),
    };
    Term { name: "few people", points, weight: 1.0, why }
}

/// Cuts the tenants that no wave names by key into that many waves: the best first, each wave larger than the one before.
#[must_use]
pub fn propose(calendar: &Calendar, count: usize, window: Option<&Window>, from: Timestamp) -> Proposal {
    let named = |tenant: &Tenant| {
        let mut by_key = calendar.waves.iter().filter(|wave| matches!(wave.tenants, Selector::Keys(_)));
        by_key.any(|wave| wave.tenants.takes(tenant))
    };
    let taken = |tenant: &&Tenant| tenant.excluded.is_none() && named(tenant);
    let mut covered: BTreeSet<&str> =
        calendar.tenants.iter().filter(taken).flat_map(Tenant::configuration).collect();
    let mut left: Vec<&Tenant> =
        calendar.tenants.iter().filter(|tenant| tenant.excluded.is_none() && !named(tenant)).collect();
    let everything: BTreeSet<&str> = calendar
        .tenants
        .iter()
        .filter(|tenant| tenant.excluded.is_none())
        .flat_map(Tenant::configuration)
        .collect();
    let mut proposal = Proposal {
        waves: Vec::new(),
        covered: Vec::new(),
        values: everything.len(),
        missing_first: Vec::new(),
    };
    for size in sizes(left.len(), count) {
        let mut wave = Vec::with_capacity(size);
        for _ in 0..size {
            let scored = left
                .iter()
                .enumerate()
                .map(|(index, tenant)| (index, score(calendar, tenant, window, from, &covered)));
            // Of equals the first in the plan.
            let best = scored.reduce(|best, next| if next.1.total() > best.1.total() { next } else { best });
            let Some((index, score)) = best else { break };
            covered.extend(left.remove(index).configuration());
            wave.push(score);
        }
        if proposal.waves.is_empty() {
            proposal.missing_first =
                everything.difference(&covered).map(|value| (*value).to_owned()).collect();
        }
        proposal.covered.push(covered.len());
        proposal.waves.push(wave);
    }
    proposal
}

/// How many tenants each wave takes: growing, none empty.
fn sizes(tenants: usize, waves: usize) -> Vec<usize> {
    let waves = waves.clamp(1, tenants.max(1));
    let parts: usize = (1..=waves).sum();
    let mut sizes: Vec<usize> = (1..=waves).map(|part| (tenants * part / parts).max(1)).collect();
    let before: usize = sizes.iter().rev().skip(1).sum();
    if let Some(last) = sizes.last_mut() {
        *last = tenants.saturating_sub(before);
    }
    sizes
}

/// A part of a whole, both small.
fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole.max(1))
}
