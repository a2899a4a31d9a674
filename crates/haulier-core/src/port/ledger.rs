//! The ledger port: everything that must outlive a crash. The ledger, not the queue, says what has landed.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use async_trait::async_trait;

use super::Micros;
use crate::record::Generation;
use crate::{
    Digest, EntityName, Failure, FailureKind, Origin, ProcessId, RecordRef, RecordState, RunId, SourceKey,
    TargetId, TenantKey,
};

/// The whole ledger. Every call is one transaction, durable when it returns, and safe to repeat.
/// A dropped call may or may not have happened.
pub trait Ledger: RecordBook + Cursors + Controls {}
impl<T: RecordBook + Cursors + Controls> Ledger for T {}

/// What happened to each record, and the id map.
#[async_trait]
pub trait RecordBook: Debug + Send + Sync {
    /// Notes the rows that the producer read, before they are published, and says of each what to do.
    ///
    /// - never seen, or other content than what landed: `Queued`, publish;
    /// - queued, held or retrying in this run already with the same content: publish again (a repeat is harmless);
    /// - landed with the same content: `Skipped` when this run had not landed it itself, nothing to do either way;
    /// - being sent right now: the newer generation is noted and goes out when that request has ended;
    /// - dead in this run with the same content: stays dead;
    /// - its natural key belongs to another source key of the entity: dead(duplicate), naming that key.
    ///
    /// The run's planned count grows by the rows that were not yet part of it, in the same transaction.
    async fn admit(&self, admit: Admit<'_>) -> Result<Vec<Admission>, LedgerError>;

    /// Takes records for sending: one claim per key at any time, attempt + 1. One answer each, in order.
    async fn claim(
        &self,
        run: &RunId,
        entity: &EntityName,
        owner: &ProcessId,
        wanted: &[Wanted],
    ) -> Result<Vec<Claim>, LedgerError>;

    /// Stores what became of claimed records. One answer each, in order: `false` where the claim was no longer `owner`'s
    /// (it fell silent and lost it), and nothing was stored. Landing releases the held children in the same transaction;
    /// a `Held` on a parent that landed meanwhile becomes `Retry`, due at once. A record that was seen again with a newer
    /// generation while it was being sent becomes `Retry`, due at once, after its outcome is kept.
    async fn settle(
        &self,
        run: &RunId,
        entity: &EntityName,
        owner: &ProcessId,
        settled: &[Settled],
    ) -> Result<Vec<bool>, LedgerError>;

    /// Target ids of landed records; one that has none is not in the answer.
    async fn target_ids(&self, records: &[RecordRef]) -> Result<HashMap<RecordRef, TargetId>, LedgerError>;

    /// Records whose time has come: retry and unknown, due at or before `now`, oldest first.
    async fn due(&self, run: &RunId, now: Micros, limit: u32) -> Result<Vec<Due>, LedgerError>;

    /// Notes that due records were published again: retry becomes queued, unknown is due again at `again`.
    /// One that moved on meanwhile (another attempt number or state) is left alone.
    async fn republished(&self, run: &RunId, records: &[Due], again: Micros) -> Result<(), LedgerError>;

    /// Turns the claims of processes that did not beat since `silent_since` into unknown, due at `due`. Returns how many.
    async fn reap(&self, run: &RunId, silent_since: Micros, due: Micros) -> Result<u64, LedgerError>;

    /// Makes records that are queued in the ledger but lost by the queue due at once. Only right when the queue is
    /// known empty. Returns how many.
    async fn rescue(&self, run: &RunId, now: Micros) -> Result<u64, LedgerError>;

    /// When the next retry or unknown is due, if any.
    async fn next_due(&self, run: &RunId) -> Result<Option<Micros>, LedgerError>;

    /// Planned and the count of each state, per entity.
    async fn tally(&self, run: &RunId) -> Result<Tally, LedgerError>;

    /// Records in these states, in entity and key order, after `after`, at most `limit`.
    async fn list(
        &self,
        run: &RunId,
        filter: &DeadFilter,
        after: Option<&RecordRef>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, LedgerError>;

    /// Makes dead or held records due at once with fresh attempts, or waives them with a reason. Returns how many.
    async fn judge(
        &self,
        run: &RunId,
        records: &[RecordRef],
        waive: Option<&str>,
        by: &str,
        now: Micros,
    ) -> Result<u64, LedgerError>;

    /// The id map, at most `limit` rows after `after` (the last row of the page before).
    async fn id_map(
        &self,
        entity: Option<&EntityName>,
        order: IdOrder,
        after: Option<&IdRow>,
        limit: u32,
    ) -> Result<Vec<IdRow>, LedgerError>;
}

/// How far each walk has come.
#[async_trait]
pub trait Cursors: Debug + Send + Sync {
    /// The walks of an entity in this run, with their cursors; empty before the first.
    async fn cursors(&self, run: &RunId, entity: &EntityName) -> Result<Vec<Cursor>, LedgerError>;

    /// Stores cursors. Called only after the broker confirmed everything up to them.
    async fn advance(&self, run: &RunId, cursors: &[Cursor]) -> Result<(), LedgerError>;
}

/// Runs, processes and leases.
#[async_trait]
pub trait Controls: Debug + Send + Sync {
    /// Opens the newest run when it is unfinished, else a new one. An unfinished run of another plan digest is refused
    /// with [`LedgerError::PlanChanged`] unless `accept_plan`.
    async fn open_run(&self, request: RunRequest<'_>) -> Result<Run, LedgerError>;

    /// The newest run, finished or not.
    async fn latest_run(&self) -> Result<Option<Run>, LedgerError>;

    /// Marks a run as finished: everything planned is landed, dead, held or skipped.
    async fn finish_run(&self, run: &RunId, now: Micros) -> Result<(), LedgerError>;

    /// Marks a run's walks as all done (the producer has read everything).
    async fn produced(&self, run: &RunId, now: Micros) -> Result<(), LedgerError>;

    /// Says that a process is alive.
    async fn beat(&self, beat: &ProcessBeat) -> Result<(), LedgerError>;

    /// The processes of a run, newest beat first.
    async fn processes(&self, run: &RunId) -> Result<Vec<ProcessBeat>, LedgerError>;

    /// Takes or renews the run's producer lease until `until`. Another live holder is [`LedgerError::LeaseHeld`].
    async fn hold_producer_lease(
        &self,
        run: &RunId,
        process: &ProcessId,
        now: Micros,
        until: Micros,
    ) -> Result<ProducerLease, LedgerError>;

    /// Gives the lease back, if it is this process's.
    async fn release_producer_lease(&self, run: &RunId, process: &ProcessId) -> Result<(), LedgerError>;
}

/// Rows that the producer read.
#[derive(Debug, Clone, Copy)]
pub struct Admit<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The entity of all rows.
    pub entity: &'a EntityName,
    /// The rows.
    pub sightings: &'a [Sighting],
    /// Now.
    pub now: Micros,
}

/// One row that the producer read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its key.
    pub key: SourceKey,
    /// Its tenant.
    pub tenant: Option<TenantKey>,
    /// Its generation.
    pub generation: Generation,
    /// Digest of its payload.
    pub hash: Digest,
    /// Digest of its folded natural key, where the entity has one.
    pub natural: Option<Digest>,
    /// What the producer wants with it.
    pub intent: SightingIntent,
}

/// What the producer wants with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SightingIntent {
    /// Send it.
    Send,
    /// It cannot be mapped: dead at once.
    Refuse(Failure),
    /// Leave it out, with the reason.
    Skip(String),
}

