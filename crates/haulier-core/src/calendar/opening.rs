//! What windows and blackouts come to: openings, and whether work may begin at an instant.

use std::time::Duration;

use jiff::Timestamp;

use super::span::{Span, between, earlier, later, merged, without};
use super::tenant::Tenant;
use super::when::Side;
use super::window::{AtEnd, Window};
use super::{Calendar, Selector};

/// How far ahead an opening is looked for.
pub const HORIZON: Duration = Duration::from_hours(24 * 400);

/// A stretch of time in which a window is open and no blackout holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The window.
    pub window: String,
    /// When it is open.
    pub span: Span,
    /// The window's own hours, before blackouts were taken out and without what people added.
    pub planned: Span,
    /// How much people added.
    pub extended: Duration,
    /// The blackout that ends it earlier.
    pub cut_by: Option<String>,
}

impl Opening {
    /// The last instant at which work may begin.
    #[must_use]
    pub fn last_start(&self, cutoff: Duration) -> Timestamp {
        earlier(self.span.end, cutoff).max(self.span.start)
    }
}

/// Whether work may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Open {
        /// The window that is open; `None` where no window is asked for.
        window: Option<String>,
        /// When it closes, or a blackout begins.
        until: Option<Timestamp>,
    },
    /// The window is open, but its cutoff is over.
    TooLate {
        /// The window.
        window: String,
        /// When it closes.
        until: Timestamp,
        /// When work may begin next.
        next: Option<Timestamp>,
    },
    /// A blackout holds.
    Denied {
        /// The blackout.
        blackout: String,
        /// When work may begin next.
        next: Option<Timestamp>,
    },
    /// No window is open.
    Shut {
        /// When work may begin next.
        next: Option<Timestamp>,
    },
}

impl Verdict {
    /// Whether work may begin.
    #[must_use]
    pub fn is_open(&self) -> bool {
        match self {
            Self::Open { .. } => true,
            Self::TooLate { .. } | Self::Denied { .. } | Self::Shut { .. } => false,
        }
    }

    /// The same where nothing may run from an instant on.
    #[must_use]
    pub(super) fn before(self, end: Timestamp) -> Self {
        let cut = |next: Option<Timestamp>| next.filter(|next| *next < end);
        match self {
            Self::Open { window, until } => {
                let end = (end < Timestamp::MAX).then_some(end);
                Self::Open { window, until: [until, end].into_iter().flatten().min() }
            }
            Self::TooLate { window, until, next } => Self::TooLate { window, until, next: cut(next) },
            Self::Denied { blackout, next } => Self::Denied { blackout, next: cut(next) },
            Self::Shut { next } => Self::Shut { next: cut(next) },
        }
    }

    /// When work may begin next, where it may not now.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        match self {
            Self::Open { .. } => None,
            Self::TooLate { next, .. } | Self::Denied { next, .. } | Self::Shut { next } => *next,
        }
    }
}

impl Calendar {
    /// The window of that name.
    #[must_use]
    pub fn window(&self, name: &str) -> Option<&Window> {
        self.windows.iter().find(|window| window.name == name)
    }

    /// A window's openings that reach into a span, in order; for a tenant, or for work that is nobody's own.
    #[must_use]
    pub fn openings(&self, window: &Window, tenant: Option<&Tenant>, within: Span) -> Vec<Opening> {
        let Some(zone) = window.place.zone(tenant) else { return Vec::new() };
        // A window that people extended may reach into the span from before.
        let reach = Span { start: earlier(within.start, window.max_extension), end: within.end };
        let denied = self.denied(tenant, Span { start: reach.start, end: later(within.end, HORIZON) });
        let spans: Vec<Span> = denied.iter().map(|(span, _)| *span).collect();
        let spans = merged(spans);
        let mut found = Vec::new();
        for planned in window.when.spans(zone, Side::Allow, reach) {
            let extended = window
                .extended
                .iter()
                .filter(|(start, _)| *start == planned.start)
                .map(|(_, by)| *by)
                .sum::<Duration>()
                .min(window.max_extension);
            let whole = Span { start: planned.start, end: later(planned.end, extended) };
            for span in without(whole, &spans) {
                if span.meet(within).is_none() {
                    continue;
                }
                let cut_by = (span.end < whole.end)
                    .then(|| denied.iter().find(|(deny, _)| deny.holds(span.end)))
                    .flatten()
                    .map(|(_, name)| name.clone());
                let window = window.name.clone();
                found.push(Opening { window, span, planned, extended, cut_by });
            }
        }
        found
    }

