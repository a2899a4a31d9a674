//! What a knob comes to, and what makes it so.

use std::fmt;

use super::{History, Knob, Limit, Setting, Valve};
use crate::port::Micros;

/// A knob's value now, with what decides it.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// The value; 0 while anything holds the side.
    pub limit: Limit,
    /// What decides it.
    pub binds: Binding,
}

/// What decides a knob's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// Nothing: there is no limit.
    Nothing,
    /// The site's start value.
    Start,
    /// The site's ceiling.
    Ceiling,
    /// What an operator set.
    Operator,
    /// What the tolerance law found.
    Adaptive,
    /// The window that is open now.
    Window(String),
    /// An operator's pause.
    Pause,
    /// An operator's drain.
    Drain,
    /// Something else that holds the side.
    Held(Hold),
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Start => f.write_str("start value"),
            Self::Ceiling => f.write_str("ceiling"),
            Self::Operator => f.write_str("operator"),
            Self::Adaptive => f.write_str("adaptive"),
            Self::Window(name) => write!(f, "window {name}"),
            Self::Pause => f.write_str("pause"),
            Self::Drain => f.write_str("drain"),
            Self::Held(hold) => hold.fmt(f),
        }
    }
}

/// What holds a side whatever its knobs say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// The emergency file is there.
    Emergency,
    /// The control could not be read for too long.
    Unread,
    /// A brake, by its name.
    Brake(String),
    /// No window is open; the name of the next one, or of the blackout.
    Window(String),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Emergency => f.write_str("emergency file PAUSE"),
            Self::Unread => f.write_str("control unreadable"),
            Self::Brake(name) => write!(f, "brake {name}"),
            Self::Window(name) => write!(f, "window {name}"),
        }
    }
}

/// What bounds a knob besides the operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds {
    /// The start value, which holds until an operator sets another.
    pub start: Limit,
    /// The most that the site allows; a forced change goes beyond it.
    pub ceiling: Limit,
    /// What the tolerance law allows.
    pub adaptive: Limit,
    /// What the open window allows, and its name.
    pub window: Option<(String, f64)>,
}

impl Bounds {
    /// A start value under a ceiling, and nothing else.
    #[must_use]
    pub fn new(start: Limit, ceiling: Limit) -> Self {
        Self { start, ceiling, adaptive: Limit::None, window: None }
    }
}

/// The lowest of operator's value (or start value), ceiling, adaptive value and window; 0 while anything holds the side.
/// The chunk size has no 0: it says how, not how much.
#[must_use]
pub fn effective(knob: Knob, history: &History, now: Micros, bounds: &Bounds, holds: &[Hold]) -> Effective {
    if knob != Knob::Chunk {
        let stopped = |binds| Effective { limit: Limit::At(0.0), binds };
        // A person's word comes first: it does not end by itself.
        match history.valve(knob.side(), now).0 {
            Valve::Paused => return stopped(Binding::Pause),
            // What is in hand goes on as it is; only reading ends at once.
            Valve::Draining if knob == Knob::Fibres => return stopped(Binding::Drain),
            Valve::Draining | Valve::Open => {}
        }
        if let Some(hold) = holds.iter().min() {
            return stopped(Binding::Held(hold.clone()));
        }
    }
    let (mut limit, mut binds) = (bounds.start, Binding::Start);
    let mut ceiling = bounds.ceiling;
    if let Some(change) = history.knob(knob, now)
        && let super::Turn::Knob(_, Setting::To(set)) = change.turn
    {
        (limit, binds) = (set, Binding::Operator);
        if change.forced {
            ceiling = Limit::None;
        }
    }
    let window = bounds.window.as_ref();
    let others = [
        (ceiling, Binding::Ceiling),
        (bounds.adaptive, Binding::Adaptive),
        (
            window.map_or(Limit::None, |(_, most)| Limit::At(*most)),
            Binding::Window(window.map_or_else(String::new, |(name, _)| name.clone())),
        ),
    ];
    for (other, binding) in others {
        if other.number() < limit.number() {
            (limit, binds) = (other, binding);
        }
    }
    if limit == Limit::None {
        binds = Binding::Nothing;
    }
    Effective { limit, binds }
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Side, Turn};
    use super::*;

    fn change(version: u64, turn: Turn, forced: bool) -> Change {
        let (by, previous) = ("ana".to_owned(), String::new());
        Change { version, at: 0, by, reason: None, turn, previous, forced, expires: None }
    }

    fn at(number: f64, binds: Binding) -> Effective {
        Effective { limit: Limit::At(number), binds }
    }

    #[test]
    fn the_lowest_bound_decides_and_is_named() {
        let set = |workers| Turn::Knob(Knob::Workers, Setting::To(Limit::At(workers)));
        let mut history = History::default();
        let mut bounds = Bounds::new(Limit::At(4.0), Limit::At(16.0));
        let now = |history: &History, bounds: &Bounds, holds: &[Hold]| {
            effective(Knob::Workers, history, 0, bounds, holds)
        };
        assert_eq!(now(&history, &bounds, &[]), at(4.0, Binding::Start));
        history.extend(vec![change(1, set(12.0), false)]);
        assert_eq!(now(&history, &bounds, &[]), at(12.0, Binding::Operator));
        bounds.adaptive = Limit::At(9.0);
        assert_eq!(now(&history, &bounds, &[]), at(9.0, Binding::Adaptive));
        bounds.window = Some(("night".to_owned(), 2.0));
        assert_eq!(now(&history, &bounds, &[]), at(2.0, Binding::Window("night".to_owned())));
        let holds = [Hold::Brake("src-lag".to_owned()), Hold::Emergency];
        assert_eq!(now(&history, &bounds, &holds), at(0.0, Binding::Held(Hold::Emergency)));
        history.extend(vec![change(2, Turn::Valve(Side::Push, Valve::Paused), false)]);
        assert_eq!(now(&history, &bounds, &holds), at(0.0, Binding::Pause));
    }

    #[test]
    fn only_a_forced_value_goes_beyond_the_ceiling() {
        let set = |workers| Turn::Knob(Knob::Workers, Setting::To(Limit::At(workers)));
        let bounds = Bounds::new(Limit::At(4.0), Limit::At(16.0));
        let of = |history| effective(Knob::Workers, &history, 0, &bounds, &[]);
        assert_eq!(of(History::new(vec![change(1, set(20.0), false)])), at(16.0, Binding::Ceiling));
        assert_eq!(of(History::new(vec![change(1, set(20.0), true)])), at(20.0, Binding::Operator));
        let back = Turn::Knob(Knob::Workers, Setting::Default);
        let history = History::new(vec![change(1, set(20.0), true), change(2, back, false)]);
        assert_eq!(of(history), at(4.0, Binding::Start));
    }

    #[test]
    fn a_rate_without_limit_is_bound_by_nothing() {
        let bounds = Bounds::new(Limit::None, Limit::None);
        let free = effective(Knob::PushRate, &History::default(), 0, &bounds, &[]);
        assert_eq!(free, Effective { limit: Limit::None, binds: Binding::Nothing });
    }
}
