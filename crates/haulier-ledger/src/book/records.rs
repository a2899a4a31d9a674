//! Records, counts and the id map.

use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;

use async_trait::async_trait;
use haulier_core::port::{
    Admission, Admit, Claim, DeadFilter, Due, IdOrder, IdRow, Judgement, LedgerError, Micros, RecordBook,
    RecordRow, Settled, Settlement, Survey, Tally, Wanted,
};
use haulier_core::{EntityName, ProcessId, RecordRef, RunId, SourceKey, TargetId};

use super::Book;
use crate::conn::Backend;
use crate::record::{PLANNED, Record, state_of};
use crate::work::{
    AdmitRows, ClaimRecords, Judge, ListRecords, NextDue, ReadCounts, ReadDue, ReadIdMap, ReadJudgements,
    ReadPace, ReadSurvey, ReadTargetIds, Reap, Republish, Rescue, SettleRecords, WrittenSince,
};

#[async_trait]
impl<B: Backend> RecordBook for Book<B> {
    async fn admit(&self, admit: Admit<'_>) -> Result<Vec<Admission>, LedgerError> {
        let run = self.names.run(&self.backend, admit.run).await?;
        let entity = self.names.intern(&self.backend, admit.entity).await?;
        let unchanged = || self.unchanged.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = AdmitRows {
            run,
            // The records of an older run can only be there when there was one.
            later: run > 1,
            unchanged: run > 1 && unchanged().contains(&entity),
            entity,
            entity_name: admit.entity.clone(),
            sightings: admit.sightings.to_vec(),
            again: admit.again,
            now: admit.now,
        };
        let admissions = self.backend.write(rows).await?;
        if admissions.contains(&Admission::Unchanged) {
            unchanged().insert(entity);
        } else {
            unchanged().remove(&entity);
        }
        Ok(admissions)
    }

    async fn claim(
        &self,
        run: &RunId,
        entity: &EntityName,
        owner: &ProcessId,
        wanted: &[Wanted],
    ) -> Result<Vec<Claim>, LedgerError> {
        let claim = ClaimRecords {
            run: self.names.run(&self.backend, run).await?,
            entity: self.names.intern(&self.backend, entity).await?,
            owner: self.names.process(&self.backend, owner).await?,
            wanted: wanted.to_vec(),
        };
        self.backend.write(claim).await
    }

    async fn settle(
        &self,
        run: &RunId,
        entity: &EntityName,
        owner: &ProcessId,
        settled: &[Settled],
    ) -> Result<Vec<bool>, LedgerError> {
        let mut parent_entities = HashMap::new();
        for settled in settled {
            if let Settlement::AwaitParent(parent) = &settled.how
                && !parent_entities.contains_key(&parent.entity)
            {
                let number = self.names.intern(&self.backend, &parent.entity).await?;
                parent_entities.insert(parent.entity.clone(), number);
            }
        }
        let settle = SettleRecords {
            run: self.names.run(&self.backend, run).await?,
            entity: self.names.intern(&self.backend, entity).await?,
            entity_name: entity.clone(),
            owner: self.names.process(&self.backend, owner).await?,
            settled: settled.to_vec(),
            parent_entities,
        };
        self.backend.write(settle).await
    }

    async fn target_ids(&self, records: &[RecordRef]) -> Result<HashMap<RecordRef, TargetId>, LedgerError> {
        let keys = self.by_entity(records.iter()).await?;
        let found = self.backend.read(ReadTargetIds(keys)).await?;
        let mut ids = HashMap::with_capacity(found.len());
        for (entity, key, id) in found {
            let entity = self.names.entity(&self.backend, entity).await?;
            ids.insert(RecordRef { entity, key }, id);
        }
        Ok(ids)
    }

