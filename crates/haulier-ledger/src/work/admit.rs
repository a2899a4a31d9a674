//! Admission of rows that the producer read.

use std::collections::{HashMap, HashSet};

use haulier_core::port::{Admission, Micros, Sighting, SightingIntent};
use haulier_core::{Digest, EntityName, RecordState, SourceKey, TenantKey};

use crate::conn::{Args, Cells, Conn, Each, Fault, Quick, Shortcut, Work};
use crate::law::{self, Admitting};
use crate::record::{PLANNED, state_code};
use crate::sheet::{Deltas, Sheet};
use crate::store;

#[derive(Debug)]
pub(crate) struct AdmitRows {
    pub(crate) run: i64,
    /// There was a run before: its records are there.
    pub(crate) later: bool,
    /// The rows before these were as they had landed.
    pub(crate) unchanged: bool,
    pub(crate) entity: i64,
    pub(crate) entity_name: EntityName,
    pub(crate) sightings: Vec<Sighting>,
    pub(crate) again: bool,
    pub(crate) now: Micros,
}

impl Work for AdmitRows {
    type Out = Vec<Admission>;
    const DOING: &'static str = "admitting rows";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Admission>, Fault> {
        let mut rest: Vec<&Sighting> = self.sightings.iter().collect();
        let mut passed = HashSet::new();
        if self.later && distinct(&rest) {
            let sent = rest.iter().copied().filter(|sighting| sighting.intent == SightingIntent::Send);
            for row in conn.some(Each::Pass, self.args(&sent.collect::<Vec<_>>())).await? {
                passed.insert(row.word(0)?);
            }
            conn.count(&self.deltas(RecordState::Skipped, passed.len()));
            rest.retain(|sighting| !passed.contains(sighting.key.as_str()));
        }
        let fast = rest.iter().all(|sighting| sighting.intent == SightingIntent::Send)
            && conn.fast(self.quick(Quick::Admit, RecordState::Queued, &rest)).await?;
        let mut rest =
            if fast { vec![Admission::Publish; rest.len()] } else { self.admit_each(conn, &rest).await? }
                .into_iter();
        let all = self.sightings.iter();
        let all = all.map(|sighting| match passed.contains(sighting.key.as_str()) {
            true => Some(Admission::Unchanged),
            false => rest.next(),
        });
        all.collect::<Option<_>>().ok_or_else(|| Fault::corrupt("an answer is missing"))
    }

    /// Queues all rows, if none was there before and none has another's natural key; or skips all, if all are as they
    /// landed, where that is likelier.
    fn shortcut(&self) -> Option<(Shortcut<'_>, Vec<Admission>)> {
        if !self.sightings.iter().all(|sighting| sighting.intent == SightingIntent::Send) {
            return None;
        }
        let rows: Vec<&Sighting> = self.sightings.iter().collect();
        let (quick, state, out) = if self.unchanged {
            (Quick::Pass, RecordState::Skipped, Admission::Unchanged)
        } else {
            (Quick::Admit, RecordState::Queued, Admission::Publish)
        };
        Some((self.quick(quick, state, &rows), vec![out; rows.len()]))
    }
}

/// Whether each key is there once.
fn distinct(rows: &[&Sighting]) -> bool {
    rows.iter().map(|sighting| &sighting.key).collect::<HashSet<_>>().len() == rows.len()
}

impl AdmitRows {
    fn quick<'a>(&'a self, quick: Quick, state: RecordState, rows: &[&'a Sighting]) -> Shortcut<'a> {
        Shortcut { quick, args: self.args(rows), rows: rows.len(), deltas: self.deltas(state, rows.len()) }
    }

    fn args<'a>(&self, rows: &[&'a Sighting]) -> Args<'a> {
        let rows = || rows.iter().copied();
        Args::of([self.entity.into(), self.run.into(), self.now.into()])
            .texts(rows().map(|s| Some(s.key.as_str())))
            .ints(rows().map(|s| Some(s.generation)))
            .digests(rows().map(|s| Some(s.hash)))
            .digests(rows().map(|s| s.natural))
            .texts(rows().map(|s| s.tenant.as_ref().map(TenantKey::as_str)))
    }

    /// Rows that become part of the run, in this state.
    fn deltas(&self, state: RecordState, rows: usize) -> Deltas {
        let by = i64::try_from(rows).unwrap_or(i64::MAX);
        let place = |state| (self.run, self.entity, state, 0);
        Deltas::from([(place(state_code(state)), by), (place(PLANNED), by)])
    }

    async fn admit_each<C: Conn>(
        &self,
        conn: &mut C,
        sightings: &[&Sighting],
    ) -> Result<Vec<Admission>, Fault> {
        if sightings.is_empty() {
            return Ok(Vec::new());
        }
        let keys = sightings.iter().map(|sighting| &sighting.key);
        let mut sheet = Sheet::of(store::load(conn, self.entity, keys).await?);
        let mut holders = self.holders(conn, sightings).await?;
        // A row that was seen with another natural key leaves its old one to the other rows of this batch.
        for sighting in sightings {
            if let Some(record) = sheet.get(self.entity, &sighting.key)
                && let Some(old) = record.natural
                && sighting.natural != Some(old)
                && !law::keeps_key(record, sighting)
            {
                holders.remove(&old);
            }
        }
        let mut admissions = Vec::with_capacity(sightings.len());
        for sighting in sightings {
            let holder = sighting.natural.and_then(|natural| holders.get(&natural));
            let at = Admitting {
                run: self.run,
                entity: self.entity,
                entity_name: self.entity_name.as_str(),
                now: self.now,
                again: self.again,
                rival: holder.filter(|key| **key != sighting.key),
            };
            let record = sheet.get(self.entity, &sighting.key).cloned();
            let (record, admission) = law::admit(at, record, sighting)?;
            if let Some(record) = record {
                if let Some(natural) = record.natural {
                    holders.insert(natural, record.key.clone());
                }
                sheet.put(record);
            }
            admissions.push(admission);
        }
        store::save(conn, &sheet).await?;
        Ok(admissions)
    }

    async fn holders<C: Conn>(
        &self,
        conn: &mut C,
        sightings: &[&Sighting],
    ) -> Result<HashMap<Digest, SourceKey>, Fault> {
        let naturals: Vec<Digest> = sightings.iter().filter_map(|sighting| sighting.natural).collect();
        if naturals.is_empty() {
            return Ok(HashMap::new());
        }
        let args = Args::of([self.entity.into()]).digests(naturals.into_iter().map(Some));
        let rows = conn.rows(C::SQL.natural_holders, args).await?;
        rows.iter()
            .map(|row| {
                let digest =
                    store::digest(row, 0)?.ok_or_else(|| Fault::corrupt("a natural key is empty"))?;
                Ok((digest, SourceKey::from_canonical(&row.word(1)?)))
            })
            .collect()
    }
}
