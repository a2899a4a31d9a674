//! From what is known of a run's control to what this process does. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use haulier_core::ProcessId;
use haulier_core::control::{
    Binding, Bounds, Effective, History, Hold, Knob, Limit, Side, Valve, effective, share, share_rate,
    sharers,
};
use haulier_core::port::{Micros, ProcessBeat};

use crate::Gate;

/// A process that could not read the control for so long raises nothing.
pub(crate) const NO_RAISE: Duration = Duration::from_secs(15);
/// And after so long it pauses.
pub(crate) const UNREAD: Duration = Duration::from_mins(1);

/// What holds and bounds besides the ledger's control: brakes, tolerance law, windows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outside {
    /// What holds a side.
    pub(crate) holds: BTreeMap<Side, Vec<Hold>>,
    /// What the tolerance law allows.
    pub(crate) adaptive: BTreeMap<Knob, Limit>,
}

/// What one process knows when it decides.
#[derive(Debug)]
pub(crate) struct Sight<'a> {
    pub(crate) history: &'a History,
    pub(crate) now: Micros,
    /// How old the newest reading of the control is; `None` before the first.
    pub(crate) age: Option<Duration>,
    pub(crate) emergency: bool,
    pub(crate) outside: &'a Outside,
    pub(crate) bounds: &'a BTreeMap<Knob, Bounds>,
    /// This process's place among the living workers, and how many there are.
    pub(crate) place: (u32, u32),
    /// Whether the others know by now that this process takes its share.
    pub(crate) settled: bool,
}

/// What one process does.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) fibres: u32,
    pub(crate) produce_rate: Limit,
    pub(crate) chunk: u32,
    pub(crate) produce: Gate,
    pub(crate) workers: u32,
    pub(crate) push_rate: Limit,
    pub(crate) push: Gate,
    /// What holds it that the ledger does not tell.
    pub(crate) held: Option<Hold>,
}

impl Decision {
    pub(crate) fn of(sight: &Sight<'_>) -> Self {
        let own = if sight.emergency {
            Some(Hold::Emergency)
        } else if sight.age.is_none_or(|age| age >= UNREAD) {
            Some(Hold::Unread)
        } else {
            None
        };
        let of = |knob: Knob| sight.effective(knob, own.as_ref());
        let (fibres, workers) = (of(Knob::Fibres), of(Knob::Workers));
        let (index, live) = sight.place;
        let total = workers.limit.whole();
        let rate = of(Knob::PushRate).limit;
        let sharers = sharers(total, rate, live);
        let own_workers = if sight.settled || live < 2 { share(total, index, sharers) } else { 0 };
        let push_rate = match rate {
            Limit::At(rate) => Limit::At(share_rate(rate, index, sharers)),
            Limit::None => Limit::None,
        };
        let gate = |side, effective: &Effective| match effective.binds {
            Binding::Pause | Binding::Held(_) => Gate::Closed,
            Binding::Nothing
            | Binding::Start
            | Binding::Ceiling
            | Binding::Operator
            | Binding::Adaptive
            | Binding::Window(_)
            | Binding::Drain => match sight.history.valve(side, sight.now).0 {
                Valve::Draining => Gate::Draining,
                Valve::Open | Valve::Paused => Gate::Open,
            },
        };
        let push = gate(Side::Push, &workers);
        Self {
            fibres: fibres.limit.whole(),
            produce_rate: of(Knob::ProduceRate).limit,
            chunk: of(Knob::Chunk).limit.whole(),
            produce: gate(Side::Produce, &fibres),
            workers: own_workers,
            push_rate,
            push: if own_workers == 0 { Gate::Closed } else { push },
            held: own,
        }
    }

    /// The same without anything raised above what it was.
    pub(crate) fn not_above(mut self, before: &Self) -> Self {
        self.fibres = self.fibres.min(before.fibres);
        self.workers = self.workers.min(before.workers);
        self.produce_rate = self.produce_rate.min(before.produce_rate);
        self.push_rate = self.push_rate.min(before.push_rate);
        self.chunk = self.chunk.min(before.chunk);
        for (gate, before) in [(&mut self.produce, before.produce), (&mut self.push, before.push)] {
            if before == Gate::Closed {
                *gate = Gate::Closed;
            }
        }
        self
    }
}

impl Sight<'_> {
    fn effective(&self, knob: Knob, own: Option<&Hold>) -> Effective {
        let mut bounds =
            self.bounds.get(&knob).cloned().unwrap_or_else(|| Bounds::new(Limit::None, Limit::None));
        if let Some(adaptive) = self.outside.adaptive.get(&knob) {
            bounds.adaptive = *adaptive;
        }
        let holds: Vec<Hold> =
            self.outside.holds.get(&knob.side()).into_iter().flatten().chain(own).cloned().collect();
        effective(knob, self.history, self.now, &bounds, &holds)
    }
}