    async fn due(&self, run: &RunId, now: Micros, limit: u32) -> Result<Vec<Due>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        let found = self.backend.read(ReadDue { run, now, limit }).await?;
        let mut due = Vec::with_capacity(found.len());
        for (entity, key, attempt, state, since) in found {
            let entity = self.names.entity(&self.backend, entity).await?;
            due.push(Due { record: RecordRef { entity, key }, attempt, state, since });
        }
        Ok(due)
    }

    async fn republished(&self, run: &RunId, records: &[Due]) -> Result<(), LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        let mut by_entity: BTreeMap<i64, Vec<Due>> = BTreeMap::new();
        for due in records {
            if let Some(entity) = self.names.find(&self.backend, &due.record.entity).await? {
                by_entity.entry(entity).or_default().push(due.clone());
            }
        }
        self.backend.write(Republish { run, records: by_entity }).await
    }

    async fn reap(&self, run: &RunId, silent_since: Micros, due: Micros) -> Result<u64, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(Reap { run, silent_since, due }).await
    }

    async fn rescue(&self, run: &RunId, now: Micros) -> Result<u64, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.write(Rescue { run, now }).await
    }

    async fn next_due(&self, run: &RunId) -> Result<Option<Micros>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.read(NextDue(run)).await
    }

    async fn written_since(&self, since: Micros) -> Result<u64, LedgerError> {
        self.backend.read(WrittenSince(since)).await
    }

    async fn pace(&self, run: &RunId, bucket: Micros) -> Result<Vec<(Micros, u64)>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.read(ReadPace { run, bucket }).await
    }

    async fn tally(&self, run: &RunId) -> Result<Tally, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        let counts = self.backend.read(ReadCounts { run }).await?;
        self.tally_of(counts).await
    }

    async fn survey(&self, run: &RunId) -> Result<Survey, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        self.backend.read(ReadSurvey(run)).await
    }

    async fn list(
        &self,
        run: &RunId,
        filter: &DeadFilter,
        after: Option<&RecordRef>,
        limit: u32,
    ) -> Result<Vec<RecordRow>, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        let mut rows = Vec::new();
        for (name, entity) in self.names.entities(&self.backend).await? {
            let passed = after.is_some_and(|after| name < after.entity);
            if passed || filter.entity.as_ref().is_some_and(|only| *only != name) {
                continue;
            }
            let left = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(u32::MAX));
            if left == 0 {
                break;
            }
            let list = ListRecords {
                run,
                entity,
                states: filter.states.clone(),
                kinds: filter.kinds.clone(),
                tenant: filter.tenant.clone(),
                after: after.filter(|after| after.entity == name).map(|after| after.key.clone()),
                limit: left,
            };
            for record in self.backend.read(list).await? {
                rows.push(self.row(name.clone(), record).await?);
            }
        }
        Ok(rows)
    }

    async fn judge(
        &self,
        run: &RunId,
        records: &[RecordRef],
        waive: Option<&str>,
        by: &str,
        now: Micros,
    ) -> Result<u64, LedgerError> {
        let run = self.names.run(&self.backend, run).await?;
        let records = self.by_entity(records.iter()).await?;
        let judge = Judge { run, records, waive: waive.map(str::to_owned), by: by.to_owned(), now };
        self.backend.write(judge).await
    }

    async fn judgements(&self, record: &RecordRef) -> Result<Vec<Judgement>, LedgerError> {
        let Some(entity) = self.names.find(&self.backend, &record.entity).await? else {
            return Ok(Vec::new());
        };
        self.backend.read(ReadJudgements { entity, key: record.key.clone() }).await
    }

    async fn id_map(
        &self,
        entity: Option<&EntityName>,
        order: IdOrder,
        after: Option<&IdRow>,
        limit: u32,
    ) -> Result<Vec<IdRow>, LedgerError> {
        let only = match entity {
            None => 0,
            Some(name) => match self.names.find(&self.backend, name).await? {
                Some(number) => number,
                None => return Ok(Vec::new()),
            },
        };
        let after = match after {
            None => None,
            Some(row) => {
                let number = self.names.intern(&self.backend, &row.record.entity).await?;
                Some((row.landed_at, number, row.record.key.clone()))
            }
        };
        let lines = self.backend.read(ReadIdMap { entity: only, order, after, limit }).await?;
        let mut rows = Vec::with_capacity(lines.len());
        for line in lines {
            let entity = self.names.entity(&self.backend, line.entity).await?;
            rows.push(IdRow {
                record: RecordRef { entity, key: line.key },
                target_id: line.target,
                origin: line.origin,
                run: self.names.run_name(&self.backend, line.run).await?,
                landed_at: line.at,
            });
        }
        Ok(rows)
    }
}

impl<B: Backend> Book<B> {
    /// Keys by entity number. Entities that the ledger never saw have no records.
    async fn by_entity(
        &self,
        records: impl Iterator<Item = &RecordRef>,
    ) -> Result<BTreeMap<i64, Vec<SourceKey>>, LedgerError> {
        let mut by_name: BTreeMap<&EntityName, Vec<SourceKey>> = BTreeMap::new();
        for record in records {
            by_name.entry(&record.entity).or_default().push(record.key.clone());
        }
        let mut by_entity = BTreeMap::new();
        for (name, keys) in by_name {
            if let Some(number) = self.names.find(&self.backend, name).await? {
                by_entity.insert(number, keys);
            }
        }
        Ok(by_entity)
    }

    async fn tally_of(&self, counts: Vec<(i64, i64, i64)>) -> Result<Tally, LedgerError> {
        let corrupt = |problem: String| LedgerError::Corrupt { problem };
        let mut tally = Tally::default();
        for (entity, state, count) in counts {
            let name = self.names.entity(&self.backend, entity).await?;
            let count =
                u64::try_from(count).map_err(|_| corrupt(format!("a count of {name} is negative")))?;
            let of = tally.entities.entry(name).or_default();
            if state == PLANNED {
                of.planned = count;
            } else {
                let state =
                    state_of(state).ok_or_else(|| corrupt(format!("no state has the number {state}")))?;
                of.states.insert(state, count);
            }
        }
        Ok(tally)
    }

    async fn row(&self, entity: EntityName, record: Record) -> Result<RecordRow, LedgerError> {
        let waits_for = match record.waits {
            None => None,
            Some((entity, key)) => {
                Some(RecordRef { entity: self.names.entity(&self.backend, entity).await?, key })
            }
        };
        Ok(RecordRow {
            record: RecordRef { entity, key: record.key },
            tenant: record.tenant,
            state: record.state,
            attempts: record.attempts,
            failure: record.note.into_failure(),
            waits_for,
            target_id: record.target,
            landed: record.landing.map(|landing| landing.content.hash),
            since: record.since,
        })
    }
}
