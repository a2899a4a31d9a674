//! The history of a run that walks stages, and the lease of its controller.

use std::fmt::Debug;

use async_trait::async_trait;

use super::LedgerError;
use crate::port::Micros;
use crate::stage::Entry;
use crate::{ProcessId, RunId};

/// The stage log: what happened to a run, its stages, gates, tenants, hooks and notices, in order and never altered.
#[async_trait]
pub trait StageLog: Debug + Send + Sync {
    /// Adds entries, all or none, and only while the newest version is `known`: somebody who added one meanwhile makes the
    /// answer `false`, and nothing is kept. Their versions are the ones after `known`, in order. So whoever decided on an old
    /// standing decides anew, and a controller that lost its lease unseen cannot write.
    async fn append(&self, run: &RunId, known: u64, entries: &[Entry]) -> Result<bool, LedgerError>;

    /// The entries after a version, oldest first.
    async fn entries(&self, run: &RunId, after: u64) -> Result<Vec<Entry>, LedgerError>;

    /// Takes or renews the run's controller lease until `until`, where nobody else holds it at `now`. The answer is the lease
    /// as it is afterwards: another holder in it means that it was not given.
    async fn hold_controller_lease(
        &self,
        run: &RunId,
        process: &ProcessId,
        now: Micros,
        until: Micros,
    ) -> Result<ControllerLease, LedgerError>;

    /// Gives the lease back, if it is this process's.
    async fn release_controller_lease(&self, run: &RunId, process: &ProcessId) -> Result<(), LedgerError>;

    /// Who holds the lease, or held it last; `None` where nobody ever did, or it was given back.
    async fn controller_lease(&self, run: &RunId) -> Result<Option<ControllerLease>, LedgerError>;
}

/// The lease of a run's controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerLease {
    /// Who holds it.
    pub holder: ProcessId,
    /// Until when, if it is not renewed.
    pub until: Micros,
    /// Since when this holder has it.
    pub since: Micros,
}

impl ControllerLease {
    /// Whether its holder is alive, as far as anybody can tell.
    #[must_use]
    pub fn is_live(&self, now: Micros) -> bool {
        now < self.until
    }
}
