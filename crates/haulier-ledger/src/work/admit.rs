//! Admission of rows that the producer read.

use std::collections::HashMap;

use haulier_core::port::{Admission, Micros, Sighting, SightingIntent};
use haulier_core::{Digest, EntityName, RecordState, SourceKey, TenantKey};

use crate::conn::{Args, Cells, Conn, Fast, Fault, Quick, Shortcut, Work};
use crate::law::{self, Admitting};
use crate::record::{PLANNED, state_code};
use crate::sheet::{Deltas, Sheet};
use crate::store;

#[derive(Debug)]
pub(crate) struct AdmitRows {
    pub(crate) run: i64,
    pub(crate) entity: i64,
    pub(crate) entity_name: EntityName,
    pub(crate) sightings: Vec<Sighting>,
    pub(crate) now: Micros,
}

impl Work for AdmitRows {
    type Out = Vec<Admission>;
    const DOING: &'static str = "admitting rows";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Admission>, Fault> {
        if let Some((shortcut, out)) = self.shortcut()
            && conn.fast(shortcut).await? != Fast::None
        {
            return Ok(out);
        }
        self.admit_each(conn).await
    }

    /// Queues all rows, if none was there before and none has another's natural key.
    fn shortcut(&self) -> Option<(Shortcut<'_>, Vec<Admission>)> {
        let rows = || self.sightings.iter();
        if !rows().all(|sighting| sighting.intent == SightingIntent::Send) {
            return None;
        }
        let args = Args::of([self.entity.into(), self.run.into(), self.now.into()])
            .texts(rows().map(|s| Some(s.key.as_str())))
            .ints(rows().map(|s| Some(s.generation)))
            .digests(rows().map(|s| Some(s.hash)))
            .digests(rows().map(|s| s.natural))
            .texts(rows().map(|s| s.tenant.as_ref().map(TenantKey::as_str)));
        let rows = self.sightings.len();
        let by = i64::try_from(rows).unwrap_or(i64::MAX);
        let queued = (self.run, self.entity, state_code(RecordState::Queued), 0);
        let deltas = Deltas::from([(queued, by), ((self.run, self.entity, PLANNED, 0), by)]);
        Some((Shortcut { quick: Quick::Admit, args, rows, deltas }, vec![Admission::Publish; rows]))
    }
}

impl AdmitRows {
    async fn admit_each<C: Conn>(&self, conn: &mut C) -> Result<Vec<Admission>, Fault> {
        let keys = self.sightings.iter().map(|sighting| &sighting.key);
        let mut sheet = Sheet::of(store::load(conn, self.entity, keys).await?);
        let mut holders = self.holders(conn).await?;
        // A row that was seen with another natural key leaves its old one to the other rows of this batch.
        for sighting in &self.sightings {
            if let Some(old) = sheet.get(self.entity, &sighting.key).and_then(|record| record.natural)
                && sighting.natural != Some(old)
            {
                holders.remove(&old);
            }
        }
        let mut admissions = Vec::with_capacity(self.sightings.len());
        for sighting in &self.sightings {
            let holder = sighting.natural.and_then(|natural| holders.get(&natural));
            let at = Admitting {
                run: self.run,
                entity: self.entity,
                entity_name: self.entity_name.as_str(),
                now: self.now,
                rival: holder.filter(|key| **key != sighting.key),
            };
            let record = sheet.get(self.entity, &sighting.key).cloned();
            let (record, admission) = law::admit(at, record, sighting)?;
            if let Some(natural) = record.natural {
                holders.insert(natural, record.key.clone());
            }
            sheet.put(record);
            admissions.push(admission);
        }
        store::save(conn, &sheet).await?;
        Ok(admissions)
    }

    async fn holders<C: Conn>(&self, conn: &mut C) -> Result<HashMap<Digest, SourceKey>, Fault> {
        let naturals: Vec<Digest> = self.sightings.iter().filter_map(|sighting| sighting.natural).collect();
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
