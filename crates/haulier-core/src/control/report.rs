//! What a process says of itself: the control that it applied, and what it measured.

use super::{Limit, Measured, Side};
use crate::brake::Holding;
use crate::port::Micros;
use crate::tolerance::{Colour, LawState, Window};

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
