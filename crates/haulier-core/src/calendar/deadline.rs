//! The deadlines of an opening, computed backwards from its end.

use std::time::Duration;

use jiff::Timestamp;

use super::durations::Durations;
use super::opening::Opening;
use super::span::{earlier, later};
use super::window::Window;

/// By when what must be done. Each is real elapsed time before the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadlines {
    /// A snapshot must be begun, so that it is taken and checked when the opening starts.
    pub snapshot_start_by: Option<Timestamp>,
    /// The opening starts.
    pub start: Timestamp,
    /// The work must be begun, so that it ends in time: end - what is left to do - final smoke.
    pub last_safe_start: Option<Timestamp>,
    /// A restore must be begun, so that it ends in time: end - restore - smoke.
    pub last_safe_rollback: Option<Timestamp>,
    /// People decide whether to go back.
    pub decision_point: Timestamp,
    /// No tenant and no stage begins later.
    pub cutoff: Option<Timestamp>,
    /// The opening ends.
    pub end: Timestamp,
    /// Nobody may extend it beyond that.
    pub latest_end: Timestamp,
}

impl Deadlines {
    /// Of an opening, for work that takes `needs` (without the final smoke) where that is known.
    #[must_use]
    pub fn of(opening: &Opening, window: &Window, durations: &Durations, needs: Option<Duration>) -> Self {
        let end = opening.span.end;
        let smoke = durations.smoke.unwrap_or_default();
        let left = window.max_extension.saturating_sub(opening.extended);
        let cutoff = window.cutoff.or(durations.tenant);
        Self {
            snapshot_start_by: durations
                .snapshot
                .map(|take| earlier(opening.span.start, take + durations.snapshot_check.unwrap_or_default())),
            start: opening.span.start,
            last_safe_start: needs.map(|needs| earlier(end, needs.saturating_add(smoke))),
            last_safe_rollback: durations.restore.map(|restore| earlier(end, restore.saturating_add(smoke))),
            decision_point: earlier(end, window.decision_point),
            cutoff: cutoff.map(|cutoff| earlier(end, cutoff)),
            end,
            latest_end: if opening.cut_by.is_some() { end } else { later(end, left) },
        }
    }

    /// Whether a restore that is decided at the decision point still ends in time; so, too, where none is known.
    #[must_use]
    pub fn can_go_back(&self) -> bool {
        self.last_safe_rollback.is_none_or(|last| self.decision_point <= last)
    }

    /// Each with its words, in the order of time.
    #[must_use]
    pub fn listed(&self) -> Vec<(Timestamp, &'static str)> {
        let mut all: Vec<(Timestamp, &'static str)> = [
            (self.snapshot_start_by, "start the snapshot by"),
            (Some(self.start), "window opens"),
            (self.last_safe_start, "last safe start"),
            (self.last_safe_rollback, "last safe rollback"),
            (Some(self.decision_point), "decision point"),
            (self.cutoff, "cutoff: nothing new begins"),
            (Some(self.end), "window ends"),
        ]
        .into_iter()
        .filter_map(|(at, what)| Some((at?, what)))
        .collect();
        if self.latest_end > self.end {
            all.push((self.latest_end, "latest end, extended as far as allowed"));
        }
        all.sort_by_key(|(at, _)| *at);
        all
    }
}

/// One way to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WayBack {
    /// When it would be done, begun now, the smoke test included.
    pub done_at: Timestamp,
    /// Whether that is within the opening.
    pub fits: bool,
    /// Time left until it no longer fits; nothing when it is over.
    pub spare: Duration,
}

/// What a restore that begins at an instant comes to.
#[must_use]
pub fn way_back(at: Timestamp, restore: Duration, smoke: Duration, end: Timestamp) -> WayBack {
    let done_at = later(at, restore.saturating_add(smoke));
    let last = earlier(end, restore.saturating_add(smoke));
    WayBack { done_at, fits: done_at <= end, spare: super::span::between(at, last) }
}
