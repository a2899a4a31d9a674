//! The history of a run's stages, and its controller's lease.

use async_trait::async_trait;
use haulier_core::port::{ControllerLease, LedgerError, Micros, StageLog};
use haulier_core::stage::Entry;
use haulier_core::{ProcessId, RunId};

use super::Book;
use crate::conn::Backend;
use crate::work::{AppendEntries, HoldController, ReadController, ReadEntries, ReleaseController};

#[async_trait]
impl<B: Backend> StageLog for Book<B> {
    async fn append(&self, run: &RunId, known: u64, entries: &[Entry]) -> Result<bool, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(AppendEntries { run, known, entries: entries.to_vec() }).await
    }

    async fn entries(&self, run: &RunId, after: u64) -> Result<Vec<Entry>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.read(ReadEntries { run, after }).await
    }

    async fn hold_controller_lease(
        &self,
        run: &RunId,
        process: &ProcessId,
        now: Micros,
        until: Micros,
    ) -> Result<ControllerLease, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(HoldController { run, process: process.clone(), now, until }).await
    }

    async fn release_controller_lease(&self, run: &RunId, process: &ProcessId) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(ReleaseController { run, process: process.clone() }).await
    }

    async fn controller_lease(&self, run: &RunId) -> Result<Option<ControllerLease>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.read(ReadController { run }).await
    }
}
