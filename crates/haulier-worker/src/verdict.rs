//! What the ledger is told of an outcome, by the policy table of `haulier-core`.

use std::time::Duration;

use haulier_core::port::{Micros, Settlement};
use haulier_core::retry::RetryPolicy;
use haulier_core::{Action, Failure, Outcome, Record};

/// What decides beside the outcome itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances {
    /// The attempt that ended, from 1.
    pub(crate) attempt: u32,
    /// Now.
    pub(crate) now: Micros,
    /// A number in `[0, 1)`.
    pub(crate) roll: f64,
    /// The plan's policy.
    pub(crate) retry: RetryPolicy,
    /// How long a request may still act on the target.
    pub(crate) zombie_grace: Duration,
    /// How long nothing is sent that needs the credentials which were refused.
    pub(crate) refused_for: Duration,
}

/// What the ledger is told, and for how long the whole endpoint is to wait.
pub(crate) fn settlement(
    outcome: Outcome,
    record: &Record,
    at: Circumstances,
) -> (Settlement, Option<Duration>) {
    let failure = match outcome {
        Outcome::Landed { id, origin } => {
            return (
                Settlement::Landed { id, origin, hash: record.hash, generation: record.generation },
                None,
            );
        }
        Outcome::Failed(failure) => failure,
    };
    let wait = at.retry.wait(at.attempt, at.roll, failure.retry_after);
    match failure.kind.action().0 {
        Action::Bury => (Settlement::Dead(failure), None),
        Action::AwaitPerson => (Settlement::AwaitPerson(failure), None),
        // Looked up again and again without an answer: only a person can find out.
        Action::Verify if at.retry.exhausted(at.attempt) => {
            (Settlement::AwaitPerson(given_up(failure, at.attempt)), None)
        }
        Action::Verify => (Settlement::Unknown { due: later(at.now, at.zombie_grace), failure }, None),
        // The id map has the parent and the target says it is not there: worth another look, not a hold that nobody ends.
        Action::Retry | Action::AwaitParent if at.retry.exhausted(at.attempt) => {
            (Settlement::Dead(given_up(failure, at.attempt)), None)
        }
        Action::Retry | Action::AwaitParent => {
            (Settlement::Retry { due: later(at.now, wait), failure, counted: true }, None)
        }
        Action::PauseTenant => {
            (Settlement::Retry { due: later(at.now, at.refused_for), failure, counted: false }, None)
        }
        Action::PauseEndpoint => {
            (Settlement::Retry { due: later(at.now, wait), failure, counted: false }, Some(wait))
        }
    }
}

fn given_up(mut failure: Failure, attempts: u32) -> Failure {
    failure.reason = format!("given up after {attempts} attempts; the last one: {}", failure.reason);
    failure
}

pub(crate) fn later(now: Micros, wait: Duration) -> Micros {
    now.saturating_add(Micros::try_from(wait.as_micros()).unwrap_or(Micros::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::{Digest, FailureKind, SourceKey};

    fn verdict(
        kind: FailureKind,
        attempt: u32,
        retry_after: Option<Duration>,
    ) -> (Settlement, Option<Duration>) {
        let record = Record {
            key: SourceKey::from_parts(&["1"]),
            tenant: None,
            generation: 0,
            hash: Digest([0; 16]),
            body: String::new(),
            vars: Vec::new(),
            refs: Vec::new(),
        };
        let mut failure = Failure::new(kind, "why");
        failure.retry_after = retry_after;
        let at = Circumstances {
            attempt,
            now: 1_000_000,
            roll: 1.0,
            retry: RetryPolicy::default(),
            zombie_grace: Duration::from_secs(60),
            refused_for: Duration::from_secs(9),
        };
        settlement(Outcome::Failed(failure), &record, at)
    }

    #[test]
    fn a_transient_failure_is_tried_again_until_it_is_given_up() {
        assert!(matches!(
            verdict(FailureKind::Transient, 1, None),
            (Settlement::Retry { due: 2_000_000, counted: true, .. }, None)
        ));
        let (last, _) = verdict(FailureKind::Transient, 6, None);
        assert!(matches!(last, Settlement::Dead(failure) if failure.reason.contains("6 attempts")));
    }

    #[test]
    fn credentials_and_throttling_never_kill_a_record() {
        let asked = Some(Duration::from_secs(7));
        let retried = |settlement: &Settlement| {
            if let Settlement::Retry { due, counted: false, .. } = settlement { Some(*due) } else { None }
        };
        let (throttled, pause) = verdict(FailureKind::Throttled, 99, asked);
        assert_eq!((retried(&throttled), pause), (Some(8_000_000), asked));
        // Who else waits is decided by whose records are refused.
        let (refused, pause) = verdict(FailureKind::Credential, 99, asked);
        assert_eq!((retried(&refused), pause), (Some(10_000_000), None));
    }

    #[test]
    fn an_unknown_outcome_waits_for_the_zombie_grace() {
        assert!(matches!(
            verdict(FailureKind::Unknown, 3, None).0,
            Settlement::Unknown { due: 61_000_000, .. }
        ));
    }

    #[test]
    fn a_refused_record_dies_at_once() {
        assert!(matches!(verdict(FailureKind::Refused, 1, None).0, Settlement::Dead(_)));
        assert!(matches!(verdict(FailureKind::Conflict, 1, None).0, Settlement::AwaitPerson(_)));
    }
}
