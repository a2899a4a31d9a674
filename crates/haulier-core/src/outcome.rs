//! What a target's answer means, what haulier does about it, and what a person can do.

use std::fmt;
use std::time::Duration;

use crate::TargetId;

/// How a record came to be in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// haulier created it: it stands on the undo list.
    Created,
    /// It was there already: found by key, or written by a put that does not tell.
    Adopted,
}

impl Origin {
    /// The word that the id map uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Adopted => "adopted",
        }
    }
}

/// The result of pushing one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target has it.
    Landed {
        /// The id it has there.
        id: TargetId,
        /// Whether this push created it.
        origin: Origin,
    },
    /// It does not, or nobody knows.
    Failed(Failure),
}

/// One record's failed attempt: data, not a broken run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind, which decides what happens next.
    pub kind: FailureKind,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// What was attempted and what came back, without the record's values; at most 512 bytes.
    pub reason: String,
    /// How long the target asked to wait.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without a status.
    #[must_use]
    pub fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self { kind, status: None, reason: reason.into(), retry_after: None }
    }

    /// The same failure with the HTTP status it came with.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{} (HTTP {status}): {}", self.kind.as_str(), self.reason),
            None => write!(f, "{}: {}", self.kind.as_str(), self.reason),
        }
    }
}

/// The kinds of failure. One table says what follows from each: [`FailureKind::action`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// The row cannot be mapped as the plan says.
    Mapping,
    /// The target refuses this record: 400, 404, 410, 413, 415, 422.
    Refused,
    /// Several target records answer to one natural key, or two source rows share one.
    Duplicate,
    /// The target holds other content under this key and does not let it be replaced.
    Conflict,
    /// The key in the request's path is another than the record landed with: sent, it would make a second record.
    KeyChanged,
    /// A referenced record is missing in the target.
    MissingParent,
    /// The credentials are refused: 401, 403.
    Credential,
    /// The target asks for less: 429, or 503 with `Retry-After`.
    Throttled,
    /// Another attempt may succeed: 408, 425, 5xx, no connection.
    Transient,
    /// The request left and no complete answer came back.
    Unknown,
    /// The target said yes and stores something else or nothing (`verify`).
    SilentLoss,
}

/// What haulier does after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Dead letter at once.
    Bury,
    /// Try again later, counted; dead letter when the attempts are used up.
    Retry,
    /// Try again later, not counted: the record is not at fault. The endpoint is paused meanwhile.
    PauseEndpoint,
    /// Try again later, not counted: the record is not at fault. Its tenant waits meanwhile, or all of them where the
    /// credentials are refused whoever is asked for.
    PauseTenant,
    /// Hold until the parent lands.
    AwaitParent,
    /// Hold for a person.
    AwaitPerson,
    /// Look it up after the zombie grace, before any resend.
    Verify,
}

impl FailureKind {
    /// Every kind, in the order that tables show.
    pub const ALL: [Self; 11] = [
        Self::Mapping,
        Self::Refused,
        Self::Duplicate,
        Self::Conflict,
        Self::KeyChanged,
        Self::MissingParent,
        Self::Credential,
        Self::Throttled,
        Self::Transient,
        Self::Unknown,
        Self::SilentLoss,
    ];

    /// Whether a request that only reads may succeed when it is sent again, without anybody changing anything.
    #[must_use]
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Transient | Self::Throttled | Self::Unknown)
    }

    /// The policy: one row a kind, with the operator's remedy.
    #[must_use]
    pub fn action(self) -> (Action, &'static str) {
        match self {
            Self::Mapping => {
                (Action::Bury, "mend the row or the field's mapping in the plan, then `haulier dead retry`")
            }
            Self::Refused => (
                Action::Bury,
                "mend the row or the mapping as the target's reason says, then `haulier dead retry`",
            ),
            Self::Duplicate => (
                Action::Bury,
                "decide which of the records is the right one, remove or rename the other, then `haulier dead retry`",
            ),
            Self::Conflict => (
                Action::AwaitPerson,
                "compare both sides, then `haulier dead retry` to send again or `haulier dead skip` to keep the target's",
            ),
            Self::KeyChanged => (
                Action::AwaitPerson,
                "put the old key back in the source, or rename the record in the target by hand and `haulier dead skip` it; `haulier dead retry` forgets the old target id and sends it as another record, without what refers to the old one",
            ),
            Self::MissingParent => (
                Action::AwaitParent,
                "none if the parent lands: it then goes on by itself; mend a parent that died, and make a ring's reference `deferred` in the plan",
            ),
            Self::Credential => (
                Action::PauseTenant,
                "check the token in the site file, and its rights on this tenant in the target; it goes on by itself once they work",
            ),
            Self::Throttled => (
                Action::PauseEndpoint,
                "none: haulier waits as long as the target asks; lower the rate if it happens often",
            ),
            Self::Transient => (
                Action::Retry,
                "look at the target's health; dead ones go again with `haulier dead retry --kind transient`",
            ),
            Self::Unknown => (
                Action::Verify,
                "none: it is looked up in the target first, then sent again only if it is not there",
            ),
            Self::SilentLoss => (
                Action::Bury,
                "the target does not keep a field it was sent: check the field's name and type in the target, then `haulier dead retry`",
            ),
        }
    }

    /// The word that tables, JSON and the ledger use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mapping => "mapping",
            Self::Refused => "refused",
            Self::Duplicate => "duplicate",
            Self::Conflict => "conflict",
            Self::KeyChanged => "key-changed",
            Self::MissingParent => "missing-parent",
            Self::Credential => "credential",
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::Unknown => "unknown",
            Self::SilentLoss => "silent-loss",
        }
    }

    /// Reads what [`FailureKind::as_str`] wrote.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for kind in FailureKind::ALL {
            assert_eq!(FailureKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(FailureKind::from_word("nonsense"), None);
    }
}
