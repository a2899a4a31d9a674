//! A record as the ledger holds it, with the numbers that stand for its words.

use haulier_core::digest::Digester;
use haulier_core::port::Micros;
use haulier_core::record::Generation;
use haulier_core::{
    Digest, Failure, FailureKind, IllegalTransition, Origin, RecordEvent, RecordState, SourceKey, TargetId,
    TenantKey,
};

/// One row of the table `record`. Entities, runs and processes are numbers here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) entity: i64,
    pub(crate) key: SourceKey,
    pub(crate) run: i64,
    pub(crate) state: RecordState,
    /// The newest content that was admitted and is not waiting in `next`.
    pub(crate) content: Content,
    pub(crate) natural: Option<Digest>,
    pub(crate) tenant: Option<TenantKey>,
    pub(crate) attempts: u32,
    /// Set exactly while the state is `Retry` or `Unknown`.
    pub(crate) due: Option<Micros>,
    /// Set exactly while the state is `Sending`.
    pub(crate) owner: Option<i64>,
    /// An outcome was lost since it last landed: look up before anything is created.
    pub(crate) unsure: bool,
    /// Newer content that was seen while a request was under way.
    pub(crate) next: Option<Content>,
    /// The parent it is held for: entity and key.
    pub(crate) waits: Option<(i64, SourceKey)>,
    pub(crate) target: Option<TargetId>,
    pub(crate) landing: Option<Landing>,
    pub(crate) note: Note,
    pub(crate) since: Micros,
}

/// What a record holds in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) generation: Generation,
    pub(crate) hash: Digest,
}

/// How a record came to its target id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Landing {
    pub(crate) origin: Origin,
    /// The run that landed it first.
    pub(crate) run: i64,
    /// When it landed first.
    pub(crate) at: Micros,
    /// What landed last.
    pub(crate) content: Content,
}

/// Why a record is where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    None,
    /// The last failure; a waived record keeps the kind it was waived with.
    Failure(Failure),
    /// The plan leaves it out.
    LeftOut(String),
}

impl Note {
    /// As reports show it. What the plan leaves out counts as a matter of the mapping.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        match self {
            Self::None => None,
            Self::Failure(failure) => Some(failure),
            Self::LeftOut(reason) => Some(Failure::new(FailureKind::Mapping, reason)),
        }
    }
}

impl Record {
    /// What was admitted last.
    pub(crate) fn newest(&self) -> Content {
        self.next.unwrap_or(self.content)
    }

    /// Moves on by an event; what belongs to the state that is left goes with it.
    pub(crate) fn step(&mut self, event: RecordEvent) -> Result<(), IllegalTransition> {
        self.state = self.state.next(event)?;
        self.owner = None;
        self.due = None;
        self.waits = None;
        Ok(())
    }
}

/// What a target id is unique by. It is made like the digest of a natural key of one part: where a record's id is its natural key,
/// both are the same.
pub(crate) fn id_digest(id: &TargetId) -> Digest {
    let mut digester = Digester::default();
    digester.part(id.as_str());
    digester.finish()
}

/// The numbers of states are stored: never change one.
pub(crate) fn state_code(state: RecordState) -> i64 {
    match state {
        RecordState::Queued => 0,
        RecordState::Sending => 1,
        RecordState::Retry => 2,
        RecordState::Unknown => 3,
        RecordState::Held => 4,
        RecordState::Landed => 5,
        RecordState::Dead => 6,
        RecordState::Skipped => 7,
    }
}

/// In the table `tally`, this stands where a state would: rows that became part of the run.
pub(crate) const PLANNED: i64 = 8;

pub(crate) fn state_of(code: i64) -> Option<RecordState> {
    RecordState::ALL.into_iter().find(|state| state_code(*state) == code)
}

pub(crate) fn kind_code(kind: FailureKind) -> i64 {
    match kind {
        FailureKind::Mapping => 0,
        FailureKind::Refused => 1,
        FailureKind::Duplicate => 2,
        FailureKind::Conflict => 3,
        FailureKind::MissingParent => 4,
        FailureKind::Credential => 5,
        FailureKind::Throttled => 6,
        FailureKind::Transient => 7,
        FailureKind::Unknown => 8,
        FailureKind::SilentLoss => 9,
        FailureKind::KeyChanged => 10,
    }
}

pub(crate) fn kind_of(code: i64) -> Option<FailureKind> {
    FailureKind::ALL.into_iter().find(|kind| kind_code(*kind) == code)
}

pub(crate) fn origin_code(origin: Origin) -> i64 {
    match origin {
        Origin::Created => 0,
        Origin::Adopted => 1,
    }
}

pub(crate) fn origin_of(code: i64) -> Option<Origin> {
    [Origin::Created, Origin::Adopted].into_iter().find(|origin| origin_code(*origin) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_read_back() {
        for state in RecordState::ALL {
            assert_eq!(state_of(state_code(state)), Some(state));
            assert_ne!(state_code(state), PLANNED);
        }
        for kind in FailureKind::ALL {
            assert_eq!(kind_of(kind_code(kind)), Some(kind));
        }
        for origin in [Origin::Created, Origin::Adopted] {
            assert_eq!(origin_of(origin_code(origin)), Some(origin));
        }
    }
}
