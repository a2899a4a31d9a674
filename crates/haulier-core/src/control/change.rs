//! One change of control, as the ledger keeps it.

use std::fmt;

use super::{Knob, Side};
use crate::port::Micros;
use crate::tolerance::Ramp;

/// An upper bound.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub enum Limit {
    /// At most so much.
    At(f64),
    /// No bound.
    None,
}

impl Limit {
    /// The bound as a number; infinite where there is none.
    #[must_use]
    pub fn number(self) -> f64 {
        match self {
            Self::At(number) => number,
            Self::None => f64::INFINITY,
        }
    }

    /// The bound, where there is one.
    #[must_use]
    pub fn finite(self) -> Option<f64> {
        match self {
            Self::At(number) => Some(number),
            Self::None => None,
        }
    }

    /// As a whole number; the largest one where there is no bound.
    #[must_use]
    pub fn whole(self) -> u32 {
        match self {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a u32")]
            Self::At(number) => number.clamp(0.0, f64::from(u32::MAX)).round() as u32,
            Self::None => u32::MAX,
        }
    }

    /// The lower one of both.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        if other.number() < self.number() { other } else { self }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(number) => write!(f, "{number}"),
            Self::None => f.write_str("none"),
        }
    }
}

/// What an operator sets a knob to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// This limit.
    To(Limit),
    /// What the site says, as before any change.
    Default,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::To(limit) => limit.fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// How far a side is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Valve {
    /// It works.
    Open,
    /// Nothing new begins; requests that left are waited for, what was not started goes back.
    Paused,
    /// Produce: no more reading, what is due goes out. Push: what is in hand ends, nothing more is taken.
    Draining,
}

impl Valve {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paused => "paused",
            Self::Draining => "draining",
        }
    }

    fn named(word: &str) -> Option<Self> {
        [Self::Open, Self::Paused, Self::Draining].into_iter().find(|valve| valve.as_str() == word)
    }
}

impl fmt::Display for Valve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What `pause`, `resume` and `drain` act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One side.
    Only(Side),
    /// Both.
    All,
}

impl Scope {
    /// Its sides.
    #[must_use]
    pub fn sides(self) -> &'static [Side] {
        match self {
            Self::Only(Side::Produce) => &[Side::Produce],
            Self::Only(Side::Push) => &[Side::Push],
            Self::All => &Side::ALL,
        }
    }
}

/// What was turned, and to what.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn {
    /// A knob.
    Knob(Knob, Setting),
    /// A side's valve.
    Valve(Side, Valve),
    /// Who raises the workers.
    Ramp(Ramp),
}

/// How the ledger names a change of the ramp.
const RAMP: &str = "ramp";

impl Turn {
    /// What was turned, as the ledger names it: `push.workers`, or `push` for the side's valve.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Knob(knob, _) => knob.as_str(),
            Self::Valve(side, _) => side.as_str(),
            Self::Ramp(_) => RAMP,
        }
    }

    /// To what, as the ledger keeps it.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Knob(_, setting) => setting.to_string(),
            Self::Valve(_, valve) => valve.to_string(),
            Self::Ramp(ramp) => ramp.to_string(),
        }
    }

    /// Back from the ledger's words; `None` for words that are not ours.
    #[must_use]
    pub fn from_words(key: &str, value: &str) -> Option<Self> {
        if let Some(knob) = Knob::named(key) {
            let setting = match value {
                "default" => Setting::Default,
                "none" => Setting::To(Limit::None),
                number => Setting::To(Limit::At(number.parse().ok().filter(|n: &f64| n.is_finite())?)),
            };
            return Some(Self::Knob(knob, setting));
        }
        if key == RAMP {
            return Ramp::from_word(value).map(Self::Ramp);
        }
        let side = Side::ALL.into_iter().find(|side| side.as_str() == key)?;
        Some(Self::Valve(side, Valve::named(value)?))
    }
}

/// One change, never altered once it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Grows with every change of the run; given by the ledger.
    pub version: u64,
    /// When.
    pub at: Micros,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// What.
    pub turn: Turn,
    /// What it was before, in the ledger's words.
    pub previous: String,
    /// Whether it was insisted upon against a rule.
    pub forced: bool,
    /// When it ends by itself, and what was before holds again.
    pub expires: Option<Micros>,
}

impl Change {
    /// Whether it still holds.
    #[must_use]
    pub fn holds_at(&self, now: Micros) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledgers_words_read_back_as_what_they_were() {
        let knobs = Knob::ALL.into_iter().flat_map(|knob| {
            [Setting::Default, Setting::To(Limit::None), Setting::To(Limit::At(0.1))]
                .map(|s| Turn::Knob(knob, s))
        });
        let valves = Side::ALL.into_iter().flat_map(|side| {
            [Valve::Open, Valve::Paused, Valve::Draining].map(|valve| Turn::Valve(side, valve))
        });
        for turn in knobs.chain(valves).chain(Ramp::ALL.map(Turn::Ramp)) {
            assert_eq!(Turn::from_words(turn.key(), &turn.value()), Some(turn));
        }
        for (key, value) in [
            ("ramp", "fast"),
            ("push.worker", "3"),
            ("push", "shut"),
            ("push.rate", "NaN"),
            ("push.rate", "inf"),
        ] {
            assert_eq!(Turn::from_words(key, value), None, "{key}={value}");
        }
    }
}
