//! What a process says of itself: the control that it applied, and what it measured.

use super::{Knob, Limit, Measured, Side};
use crate::brake::Holding;
use crate::port::Micros;
use crate::tolerance::{Colour, LawState, Ramp, Window};

/// One process's report. What it has no part in is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The newest change that it applied.
    pub version: u64,
    /// When it applied it.
    pub applied_at: Micros,
    /// Walks at a time.
    pub fibres: Option<u32>,
    /// Records a second out of the source.
    pub produce_rate: Option<Limit>,
    /// Most rows of one read.
    pub chunk: Option<u32>,
    /// Its share of the pushes at a time.
    pub workers: Option<u32>,
    /// Its share of the requests a second.
    pub push_rate: Option<Limit>,
    /// Why it holds still although nothing in the ledger says so: the emergency file, a control that cannot be read.
    pub held: Option<String>,
    /// How many rows the source has, where the process counted them.
    pub expected: Option<u64>,
    /// What it measured of late.
    pub measured: Measured,
    /// What happened to its attempts since it started; the law takes the difference of two reports.
    pub attempts: Option<Window>,
    /// The brakes of its own that hold.
    pub brakes: Vec<(Side, Holding)>,
    /// What the tolerance law found, where this process leads.
    pub ramp: Option<RampReport>,
}

/// What the tolerance law found last. One process of a run leads; the others obey it, and the next leader goes on from it.
#[derive(Debug, Clone, PartialEq)]
pub struct RampReport {
    /// When a window was last judged, or the law began.
    pub at: Micros,
    /// The law's memory, its workers among them.
    pub state: LawState,
    /// The last colour; `None` before the first judged window.
    pub colour: Option<Colour>,
    /// The last judgement with its evidence, in words.
    pub words: String,
    /// Answered attempts a second in the last window.
    pub throughput: Option<f64>,
}

/// What the tolerance law allows of a knob by its newest report. Before the first one `auto` has the `start` workers that the law
/// will begin with: the operator's value is where it may end.
#[must_use]
pub fn adaptive(knob: Knob, ramp: Ramp, found: Option<&RampReport>, start: u32) -> Limit {
    let workers = |workers: u32| Limit::At(f64::from(workers));
    match (knob, ramp, found) {
        (_, Ramp::Off, _) | (Knob::Fibres | Knob::ProduceRate | Knob::Chunk, ..) => Limit::None,
        (Knob::Workers, _, Some(found)) => workers(found.state.workers),
        (Knob::Workers, Ramp::Auto, None) => workers(start),
        (Knob::Workers, Ramp::Advise | Ramp::Hold, None) => Limit::None,
        (Knob::PushRate, _, found) => {
            found.and_then(|found| found.state.rate).map_or(Limit::None, |(rate, _)| Limit::At(rate))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_law_allows_is_known_before_its_first_word() {
        let state = LawState { rate: Some((57.0, 2)), ..LawState::new(6, None) };
        let words = String::new();
        let found = RampReport { at: 0, state, colour: None, words, throughput: None };
        let of = |knob, ramp, found| adaptive(knob, ramp, found, 2);
        let at = |number: f64| Limit::At(number);
        assert_eq!(of(Knob::Workers, Ramp::Auto, None), at(2.0));
        assert_eq!(of(Knob::Workers, Ramp::Advise, None), Limit::None, "it begins with the operator's value");
        assert_eq!(of(Knob::Workers, Ramp::Auto, Some(&found)), at(6.0));
        assert_eq!(of(Knob::PushRate, Ramp::Hold, Some(&found)), at(57.0));
        assert_eq!(of(Knob::PushRate, Ramp::Auto, None), Limit::None);
        assert_eq!(of(Knob::Workers, Ramp::Off, Some(&found)), Limit::None);
        assert_eq!(of(Knob::Fibres, Ramp::Auto, Some(&found)), Limit::None);
    }
}
