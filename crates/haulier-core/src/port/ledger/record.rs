//! What the ledger is told of records, and what it answers.

use std::sync::Arc;

use crate::port::Micros;
use crate::record::Generation;
use crate::{
    Digest, EntityName, Failure, FailureKind, Origin, RecordRef, RecordState, RunId, SourceKey, TargetId,
    TenantKey,
};

/// Rows that the producer read.
#[derive(Debug, Clone, Copy)]
pub struct Admit<'a> {
    /// The run.
    pub run: &'a RunId,
    /// The entity of all rows.
    pub entity: &'a EntityName,
    /// The rows.
    pub sightings: &'a [Sighting],
    /// They were read by key just now, because they are due. What a walk read may have waited for long, and is left alone
    /// where a newer generation of the row was admitted meanwhile.
    pub again: bool,
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
    /// The parts of the natural key, by name, where the path of the request that makes the record is made of them.
    pub path_key: Option<Arc<str>>,
    /// What the producer wants with it.
    pub intent: SightingIntent,
}

/// What the producer wants with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SightingIntent {
    /// Send it.
    Send,
    /// Send it if it landed before: what is empty now matters only where something stood.
    SendIfLanded,
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
    /// It is being sent, or held: its content goes out afterwards.
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
    /// The ledger has no such record. Whatever is published was admitted before, so the ledger is older than the queue, or
    /// somebody else put it there.
    Stranger,
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
    /// Since when it is due.
    pub since: Micros,
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
    /// Digest of the payload that landed last.
    pub landed: Option<Digest>,
    /// When the state was set.
    pub since: Micros,
}

/// What a person decided about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// When.
    pub at: Micros,
    /// Who.
    pub by: String,
    /// The reason of a waiver; `None` for another try.
    pub waived: Option<String>,
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
