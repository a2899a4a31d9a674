//! Runs, walks, processes and leases.

use crate::control::Report;
use crate::port::Micros;
use crate::{EntityName, ProcessId, RunId, SourceKey};

/// One walk of an entity: a number within it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WalkId {
    /// The entity.
    pub entity: EntityName,
    /// Which of its ranges.
    pub range: u32,
}

/// How far a walk has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The walk.
    pub walk: WalkId,
    /// Exclusive lower end of its range.
    pub after: Option<SourceKey>,
    /// Inclusive upper end of its range.
    pub upto: Option<SourceKey>,
    /// The last key whose record the broker confirmed.
    pub at: Option<SourceKey>,
    /// Whether the range is read to its end.
    pub done: bool,
}

/// A request for a run.
#[derive(Debug, Clone, Copy)]
pub struct RunRequest<'a> {
    /// The id of a new run.
    pub id: &'a RunId,
    /// The plan's name; a ledger serves one.
    pub plan: &'a str,
    /// The plan's digest.
    pub digest: &'a str,
    /// Goes on with an unfinished run although the plan changed.
    pub accept_plan: bool,
    /// Now.
    pub now: Micros,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The plan's name.
    pub plan: String,
    /// The plan's digest.
    pub digest: String,
    /// When it started.
    pub started_at: Micros,
    /// When everything was read.
    pub produced_at: Option<Micros>,
    /// When it finished.
    pub finished_at: Option<Micros>,
    /// Whether this call made it.
    pub fresh: bool,
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq)]
pub struct ProcessBeat {
    /// The process.
    pub process: ProcessId,
    /// The run it works for.
    pub run: RunId,
    /// `producer`, `worker` or `run` (both).
    pub role: String,
    /// Its host.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// When.
    pub at: Micros,
    /// Requests in flight.
    pub in_flight: u32,
    /// Whether it said good-bye.
    pub ended: bool,
    /// What it said of itself last, where the ledger was asked; a sign of life does not carry it.
    pub report: Option<Report>,
}

/// The producer's lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerLease {
    /// Grows with every change of the holder.
    pub epoch: u64,
}
