//! The states of a record and the one function that moves it between them.

use std::fmt;

/// Where a record is, in one run.
///
/// `planned = landed + dead + held + skipped + open`, where open is `Queued + Sending + Retry + Unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordState {
    /// Set by the producer when it admits a row, before the publish; and by the sweeper after a republish.
    Queued,
    /// Set by a worker's claim, before any request leaves; one request in flight per key.
    Sending,
    /// Set when a failure is worth another attempt, or when a parent landed; has a due time.
    Retry,
    /// Set when nobody can say whether the target stored it; has a due time, before which nobody may touch it, and is
    /// looked up before any resend.
    Unknown,
    /// Set while a parent has no target id yet, or when a conflict or a changed key needs a person.
    Held,
    /// Set when the target stored it (or it was found there); has a target id.
    Landed,
    /// Set when it will not be tried again by itself; never dropped.
    Dead,
    /// Set when there is nothing to do: unchanged since it landed, without tenant, or waived by a person.
    Skipped,
}

/// What can happen to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordEvent {
    /// The producer saw it (again) with content that must be sent.
    Admitted,
    /// The producer saw it and it cannot be mapped.
    Refused,
    /// The producer saw it and there is nothing to send.
    FoundUnchanged,
    /// The producer saw it with another key in its request's path than it landed with.
    Rekeyed,
    /// A worker took it to send it.
    Claimed,
    /// A worker gives it back unsent.
    Unclaimed,
    /// The target has it.
    Stored,
    /// The attempt failed and another may succeed.
    FailedForNow,
    /// The attempt failed for good.
    FailedForGood,
    /// Nobody knows whether the target has it.
    OutcomeLost,
    /// A referenced record has no target id yet.
    ParentMissing,
    /// The target holds something else under its natural key.
    Conflicted,
    /// The parent it waited for landed.
    ParentStored,
    /// The sweeper publishes it again.
    Republished,
    /// The process that was sending it fell silent.
    OwnerLost,
    /// A person asked for another try.
    RetriedByPerson,
    /// A person waived it, with a reason.
    WaivedByPerson,
}

/// An event that the record's state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record that is {from} cannot take the event {event:?}")]
pub struct IllegalTransition {
    /// The state it is in.
    pub from: RecordState,
    /// The event that came.
    pub event: RecordEvent,
}

impl RecordState {
    /// Every state, in the order that tables show.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Retry,
        Self::Unknown,
        Self::Held,
        Self::Landed,
        Self::Dead,
        Self::Skipped,
    ];

    /// The state after `event`, or why there is none. The only way to change a state.
    pub fn next(self, event: RecordEvent) -> Result<Self, IllegalTransition> {
        use RecordEvent as E;
        let illegal = Err(IllegalTransition { from: self, event });
        match (self, event) {
            // A row seen again while a request runs must wait for that request: the ledger notes the newer generation.
            (Self::Sending | Self::Unknown, E::Admitted | E::Refused | E::FoundUnchanged | E::Rekeyed) => {
                illegal
            }
            (_, E::Admitted) => Ok(Self::Queued),
            (_, E::Refused) => Ok(Self::Dead),
            (_, E::FoundUnchanged) => Ok(Self::Skipped),
            (_, E::Rekeyed) => Ok(Self::Held),

            // One whose outcome is unknown must wait for its time: a message of it may come again before.
            (Self::Queued | Self::Retry, E::Claimed) => Ok(Self::Sending),
            (_, E::Claimed) => illegal,

            (Self::Sending, E::Unclaimed) => Ok(Self::Queued),
            (Self::Sending, E::Stored) => Ok(Self::Landed),
            (Self::Sending, E::FailedForNow) => Ok(Self::Retry),
            (Self::Sending, E::FailedForGood) => Ok(Self::Dead),
            (Self::Sending, E::OutcomeLost | E::OwnerLost) => Ok(Self::Unknown),
            (Self::Sending, E::ParentMissing | E::Conflicted) => Ok(Self::Held),
            (
                _,
                E::Unclaimed
                | E::Stored
                | E::FailedForNow
                | E::FailedForGood
                | E::OutcomeLost
                | E::OwnerLost
                | E::ParentMissing
                | E::Conflicted,
            ) => illegal,

            (Self::Held, E::ParentStored) => Ok(Self::Retry),
            (_, E::ParentStored) => illegal,
            (Self::Retry | Self::Unknown, E::Republished) => Ok(Self::Queued),
            (_, E::Republished) => illegal,

            // A waiver can be taken back.
            (Self::Dead | Self::Held | Self::Skipped, E::RetriedByPerson) => Ok(Self::Retry),
            (Self::Dead | Self::Held, E::WaivedByPerson) => Ok(Self::Skipped),
            (_, E::RetriedByPerson | E::WaivedByPerson) => illegal,
        }
    }

    /// Whether haulier itself still has something to do for it.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Queued | Self::Sending | Self::Retry | Self::Unknown => true,
            Self::Held | Self::Landed | Self::Dead | Self::Skipped => false,
        }
    }

    /// The word that tables, JSON and the ledger use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Landed => "landed",
            Self::Dead => "dead",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for RecordState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [RecordEvent; 17] = [
        RecordEvent::Admitted,
        RecordEvent::Refused,
        RecordEvent::FoundUnchanged,
        RecordEvent::Rekeyed,
        RecordEvent::Claimed,
        RecordEvent::Unclaimed,
        RecordEvent::Stored,
        RecordEvent::FailedForNow,
        RecordEvent::FailedForGood,
        RecordEvent::OutcomeLost,
        RecordEvent::ParentMissing,
        RecordEvent::Conflicted,
        RecordEvent::ParentStored,
        RecordEvent::Republished,
        RecordEvent::OwnerLost,
        RecordEvent::RetriedByPerson,
        RecordEvent::WaivedByPerson,
    ];

    fn reachable(from: RecordState) -> Vec<RecordState> {
        let mut seen = vec![from];
        let mut at = 0;
        while let Some(state) = seen.get(at).copied() {
            at += 1;
            for event in EVENTS {
                if let Ok(next) = state.next(event)
                    && !seen.contains(&next)
                {
                    seen.push(next);
                }
            }
        }
        seen
    }

    #[test]
    fn every_state_can_still_land() {
        for state in RecordState::ALL {
            assert!(reachable(state).contains(&RecordState::Landed), "{state} is a dead end");
        }
    }

    proptest! {
        #[test]
        fn only_a_claimed_record_lands(events in prop::collection::vec(0..EVENTS.len(), 0..40)) {
            let mut state = RecordState::Queued;
            for index in events {
                let before = state;
                if let Ok(next) = state.next(EVENTS[index]) {
                    state = next;
                }
                if state == RecordState::Landed && before != RecordState::Landed {
                    prop_assert_eq!(before, RecordState::Sending);
                }
            }
        }

        #[test]
        fn a_running_request_is_never_overtaken(event in 0..EVENTS.len()) {
            let seen_again = [
                RecordEvent::Admitted,
                RecordEvent::Refused,
                RecordEvent::FoundUnchanged,
                RecordEvent::Rekeyed,
                RecordEvent::Claimed,
            ];
            if seen_again.contains(&EVENTS[event]) {
                prop_assert!(RecordState::Sending.next(EVENTS[event]).is_err());
            }
        }
    }
}