    /// The blackouts that hold for a tenant within a span, or for everybody.
    #[must_use]
    pub fn denied(&self, tenant: Option<&Tenant>, within: Span) -> Vec<(Span, String)> {
        let mut found: Vec<(Span, String)> = Vec::new();
        for blackout in &self.blackouts {
            let meant = match tenant {
                Some(tenant) => blackout.tenants.takes(tenant),
                None => blackout.tenants == Selector::All,
            };
            if let (true, Some(zone)) = (meant, blackout.place.zone(tenant)) {
                let spans = blackout.when.spans(zone, Side::Deny, within);
                found.extend(spans.into_iter().map(|span| (span, blackout.name.clone())));
            }
        }
        found.sort();
        found
    }

    /// Whether work that takes `needs` may begin at an instant in one of these windows. Without any window only
    /// blackouts count. A window's own cutoff wins over `needs`.
    #[must_use]
    pub fn verdict(
        &self,
        windows: &[&Window],
        tenant: Option<&Tenant>,
        at: Timestamp,
        needs: Duration,
    ) -> Verdict {
        let ahead = Span::from(at, HORIZON);
        let denied = self.denied(tenant, ahead);
        if windows.is_empty() {
            return by_blackouts(&denied, at);
        }
        let mut found: Vec<(Opening, Duration)> = Vec::new();
        for window in windows {
            let cutoff = window.cutoff.unwrap_or(needs);
            found.extend(self.openings(window, tenant, ahead).into_iter().map(|opening| (opening, cutoff)));
        }
        // What is too short for its own cutoff never lets anything begin.
        let next = found
            .iter()
            .filter(|(opening, cutoff)| opening.span.start > at && opening.span.length() > *cutoff)
            .map(|(opening, _)| opening.span.start)
            .min();
        let now: Vec<&(Opening, Duration)> =
            found.iter().filter(|(opening, _)| opening.span.holds(at)).collect();
        let open = now
            .iter()
            .filter(|(opening, cutoff)| at < earlier(opening.span.end, *cutoff))
            .max_by_key(|(opening, _)| opening.span.end);
        if let Some((opening, _)) = open {
            return Verdict::Open { window: Some(opening.window.clone()), until: Some(opening.span.end) };
        }
        if let Some((opening, _)) = now.iter().max_by_key(|(opening, _)| opening.span.end) {
            let window = opening.window.clone();
            return Verdict::TooLate { window, until: opening.span.end, next };
        }
        match denied.iter().find(|(span, _)| span.holds(at)) {
            Some((_, blackout)) => Verdict::Denied { blackout: blackout.clone(), next },
            None => Verdict::Shut { next },
        }
    }

    /// When work that runs at an instant comes to the end of its windows, and what happens to it there; `None` where nothing ends
    /// it. At a blackout it drains, whatever its window says. Where nothing is open, that is now.
    #[must_use]
    pub fn must_end(
        &self,
        windows: &[&Window],
        tenant: Option<&Tenant>,
        at: Timestamp,
    ) -> Option<(Timestamp, AtEnd)> {
        if windows.is_empty() {
            let denied = self.denied(tenant, Span::from(at, HORIZON));
            return denied.first().map(|(span, _)| (span.start.max(at), AtEnd::Drain));
        }
        let now = Span::from(at, Duration::from_secs(1));
        let openings = |window: &&Window| {
            let at_end = window.at_end;
            let open =
                self.openings(window, tenant, now).into_iter().filter(|opening| opening.span.holds(at));
            let end = move |opening: Opening| {
                let at_end = if opening.cut_by.is_some() { AtEnd::Drain } else { at_end };
                (opening.span.end, at_end)
            };
            open.map(end).collect::<Vec<_>>()
        };
        let ends = windows.iter().flat_map(openings).max_by_key(|(end, _)| *end);
        Some(ends.unwrap_or((at, AtEnd::Drain)))
    }

    /// The next opening of a window that is open at an instant or opens after it.
    #[must_use]
    pub fn next_opening(&self, window: &Window, tenant: Option<&Tenant>, at: Timestamp) -> Option<Opening> {
        self.openings(window, tenant, Span::from(at, HORIZON)).into_iter().next()
    }

    /// From an opening's end to the next event of a tenant, where it has one within the horizon.
    #[must_use]
    pub fn slack<'t>(&self, opening: &Opening, tenant: &'t Tenant) -> Option<(&'t str, Duration)> {
        let (name, start) = tenant.next_event(Span::from(opening.span.start, HORIZON))?;
        Some((name, between(opening.span.end, start)))
    }
}

fn by_blackouts(denied: &[(Span, String)], at: Timestamp) -> Verdict {
    let spans = merged(denied.iter().map(|(span, _)| *span).collect());
    match (spans.iter().find(|span| span.holds(at)), denied.iter().find(|(span, _)| span.holds(at))) {
        (Some(span), Some((_, blackout))) => {
            Verdict::Denied { blackout: blackout.clone(), next: Some(span.end) }
        }
        _ => {
            let until = spans.iter().map(|span| span.start).find(|start| *start > at);
            Verdict::Open { window: None, until }
        }
    }
}
