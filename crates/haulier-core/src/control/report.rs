//! What a process says of itself: the control that it applied, and what it measured.

use super::{Limit, Measured};
use crate::port::Micros;

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
    /// What it measured of late.
    pub measured: Measured,
}