/// This process's place among the workers that live, and how many there are, itself included.
pub(crate) fn place(
    beats: &[ProcessBeat],
    now: Micros,
    silent_after: Duration,
    me: &ProcessId,
) -> (u32, u32) {
    // A silent process drops what it has in hand at this age, so that its share is free from then on.
    let silent = Micros::try_from(silent_after.mul_f64(0.8).as_micros()).unwrap_or(Micros::MAX);
    let working = |beat: &&ProcessBeat| beat.role == "worker" || beat.role == "run";
    let alive = |beat: &&ProcessBeat| !beat.ended && now.saturating_sub(beat.at) < silent;
    let mut names: BTreeSet<&str> =
        beats.iter().filter(working).filter(alive).map(|beat| base(beat.process.as_str())).collect();
    let own = base(me.as_str());
    names.insert(own);
    let index = names.iter().position(|name| *name == own).unwrap_or(0);
    (u32::try_from(index).unwrap_or(u32::MAX), u32::try_from(names.len()).unwrap_or(u32::MAX))
}

/// A process goes on under `NAME.2`, `NAME.3` after it was taken for dead; it is one process still.
fn base(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((base, life)) if !life.is_empty() && life.bytes().all(|digit| digit.is_ascii_digit()) => base,
        Some(_) | None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::RunId;
    use haulier_core::control::{Change, Setting, Turn};

    fn change(version: u64, turn: Turn, expires: Option<Micros>) -> Change {
        let (by, previous) = ("ana".to_owned(), String::new());
        Change { version, at: 0, by, reason: None, turn, previous, forced: false, expires }
    }

    fn set(version: u64, knob: Knob, value: f64, expires: Option<Micros>) -> Change {
        change(version, Turn::Knob(knob, Setting::To(Limit::At(value))), expires)
    }

    fn bounds() -> BTreeMap<Knob, Bounds> {
        let free = |knob| (knob, Bounds::new(Limit::At(8.0), Limit::None));
        Knob::ALL.into_iter().map(free).collect()
    }

    fn at(history: &History, now: Micros, age: u64, emergency: bool, place: (u32, u32)) -> Decision {
        let (bounds, outside) = (bounds(), Outside::default());
        let age = Some(Duration::from_secs(age));
        let (settled, outside, bounds) = (true, &outside, &bounds);
        Decision::of(&Sight { history, now, age, emergency, outside, bounds, place, settled })
    }

    #[test]
    fn a_share_follows_the_total_and_the_living() {
        let history =
            History::new(vec![set(1, Knob::Workers, 16.0, None), set(2, Knob::PushRate, 30.0, None)]);
        let shares: Vec<_> = (0..3).map(|index| at(&history, 0, 0, false, (index, 3))).collect();
        assert_eq!(shares.iter().map(|share| share.workers).collect::<Vec<_>>(), [6, 5, 5]);
        assert!(shares.iter().all(|share| share.push_rate == Limit::At(10.0) && share.push == Gate::Open));
        assert_eq!(at(&history, 0, 0, false, (1, 2)).workers, 8);
        assert_eq!(at(&history, 0, 0, false, (17, 20)).push, Gate::Closed);
    }

    #[test]
    fn a_pause_closes_and_a_drain_lets_what_is_in_hand_end() {
        let valve = |side, valve| History::new(vec![change(1, Turn::Valve(side, valve), None)]);
        let paused = at(&valve(Side::Push, Valve::Paused), 0, 0, false, (0, 1));
        assert_eq!((paused.workers, paused.push, paused.produce), (0, Gate::Closed, Gate::Open));
        let draining = at(&valve(Side::Push, Valve::Draining), 0, 0, false, (0, 1));
        assert_eq!((draining.workers, draining.push), (8, Gate::Draining));
        let draining = at(&valve(Side::Produce, Valve::Draining), 0, 0, false, (0, 1));
        assert_eq!((draining.fibres, draining.produce, draining.push), (0, Gate::Draining, Gate::Open));
    }

    #[test]
    fn a_control_that_cannot_be_read_raises_nothing_and_then_pauses() {
        let history =
            History::new(vec![set(1, Knob::Workers, 9.0, None), set(2, Knob::Workers, 3.0, Some(100))]);
        let before = at(&history, 50, 0, false, (0, 1));
        let after = at(&history, 200, 16, false, (0, 1));
        assert_eq!((before.workers, after.workers), (3, 9));
        assert_eq!(after.not_above(&before).workers, 3);
        let late = at(&history, 200, 60, false, (0, 1));
        assert_eq!((late.workers, late.push, late.held), (0, Gate::Closed, Some(Hold::Unread)));
        let emergency = at(&history, 200, 0, true, (0, 1));
        assert_eq!((emergency.fibres, emergency.workers, emergency.held), (0, 0, Some(Hold::Emergency)));
    }

    #[test]
    fn the_dead_and_the_departed_have_no_place() {
        let beat = |name: &str, role: &str, at, ended| ProcessBeat {
            process: ProcessId::new(name),
            run: RunId::new("r"),
            role: role.to_owned(),
            host: "h".to_owned(),
            pid: 1,
            at,
            in_flight: 0,
            ended,
            report: None,
        };
        let now = 20_000_000;
        let beats = [
            beat("a.h-1", "worker", now, false),
            beat("b-1", "worker", now - 8_000_000, false),
            beat("c-1", "run", now - 7_900_000, false),
            beat("c-1.2", "run", now, false),
            beat("d-1", "worker", now, true),
            beat("e-1", "producer", now, false),
        ];
        let place = |me: &str| place(&beats, now, Duration::from_secs(10), &ProcessId::new(me));
        assert_eq!(place("a.h-1"), (0, 2));
        assert_eq!(place("c-1.3"), (1, 2));
        assert_eq!(place("new"), (2, 3));
    }
}
