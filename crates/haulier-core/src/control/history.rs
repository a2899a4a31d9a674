//! All changes of a run, and what holds at a time.

use super::{Change, Knob, Side, Turn, Valve};
use crate::port::Micros;
use crate::tolerance::Ramp;

/// The changes of a run in the order of their versions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History(Vec<Change>);

impl History {
    /// Takes changes in any order.
    #[must_use]
    pub fn new(changes: Vec<Change>) -> Self {
        let mut history = Self::default();
        history.extend(changes);
        history
    }

    /// Adds changes; one that is known already is left out.
    pub fn extend(&mut self, changes: Vec<Change>) {
        self.0.extend(changes);
        self.0.sort_by_key(|change| change.version);
        self.0.dedup_by_key(|change| change.version);
    }

    /// The newest version; 0 before the first change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.last().map_or(0, |change| change.version)
    }

    /// All changes, oldest first.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.0
    }

    /// What was on record at a time.
    #[must_use]
    pub fn until(&self, at: Micros) -> Self {
        Self(self.0.iter().filter(|change| change.at <= at).cloned().collect())
    }

    /// The change of a knob that holds now: the newest that has not expired, so that an expiry brings back what was before.
    #[must_use]
    pub fn knob(&self, knob: Knob, now: Micros) -> Option<&Change> {
        let of_knob = |change: &&Change| matches!(change.turn, Turn::Knob(of, _) if of == knob);
        self.0.iter().rev().filter(of_knob).find(|change| change.holds_at(now))
    }

    /// How far a side is open now, and the change that says so.
    #[must_use]
    pub fn valve(&self, side: Side, now: Micros) -> (Valve, Option<&Change>) {
        let found =
            self.0.iter().rev().filter(|change| change.holds_at(now)).find_map(|change| match change.turn {
                Turn::Valve(of, valve) if of == side => Some((valve, change)),
                Turn::Valve(..) | Turn::Knob(..) | Turn::Ramp(_) => None,
            });
        found.map_or((Valve::Open, None), |(valve, change)| (valve, Some(change)))
    }

    /// Who raises the workers, and the change that says so; `None` while the site's word holds.
    #[must_use]
    pub fn ramp(&self, now: Micros) -> Option<(Ramp, &Change)> {
        self.0.iter().rev().filter(|change| change.holds_at(now)).find_map(|change| match change.turn {
            Turn::Ramp(ramp) => Some((ramp, change)),
            Turn::Valve(..) | Turn::Knob(..) => None,
        })
    }

    /// How long a side was paused between two times.
    #[must_use]
    pub fn paused(&self, side: Side, from: Micros, to: Micros) -> Micros {
        let of_side =
            || self.0.iter().filter(|change| matches!(change.turn, Turn::Valve(of, _) if of == side));
        let mut seams: Vec<Micros> = of_side()
            .flat_map(|change| [Some(change.at), change.expires])
            .flatten()
            .chain([from, to])
            .filter(|seam| (from..=to).contains(seam))
            .collect();
        seams.sort_unstable();
        let known_at = |at| Self(of_side().filter(|change| change.at <= at).cloned().collect());
        seams
            .windows(2)
            .filter_map(|pair| match pair {
                [start, end] => Some((*start, *end)),
                _ => None,
            })
            .filter(|(start, _)| known_at(*start).valve(side, *start).0 == Valve::Paused)
            .map(|(start, end)| end - start)
            .sum()
    }

    /// When the next change expires.
    #[must_use]
    pub fn next_expiry(&self, now: Micros) -> Option<Micros> {
        self.0.iter().filter_map(|change| change.expires).filter(|expires| *expires > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Limit, Setting};
    use super::*;

    fn set(version: u64, workers: f64, expires: Option<Micros>) -> Change {
        let turn = Turn::Knob(Knob::Workers, Setting::To(Limit::At(workers)));
        change(version, turn, expires)
    }

    fn change(version: u64, turn: Turn, expires: Option<Micros>) -> Change {
        let (by, previous) = ("ana".to_owned(), String::new());
        Change { version, at: 0, by, reason: None, turn, previous, forced: false, expires }
    }

    #[test]
    fn an_expiry_brings_back_what_was_before() {
        let history = History::new(vec![set(3, 4.0, Some(50)), set(1, 8.0, None), set(2, 16.0, Some(100))]);
        let at = |now| history.knob(Knob::Workers, now).map(|change| change.version);
        assert_eq!([at(10), at(49), at(50), at(99), at(100)], [Some(3), Some(3), Some(2), Some(2), Some(1)]);
        assert_eq!(
            (history.version(), history.next_expiry(10), history.next_expiry(60)),
            (3, Some(50), Some(100))
        );
        assert_eq!(history.knob(Knob::PushRate, 10), None);
    }

    #[test]
    fn a_pause_ends_by_its_time_or_by_a_resume() {
        let pause = |version, expires| change(version, Turn::Valve(Side::Push, Valve::Paused), expires);
        let mut history = History::new(vec![pause(1, Some(100))]);
        assert_eq!(history.valve(Side::Push, 10).0, Valve::Paused);
        assert_eq!(history.valve(Side::Produce, 10).0, Valve::Open);
        assert_eq!(history.valve(Side::Push, 100), (Valve::Open, None));
        history.extend(vec![change(2, Turn::Valve(Side::Push, Valve::Open), None), pause(1, Some(100))]);
        assert_eq!(history.changes().len(), 2);
        assert_eq!(history.valve(Side::Push, 10).0, Valve::Open);
    }

    #[test]
    fn what_was_on_record_at_a_time_leaves_out_what_came_later() {
        let at = |version, at| Change { at, ..set(version, 8.0, None) };
        let history = History::new(vec![at(1, 10), at(2, 20), at(3, 30)]);
        let versions = |upto| history.until(upto).changes().iter().map(|change| change.version).collect();
        let known: [Vec<u64>; 4] = [9, 10, 29, 30].map(versions);
        assert_eq!(known, [vec![], vec![1], vec![1, 2], vec![1, 2, 3]]);
    }

    #[test]
    fn the_time_of_pauses_is_known() {
        let at = |version, at, valve, expires| Change {
            at,
            ..change(version, Turn::Valve(Side::Push, valve), expires)
        };
        let history = History::new(vec![
            at(1, 10, Valve::Paused, None),
            at(2, 30, Valve::Open, None),
            at(3, 50, Valve::Paused, Some(60)),
            at(4, 90, Valve::Draining, None),
        ]);
        assert_eq!(history.paused(Side::Push, 0, 100), 30);
        assert_eq!(history.paused(Side::Push, 20, 55), 15);
        assert_eq!(history.paused(Side::Produce, 0, 100), 0);
    }
}
