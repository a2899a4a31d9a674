//! The ledger port: everything that must outlive a crash. The ledger, not the queue, says what has landed.

mod error;
mod outbox;
mod record;
mod run;
mod stages;
mod tally;

use std::collections::HashMap;
use std::fmt::Debug;

use async_trait::async_trait;

pub use error::LedgerError;
pub use outbox::{CalendarLog, Outbox};
pub use record::{
    Admission, Admit, Claim, DeadFilter, Due, IdOrder, IdRow, Judgement, RecordRow, Settled, Settlement,
    Sighting, SightingIntent, Wanted,
};
pub use run::{Cursor, ProcessBeat, ProducerLease, Run, RunRequest, WalkId};
pub use stages::{ControllerLease, StageLog};
pub use tally::{EntityTally, Survey, Tally};

use super::Micros;
use crate::control::{Change, Report, Sample};
use crate::{EntityName, ProcessId, RecordRef, RunId, TargetId};

/// The whole ledger. Every call is one transaction, durable when it returns, and safe to repeat.
/// A dropped call may or may not have happened.
pub trait Ledger: RecordBook + Cursors + Controls + CalendarLog + Outbox + StageLog {}
impl<T: RecordBook + Cursors + Controls + CalendarLog + Outbox + StageLog> Ledger for T {}

/// What happened to each record, and the id map.
#[async_trait]
pub trait RecordBook: Debug + Send + Sync {
    /// Notes the rows that the producer read, before they are published, and says of each what to do.
    ///
    /// - never seen, or other content than what landed: `Queued`, publish;
    /// - queued or retrying in this run already with the same content: publish again (a repeat is harmless);
    /// - held in this run already with the same content: noted, since its parent's landing sends it;
    /// - landed with the same content: `Skipped` when this run had not landed it itself, nothing to do either way;
    /// - being sent right now: the newer generation is noted and goes out when that request has ended;
    /// - dead in this run with the same content: stays dead;
    /// - waived in any run, with the same content: stays waived, with its reason;
    /// - landed under another natural key of which its request's path is made: `Held` (key changed), under the key it has;
    /// - sent only if it landed, and it never did: `Skipped`, and where it was never seen no part of the run;
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

    /// Notes that due records are published again: they become queued, an unknown one with its doubt. One that moved on
    /// meanwhile (another attempt number, state or due time) is left alone. Unknown ones are noted before they are
    /// published, since they cannot be claimed earlier; retries after that, since their message may be claimed at once.
    async fn republished(&self, run: &RunId, records: &[Due]) -> Result<(), LedgerError>;

    /// Turns the claims of processes that said good-bye, or did not beat since `silent_since`, into unknown, due at `due`.
    /// Returns how many.
    async fn reap(&self, run: &RunId, silent_since: Micros, due: Micros) -> Result<u64, LedgerError>;

    /// Makes records that are queued in the ledger but lost by the queue due at once. Only right when the queue is
    /// known empty. Returns how many.
    async fn rescue(&self, run: &RunId, now: Micros) -> Result<u64, LedgerError>;

    /// When the next retry or unknown is due, if any.
    async fn next_due(&self, run: &RunId) -> Result<Option<Micros>, LedgerError>;

    /// How many records the target was written with at or after an instant, in any run: what putting back an older copy of
    /// the target would lose. Reads all records.
    async fn written_since(&self, since: Micros) -> Result<u64, LedgerError>;

    /// How many records of the run landed in each stretch of time of `bucket`, oldest first; stretches without any are left
    /// out. A record counts where it landed last. Reads all records of the run.
    async fn pace(&self, run: &RunId, bucket: Micros) -> Result<Vec<(Micros, u64)>, LedgerError>;

    /// Planned and the count of each state, per entity.
    async fn tally(&self, run: &RunId) -> Result<Tally, LedgerError>;

    /// Counts tenants, and skipped records by why. It looks at every record of the run: seconds where there are millions.
    async fn survey(&self, run: &RunId) -> Result<Survey, LedgerError>;

    /// Records in these states, in entity and key order, after `after`, at most `limit`.
    async fn list(
        &self,
        run: &RunId,
        filter: &DeadFilter,
        after: Option<&RecordRef>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, LedgerError>;

    /// Makes dead, held or waived records due at once with fresh attempts, or waives dead or held ones with a reason.
    /// A retry of one whose key changed forgets its target id. Returns how many.
    async fn judge(
        &self,
        run: &RunId,
        records: &[RecordRef],
        waive: Option<&str>,
        by: &str,
        now: Micros,
    ) -> Result<u64, LedgerError>;

    /// What people decided about a record, in all runs, oldest first.
    async fn judgements(&self, record: &RecordRef) -> Result<Vec<Judgement>, LedgerError>;

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
    /// with [`LedgerError::PlanChanged`] unless `accept_plan`; then its cursors are forgotten, because the new plan walks anew.
    async fn open_run(&self, request: RunRequest<'_>) -> Result<Run, LedgerError>;

    /// Whether the ledger has ever heard of this run.
    async fn has_run(&self, run: &RunId) -> Result<bool, LedgerError>;

    /// The newest run, finished or not.
    async fn latest_run(&self) -> Result<Option<Run>, LedgerError>;

    /// Marks a run as finished: everything planned is landed, dead, held or skipped.
    async fn finish_run(&self, run: &RunId, now: Micros) -> Result<(), LedgerError>;

    /// Marks a run's walks as all done (the producer has read everything).
    async fn produced(&self, run: &RunId, now: Micros) -> Result<(), LedgerError>;

    /// Says that a process is alive. Its report stays as it was last kept.
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

    /// Adds changes of control, all or none, and only while the newest version is `known`: somebody who changed it
    /// meanwhile makes the answer `false`, and nothing is kept. Their versions are the ones after `known`, in order.
    async fn change(&self, run: &RunId, known: u64, changes: &[Change]) -> Result<bool, LedgerError>;

    /// The changes of control after a version, oldest first.
    async fn changes(&self, run: &RunId, after: u64) -> Result<Vec<Change>, LedgerError>;

    /// Keeps what a process says of itself, where it has given a sign of life before. It is no sign of life.
    async fn report(&self, process: &ProcessId, report: &Report) -> Result<(), LedgerError>;

    /// Keeps what a process measured, for the run's papers. The same process and instant once more changes nothing.
    async fn sample(&self, run: &RunId, sample: &Sample) -> Result<(), LedgerError>;

    /// What the processes of a run measured, oldest first.
    async fn samples(&self, run: &RunId) -> Result<Vec<Sample>, LedgerError>;

    /// Gives the lease back, if it is this process's.
    async fn release_producer_lease(&self, run: &RunId, process: &ProcessId) -> Result<(), LedgerError>;
}
