//! What happened to the attempts of some seconds.

use std::time::Duration;

use super::Latency;
use crate::{FailureKind, Outcome};

/// How one attempt ended, as far as tolerance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The target answered as it should; also with the refusal of one record, which is no fault of its pace.
    Answered(Duration),
    /// It asked for less: 429, or 503 with `Retry-After`.
    Throttled,
    /// It failed: 5xx, no connection, no answer in time.
    Failed,
    /// It says nothing about pace: credentials, or nothing was sent.
    Silent,
}

impl Attempt {
    /// What an outcome that took so long says about the target's pace.
    ///
    /// Refused records (4xx except 408, 425 and 429) were answered in time, and answers are what is measured; their own
    /// latency is left out, because a refusal is often quicker than a write. Refused credentials stop a tenant, not the pace.
    #[must_use]
    pub fn of(outcome: &Outcome, took: Duration) -> Self {
        let failure = match outcome {
            Outcome::Landed { .. } => return Self::Answered(took),
            Outcome::Failed(failure) => failure,
        };
        match failure.kind {
            FailureKind::Throttled => Self::Throttled,
            FailureKind::Transient | FailureKind::Unknown => Self::Failed,
            FailureKind::Mapping
            | FailureKind::Refused
            | FailureKind::Duplicate
            | FailureKind::Conflict
            | FailureKind::MissingParent
            | FailureKind::Credential
            | FailureKind::SilentLoss => Self::Silent,
        }
    }
}

/// Counts and latencies of attempts; those of several processes merge.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    /// Latencies of answered attempts, without our own waiting for a slot or the rate.
    pub latency: Latency,
    /// Attempts that the target asked to send later.
    pub throttled: u64,
    /// Attempts that failed at the target.
    pub failed: u64,
    /// Attempts that ended while every slot of their process was out: the limit was what held the flow.
    pub saturated: u64,
}

impl Window {
    /// Notes how an attempt ended, and whether every slot was out at that time.
    pub fn note(&mut self, attempt: Attempt, saturated: bool) {
        match attempt {
            Attempt::Answered(took) => self.latency.note(took),
            Attempt::Throttled => self.throttled += 1,
            Attempt::Failed => self.failed += 1,
            Attempt::Silent => return,
        }
        self.saturated += u64::from(saturated);
    }

    /// Adds the attempts of another process, or of later seconds.
    pub fn merge(&mut self, other: &Self) {
        self.latency.merge(&other.latency);
        self.throttled += other.throttled;
        self.failed += other.failed;
        self.saturated += other.saturated;
    }

    /// Attempts that the target answered.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.latency.count()
    }

    /// All attempts that say something.
    #[must_use]
    pub fn results(&self) -> u64 {
        self.answered() + self.throttled + self.failed
    }
}