/// What became of a row at admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Admission {
    /// Publish it.
    Publish,
    /// Nothing to do: it landed with this content.
    Unchanged,
    /// It is being sent; the newer content goes out afterwards.
    Noted,
    /// It is dead.
    Dead,
    /// It is left out.
    Skipped,
}

/// A record that a worker wants to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its key.
    pub key: SourceKey,
    /// The generation in hand.
    pub generation: Generation,
    /// The content in hand.
    pub hash: Digest,
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Send it.
    Send {
        /// The number of this attempt, from 1.
        attempt: u32,
        /// Its target id, when it landed before.
        known: Option<TargetId>,
        /// An earlier outcome is unknown: look up before anything is created.
        unsure: bool,
    },
    /// Nothing to do: landed, superseded by a newer generation, dead, of another run, or in another worker's hands.
    Drop,
}

/// What became of a claimed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Its key.
    pub key: SourceKey,
    /// The attempt that the claim gave.
    pub attempt: u32,
    /// What became of it.
    pub how: Settlement,
    /// Now.
    pub now: Micros,
}

/// What became of a claimed record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// The target has it.
    Landed {
        /// Its id there. One that another record of the entity has already makes the record dead(duplicate).
        id: TargetId,
        /// How it came to be there.
        origin: Origin,
        /// The content that landed.
        hash: Digest,
        /// The generation that landed.
        generation: Generation,
    },
    /// Try again at `due`.
    Retry {
        /// When.
        due: Micros,
        /// Why.
        failure: Failure,
        /// Whether the attempt counts.
        counted: bool,
    },
    /// Look up at `due`, before any resend.
    Unknown {
        /// When.
        due: Micros,
        /// Why.
        failure: Failure,
    },
    /// Wait for this parent.
    AwaitParent(RecordRef),
    /// Wait for a person.
    AwaitPerson(Failure),
    /// Give it up.
    Dead(Failure),
    /// Not sent: back to the queue, the attempt does not count.
    Unsent,
}

/// A record whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Which.
    pub record: RecordRef,
    /// Its attempt number.
    pub attempt: u32,
    /// `Retry` or `Unknown`.
    pub state: RecordState,
}

