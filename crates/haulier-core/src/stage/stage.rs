//! The states of one stage.

use super::Unlawful;
use super::words::words;

words! {
    /// Where a stage stands.
    StageState {
        /// Its turn has not come.
        Pending = "pending",
        /// Its hooks of entry run.
        Entering = "entering",
        /// Its work is being done.
        Running = "running",
        /// Nothing new begins in it; what was begun ends.
        Draining = "draining",
        /// Something holds it.
        Held = "held",
        /// Its work is done and is being proved.
        Verifying = "verifying",
        /// The proof says neither yes nor no.
        Inconclusive = "inconclusive",
        /// Done and proved.
        Succeeded = "succeeded",
        /// Not done, or not proved.
        Failed = "failed",
        /// Left out, with a reason.
        Skipped = "skipped",
        /// Undone.
        RolledBack = "rolled-back",
        /// The run was stopped before it was done.
        Cancelled = "cancelled",
    }
}

words! {
    /// What happens to a stage.
    StageEvent {
        /// Its turn comes, or a failed one is tried again: a new attempt.
        Enter = "enter",
        /// Its hooks of entry are done.
        Begin = "begin",
        /// Nothing new begins in it.
        Drain = "drain",
        /// Something holds it.
        Hold = "hold",
        /// What held it is gone.
        Release = "release",
        /// Its work is done: the proof begins, or begins anew.
        Verify = "verify",
        /// Proved.
        Pass = "pass",
        /// The proof says neither yes nor no.
        Doubt = "doubt",
        /// A person accepts what the proof could not say.
        Accept = "accept",
        /// Work or proof failed.
        Fail = "fail",
        /// It is left out, with a reason. Only of optional stages.
        Skip = "skip",
        /// It is undone.
        RollBack = "roll-back",
        /// The run is stopped for good.
        Cancel = "cancel",
    }
}

impl StageState {
    /// Where an event leads, or that it is not lawful here.
    pub fn next(self, event: StageEvent) -> Result<Self, Unlawful> {
        use StageEvent as E;
        let to = match (self, event) {
            (Self::Pending | Self::Failed, E::Enter) => Self::Entering,
            (Self::Pending | Self::Failed, E::Skip) => Self::Skipped,
            (Self::Entering, E::Begin) => Self::Running,
            (Self::Running, E::Drain) => Self::Draining,
            (Self::Running | Self::Draining | Self::Failed | Self::Inconclusive, E::Verify) => {
                Self::Verifying
            }
            (Self::Entering | Self::Running | Self::Draining, E::Hold) => Self::Held,
            (Self::Held, E::Release) => Self::Running,
            (Self::Verifying, E::Pass) | (Self::Inconclusive, E::Accept) => Self::Succeeded,
            (Self::Verifying, E::Doubt) => Self::Inconclusive,
            (
                Self::Entering
                | Self::Running
                | Self::Draining
                | Self::Held
                | Self::Verifying
                | Self::Inconclusive,
                E::Fail,
            ) => Self::Failed,
            (Self::Failed, E::RollBack) => Self::RolledBack,
            (
                Self::Pending
                | Self::Entering
                | Self::Running
                | Self::Draining
                | Self::Held
                | Self::Verifying
                | Self::Inconclusive
                | Self::Failed,
                E::Cancel,
            ) => Self::Cancelled,
            (
                Self::Pending
                | Self::Entering
                | Self::Running
                | Self::Draining
                | Self::Held
                | Self::Verifying
                | Self::Inconclusive
                | Self::Succeeded
                | Self::Failed
                | Self::Skipped
                | Self::RolledBack
                | Self::Cancelled,
                _,
            ) => return Err(Unlawful::stage(self, event)),
        };
        Ok(to)
    }

    /// Whether those that need it may begin.
    #[must_use]
    pub fn is_done(self) -> bool {
        matches!(self, Self::Succeeded | Self::Skipped)
    }

    /// Whether nothing leads on from here.
    #[must_use]
    pub fn is_final(self) -> bool {
        StageEvent::ALL.iter().all(|event| self.next(*event).is_err())
    }
}
