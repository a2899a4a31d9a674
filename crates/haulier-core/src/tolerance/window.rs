//! What happened to the attempts of some seconds.

use std::time::Duration;

use super::Latency;

/// How one attempt ended, as far as tolerance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The target did what was asked.
    Answered(Duration),
    /// It asked for less: 429, or 503 with `Retry-After`.
    Throttled,
    /// It failed: 5xx, no connection, no answer in time.
    Failed,
    /// It says nothing about pace.
    Silent,
}

impl Attempt {
    /// What the end of one request says about the target's pace. `status` is `None` without a complete answer, `wait`
    /// whether the target named a time to come back.
    ///
    /// Refused records (4xx except 408, 425 and 429) say nothing: they are often quicker than a write, and no fault of its
    /// pace. Refused credentials stop a tenant, not the pace.
    #[must_use]
    pub fn of(status: Option<u16>, wait: bool, took: Duration) -> Self {
        match status {
            Some(429) => Self::Throttled,
            Some(503) if wait => Self::Throttled,
            None | Some(408 | 425 | 500..) => Self::Failed,
            Some(400..) => Self::Silent,
            Some(_) => Self::Answered(took),
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

    /// What was added since `earlier`, a copy of this very window; everything where it is none.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let Some(latency) = self.latency.since(&earlier.latency) else { return self.clone() };
        Self {
            latency,
            throttled: self.throttled.saturating_sub(earlier.throttled),
            failed: self.failed.saturating_sub(earlier.failed),
            saturated: self.saturated.saturating_sub(earlier.saturated),
        }
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
