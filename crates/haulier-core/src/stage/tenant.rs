//! The states of one tenant in a run.

use super::Unlawful;
use super::words::words;

words! {
    /// Where a tenant stands.
    TenantState {
        /// Its turn has not come.
        Pending = "pending",
        /// Its wave has begun.
        Queued = "queued",
        /// Its records are on their way.
        Migrating = "migrating",
        /// All of its records are accounted for.
        Migrated = "migrated",
        /// It is being compared.
        Validating = "validating",
        /// Both sides hold the same, or a person waived the difference.
        Accepted = "accepted",
        /// Both sides differ.
        Mismatched = "mismatched",
        /// Its records could not be moved.
        Failed = "failed",
        /// Its window was missed, or a blackout stands in the way: later.
        Deferred = "deferred",
        /// Left out of the run, with a reason.
        Excluded = "excluded",
        /// Accepted before its source changed, or too long ago.
        Stale = "stale",
    }
}

words! {
    /// What happens to a tenant.
    TenantEvent {
        /// Its wave begins, or its records are sent again.
        Queue = "queue",
        /// The first of its records is read.
        Begin = "begin",
        /// All of its records are accounted for.
        Moved = "moved",
        /// It is being compared.
        Validate = "validate",
        /// Both sides hold the same.
        Accept = "accept",
        /// Both sides differ.
        Differ = "differ",
        /// A person accepts the difference, with a reason.
        Waive = "waive",
        /// Its records could not be moved.
        Fail = "fail",
        /// Its window was missed, or a blackout stands in the way.
        Defer = "defer",
        /// Its new date has come.
        Reinstate = "reinstate",
        /// A person leaves it out, with a reason.
        Exclude = "exclude",
        /// Its source changed, or its proof is too old.
        Age = "age",
    }
}

impl TenantState {
    /// Where an event leads, or that it is not lawful here.
    pub fn next(self, event: TenantEvent) -> Result<Self, Unlawful> {
        use TenantEvent as E;
        let to = match (self, event) {
            (Self::Pending | Self::Mismatched | Self::Failed, E::Queue) => Self::Queued,
            (Self::Queued, E::Begin) => Self::Migrating,
            (Self::Queued | Self::Migrating, E::Moved) => Self::Migrated,
            (Self::Migrated | Self::Stale, E::Validate) => Self::Validating,
            (Self::Validating, E::Accept) | (Self::Mismatched, E::Waive) => Self::Accepted,
            (Self::Validating, E::Differ) => Self::Mismatched,
            (Self::Queued | Self::Migrating | Self::Validating, E::Fail) => Self::Failed,
            (Self::Pending | Self::Queued | Self::Failed, E::Defer) => Self::Deferred,
            (Self::Deferred | Self::Excluded, E::Reinstate) => Self::Pending,
            (Self::Pending | Self::Queued | Self::Deferred | Self::Mismatched | Self::Failed, E::Exclude) => {
                Self::Excluded
            }
            (Self::Accepted, E::Age) => Self::Stale,
            (
                Self::Pending
                | Self::Queued
                | Self::Migrating
                | Self::Migrated
                | Self::Validating
                | Self::Accepted
                | Self::Mismatched
                | Self::Failed
                | Self::Deferred
                | Self::Excluded
                | Self::Stale,
                _,
            ) => return Err(Unlawful::tenant(self, event)),
        };
        Ok(to)
    }

    /// Whether the run may complete with it as it is.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Accepted | Self::Excluded)
    }
}
