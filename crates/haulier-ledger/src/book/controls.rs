//! Runs, processes and leases.

use async_trait::async_trait;
use haulier_core::control::{Change, Report, Sample};
use haulier_core::port::{Controls, LedgerError, Micros, ProcessBeat, ProducerLease, Run, RunRequest};
use haulier_core::{ProcessId, RunId};

use super::Book;
use crate::conn::Backend;
use crate::work::{
    Beat, ChangeControl, EndRun, HoldLease, KeepReport, KeepSample, LatestRun, OpenRun, Processes,
    ReadChanges, ReadSamples, ReleaseLease, RunEnd,
};

#[async_trait]
impl<B: Backend> Controls for Book<B> {
    async fn open_run(&self, request: RunRequest<'_>) -> Result<Run, LedgerError> {
        let open = OpenRun {
            id: request.id.clone(),
            plan: request.plan.to_owned(),
            digest: request.digest.to_owned(),
            accept_plan: request.accept_plan,
            now: request.now,
        };
        self.backend.write(open).await
    }

    async fn has_run(&self, run: &RunId) -> Result<bool, LedgerError> {
        Ok(self.names.find_run(&self.backend, run).await?.is_some())
    }

    async fn latest_run(&self) -> Result<Option<Run>, LedgerError> {
        self.backend.read(LatestRun).await
    }

    async fn finish_run(&self, run: &RunId, now: Micros) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(EndRun { run, end: RunEnd::Finished, now }).await
    }

    async fn produced(&self, run: &RunId, now: Micros) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(EndRun { run, end: RunEnd::Produced, now }).await
    }

    async fn beat(&self, beat: &ProcessBeat) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, &beat.run).await?;
        self.backend.write(Beat { run, beat: beat.clone() }).await
    }

    async fn processes(&self, run: &RunId) -> Result<Vec<ProcessBeat>, LedgerError> {
        let number = self.names.run(&self.backend, run).await?;
        self.backend.read(Processes { run: number, run_id: run.clone() }).await
    }

    async fn hold_producer_lease(
        &self,
        run: &RunId,
        process: &ProcessId,
        now: Micros,
        until: Micros,
    ) -> Result<ProducerLease, LedgerError> {
        let number = self.names.run(&self.backend, run).await?;
        let hold = HoldLease { run: number, run_id: run.clone(), process: process.clone(), now, until };
        self.backend.write(hold).await
    }

    async fn release_producer_lease(&self, run: &RunId, process: &ProcessId) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(ReleaseLease { run, process: process.clone() }).await
    }

    async fn change(&self, run: &RunId, known: u64, changes: &[Change]) -> Result<bool, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(ChangeControl { run, known, changes: changes.to_vec() }).await
    }

    async fn changes(&self, run: &RunId, after: u64) -> Result<Vec<Change>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.read(ReadChanges { run, after }).await
    }

    async fn report(&self, process: &ProcessId, report: &Report) -> Result<(), LedgerError> {
        let report = KeepReport { process: process.clone(), report: report.clone() };
        self.backend.write(report).await
    }

    async fn sample(&self, run: &RunId, sample: &Sample) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(KeepSample { run, sample: sample.clone() }).await
    }

    async fn samples(&self, run: &RunId) -> Result<Vec<Sample>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.read(ReadSamples { run }).await
    }
}
