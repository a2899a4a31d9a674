//! Remembers which numbers stand for which entities, runs and processes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use haulier_core::port::LedgerError;
use haulier_core::{EntityName, ProcessId, RunId};

use crate::conn::Backend;
use crate::work::{FindNames, InternEntity, InternProcess, NameTable};

/// Numbers never change and are never given up, so what was read once stays right.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    entities: HashMap<EntityName, i64>,
    entity_names: HashMap<i64, EntityName>,
    runs: HashMap<RunId, i64>,
    run_names: HashMap<i64, RunId>,
    processes: HashMap<ProcessId, i64>,
}

impl Names {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn refresh<B: Backend>(&self, backend: &B) -> Result<(), LedgerError> {
        let NameTable { entities, runs } = backend.read(FindNames).await?;
        let mut known = self.known();
        known.entity_names = entities.iter().map(|(name, id)| (*id, name.clone())).collect();
        known.run_names = runs.iter().map(|(name, id)| (*id, name.clone())).collect();
        (known.entities, known.runs) = (entities, runs);
        Ok(())
    }

    /// The number of an entity that may be new.
    pub(crate) async fn intern<B: Backend>(
        &self,
        backend: &B,
        entity: &EntityName,
    ) -> Result<i64, LedgerError> {
        if let Some(id) = self.known().entities.get(entity) {
            return Ok(*id);
        }
        let id = backend.write(InternEntity(entity.clone())).await?;
        let mut known = self.known();
        known.entities.insert(entity.clone(), id);
        known.entity_names.insert(id, entity.clone());
        Ok(id)
    }

    /// The number of an entity, if the ledger has seen it.
    pub(crate) async fn find<B: Backend>(
        &self,
        backend: &B,
        entity: &EntityName,
    ) -> Result<Option<i64>, LedgerError> {
        let known = self.known().entities.get(entity).copied();
        if known.is_some() {
            return Ok(known);
        }
        self.refresh(backend).await?;
        Ok(self.known().entities.get(entity).copied())
    }

    /// Every entity, by name.
    pub(crate) async fn entities<B: Backend>(
        &self,
        backend: &B,
    ) -> Result<Vec<(EntityName, i64)>, LedgerError> {
        self.refresh(backend).await?;
        let mut all: Vec<_> = self.known().entities.iter().map(|(name, id)| (name.clone(), *id)).collect();
        all.sort();
        Ok(all)
    }

    pub(crate) async fn entity<B: Backend>(&self, backend: &B, id: i64) -> Result<EntityName, LedgerError> {
        if let Some(name) = self.known().entity_names.get(&id) {
            return Ok(name.clone());
        }
        self.refresh(backend).await?;
        let name = self.known().entity_names.get(&id).cloned();
        name.ok_or_else(|| LedgerError::Corrupt { problem: format!("no entity has the number {id}") })
    }

    pub(crate) async fn run<B: Backend>(&self, backend: &B, run: &RunId) -> Result<i64, LedgerError> {
        self.find_run(backend, run).await?.ok_or_else(|| LedgerError::Failed {
            doing: "finding a run",
            cause: format!("there is no run {run}"),
        })
    }

    /// The number of a run, if the ledger has seen it.
    pub(crate) async fn find_run<B: Backend>(
        &self,
        backend: &B,
        run: &RunId,
    ) -> Result<Option<i64>, LedgerError> {
        let known = self.known().runs.get(run).copied();
        if known.is_some() {
            return Ok(known);
        }
        self.refresh(backend).await?;
        Ok(self.known().runs.get(run).copied())
    }

    pub(crate) async fn run_name<B: Backend>(&self, backend: &B, id: i64) -> Result<RunId, LedgerError> {
        if let Some(name) = self.known().run_names.get(&id) {
            return Ok(name.clone());
        }
        self.refresh(backend).await?;
        let name = self.known().run_names.get(&id).cloned();
        name.ok_or_else(|| LedgerError::Corrupt { problem: format!("no run has the number {id}") })
    }

    pub(crate) async fn process<B: Backend>(
        &self,
        backend: &B,
        process: &ProcessId,
    ) -> Result<i64, LedgerError> {
        if let Some(id) = self.known().processes.get(process) {
            return Ok(*id);
        }
        let id = backend.write(InternProcess(process.clone())).await?;
        self.known().processes.insert(process.clone(), id);
        Ok(id)
    }
}
