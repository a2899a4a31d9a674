//! The date of a wave, as it can be told to people: fixed until somebody changes it.

use std::time::Duration;

use jiff::Timestamp;

use super::Calendar;
use super::opening::{HORIZON, Opening};
use super::span::{Span, earlier, later};
use super::tenant::Tenant;
use super::wave::Wave;
use super::when::{Side, When};
use super::window::Window;

impl Calendar {
    /// When a wave is planned for a tenant: the first opening on or after the wave's first day, and after the time until
    /// which the tenant is put off. A window that opens every week has no date of its own, so there it takes a first day.
    /// It does not depend on the present, so it never moves by itself.
    #[must_use]
    pub fn wave_date(&self, wave: &Wave, tenant: Option<&Tenant>) -> Option<Opening> {
        let bounds = self.bounds(wave);
        let put_off = tenant.and_then(|tenant| self.deferred_until(tenant));
        let from = bounds.start.max(put_off.unwrap_or(Timestamp::MIN));
        let windows = self.windows_of(wave);
        let found = windows.into_iter().filter_map(|window| {
            let within = self.search(window, tenant, from)?;
            let cutoff = window.cutoff.or(self.durations.tenant).unwrap_or_default();
            self.openings(window, tenant, within).into_iter().find(|opening| {
                let begins = opening.planned.start >= from && opening.span.start < bounds.end;
                begins && opening.span.length() > cutoff
            })
        });
        found.min_by_key(|opening| opening.span.start)
    }

    /// A window's date: the one that it has, or none where it opens every week.
    #[must_use]
    pub fn window_date(&self, window: &Window) -> Option<Opening> {
        let within = self.search(window, None, Timestamp::MIN)?;
        self.openings(window, None, within).into_iter().next()
    }

    /// Until when a person put a tenant off.
    #[must_use]
    pub fn deferred_until(&self, tenant: &Tenant) -> Option<Timestamp> {
        let found = self.deferred.iter().find(|(key, _)| key == tenant.key.as_str());
        found.map(|(_, until)| *until)
    }

    /// Where to look for an opening from an instant on; the beginning of time stands for none.
    fn search(&self, window: &Window, tenant: Option<&Tenant>, from: Timestamp) -> Option<Span> {
        match &window.when {
            When::Once { .. } => {
                let zone = window.place.zone(tenant)?;
                let all = Span { start: Timestamp::MIN, end: Timestamp::MAX };
                let own = window.when.spans(zone, Side::Allow, all).into_iter().next()?;
                let day = Duration::from_hours(24);
                Some(Span { start: earlier(own.start, day), end: later(own.end, day) })
            }
            When::Weekly(_) => (from > Timestamp::MIN).then(|| Span::from(from, HORIZON)),
        }
    }
}