/// Which records to list; an empty list does not narrow.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadFilter {
    /// States; never empty.
    pub states: Vec<RecordState>,
    /// Only this entity.
    pub entity: Option<EntityName>,
    /// Only these kinds of failure.
    pub kinds: Vec<FailureKind>,
    /// Only this tenant.
    pub tenant: Option<TenantKey>,
}

/// A record as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Which.
    pub record: RecordRef,
    /// Its tenant.
    pub tenant: Option<TenantKey>,
    /// Its state.
    pub state: RecordState,
    /// Attempts used.
    pub attempts: u32,
    /// The last failure, or the reason why it was skipped.
    pub failure: Option<Failure>,
    /// The parent it waits for.
    pub waits_for: Option<RecordRef>,
    /// Its target id.
    pub target_id: Option<TargetId>,
    /// When the state was set.
    pub since: Micros,
}

/// The order of the id map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IdOrder {
    /// As it landed.
    Landed,
    /// The last first, created ones only: the undo list.
    Undo,
}

/// One row of the id map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdRow {
    /// The record.
    pub record: RecordRef,
    /// Its target id.
    pub target_id: TargetId,
    /// How it came to be there.
    pub origin: Origin,
    /// The run that first landed it.
    pub run: RunId,
    /// When it first landed.
    pub landed_at: Micros,
}

/// Counts of one entity in one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityTally {
    /// Rows that became part of the run, counted as they were admitted.
    pub planned: u64,
    /// Records in each state.
    pub states: BTreeMap<RecordState, u64>,
}

impl EntityTally {
    /// Records in one state.
    #[must_use]
    pub fn of(&self, state: RecordState) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// Records that haulier itself still has something to do for.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.states.iter().filter(|(state, _)| state.is_open()).map(|(_, count)| count).sum()
    }

    /// The conservation law: planned = landed + dead + held + skipped + open.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        self.planned == self.states.values().sum::<u64>()
    }
}

/// Counts of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Per entity.
    pub entities: BTreeMap<EntityName, EntityTally>,
}

impl Tally {
    /// All entities together.
    #[must_use]
    pub fn total(&self) -> EntityTally {
        let mut total = EntityTally::default();
        for tally in self.entities.values() {
            total.planned += tally.planned;
            for (state, count) in &tally.states {
                *total.states.entry(*state).or_default() += count;
            }
        }
        total
    }

    /// The conservation law, per entity; the name of the first entity that breaks it.
    pub fn check_conserved(&self) -> Result<(), &EntityName> {
        self.entities.iter().find(|(_, tally)| !tally.is_conserved()).map_or(Ok(()), |(name, _)| Err(name))
    }
}

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
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

/// The producer's lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerLease {
    /// Grows with every change of the holder.
    pub epoch: u64,
}

/// Why the ledger did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// No connection, a locked file, or a full disk; nothing was stored.
    #[error("the ledger at {at} cannot be used: {cause}")]
    Unreachable {
        /// Host and port, or file.
        at: String,
        /// The driver's words.
        cause: String,
    },
    /// The database refuses the user.
    #[error("the ledger at {at} refuses the credentials: {cause}")]
    Credentials {
        /// Host and port.
        at: String,
        /// The server's words.
        cause: String,
    },
    /// The disk is full; nothing was stored.
    #[error("the disk of the ledger at {at} is full")]
    DiskFull {
        /// Host and port, or file.
        at: String,
    },
    /// It was written by a newer haulier.
    #[error("the ledger has version {found}, this haulier knows versions up to {known}")]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// It belongs to another plan.
    #[error("the ledger belongs to the plan `{found}`, not to `{asked}`")]
    OtherPlan {
        /// The plan it belongs to.
        found: String,
        /// The plan that asked.
        asked: String,
    },
    /// The plan changed while its run is unfinished.
    #[error("run {run} is unfinished and was started with another version of the plan")]
    PlanChanged {
        /// The run.
        run: RunId,
    },
    /// Another process holds the lease.
    #[error("{holder} on {host} (pid {pid}) already produces for run {run}")]
    LeaseHeld {
        /// The run.
        run: RunId,
        /// The process that holds it.
        holder: ProcessId,
        /// Its host.
        host: String,
        /// Its process id.
        pid: u32,
    },
    /// A stored value makes no sense: the file was changed by others, or this is a bug.
    #[error("the ledger holds something that makes no sense: {problem}")]
    Corrupt {
        /// What.
        problem: String,
    },
    /// Anything else.
    #[error("the ledger failed while {doing}: {cause}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        cause: String,
    },
}

impl LedgerError {
    /// Whether the same call may succeed later without anybody changing haulier or its files.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::DiskFull { .. } => true,
            Self::Credentials { .. }
            | Self::Newer { .. }
            | Self::OtherPlan { .. }
            | Self::PlanChanged { .. }
            | Self::LeaseHeld { .. }
            | Self::Corrupt { .. }
            | Self::Failed { .. } => false,
        }
    }
}
