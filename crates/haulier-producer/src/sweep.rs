//! Sends again what is due: retries, released children, unknown outcomes, claims of silent workers.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use haulier_core::port::{Admission, Due, LedgerError, Micros, Sighting, SightingIntent};
use haulier_core::{Digest, EntityName, Record, RecordState, Row, SourceKey, crash};
use haulier_throttle::patiently;

use crate::ProduceError;
use crate::fibre::{admit, publish};
use crate::mapping::{Mapped, Mapper};
use crate::set_back::SetBack;
use crate::shared::Shared;

/// Records taken at once.
const BATCH: u32 = 1000;

/// One round: claims of silent processes become unknown, and everything due is published again. Returns how many were.
pub(crate) async fn sweep(
    shared: &Shared,
    mappers: &HashMap<EntityName, Mapper>,
    clock: &mut SetBack,
) -> Result<usize, ProduceError> {
    let now = shared.clock.micros();
    let reap = || {
        shared.ledger.reap(
            &shared.run,
            before(now, shared.settings.silent_after),
            after(now, shared.settings.zombie_grace),
        )
    };
    let reaped = patiently("the ledger", &shared.stop, LedgerError::is_passing, reap).await?;
    if reaped > 0 {
        tracing::warn!(
            records = reaped,
            "a worker fell silent; what it was sending is looked up before it is sent again"
        );
    }
    let due = || shared.ledger.due(&shared.run, now, BATCH);
    let mut due = patiently("the ledger", &shared.stop, LedgerError::is_passing, due).await?;
    if due.is_empty() {
        due = clock.stranded(shared, now, BATCH).await?;
    }
    let mut by_entity: BTreeMap<EntityName, Vec<Due>> = BTreeMap::new();
    for record in due {
        by_entity.entry(record.record.entity.clone()).or_default().push(record);
    }
    let mut sent = 0;
    for (entity, due) in by_entity {
        if let Some(mapper) = mappers.get(&entity) {
            sent += resend(shared, mapper, &due).await?;
        }
    }
    Ok(sent)
}

/// Reads the rows again, so that what is sent is always the newest content.
async fn resend(shared: &Shared, mapper: &Mapper, due: &[Due]) -> Result<usize, ProduceError> {
    let keys: Vec<SourceKey> = due.iter().map(|due| due.record.key.clone()).collect();
    let call = || shared.source.rows(mapper.entity(), &keys);
    let rows =
        patiently("the source", &shared.stop, haulier_core::port::SourceError::is_passing, call).await?;
    let rows: HashMap<&SourceKey, &Row> = rows.iter().map(|row| (&row.key, row)).collect();
    let mapped =
        keys.iter().map(|key| rows.get(key).map_or_else(|| gone(key), |row| mapper.map(row))).collect();
    let (mapped, admissions) = admit(shared, mapper, mapped, true).await?;

    let mut records: Vec<Record> = Vec::with_capacity(due.len());
    let (mut unknown, mut retry): (Vec<Due>, Vec<Due>) = (Vec::new(), Vec::new());
    for ((mapped, admission), due) in mapped.into_iter().zip(admissions).zip(due) {
        // An unknown outcome goes out whatever was noted: the worker looks it up first.
        let doubtful = due.state == RecordState::Unknown;
        if doubtful {
            // Also one whose row is gone or cannot be mapped any more: the next time it is admitted, it is told so.
            unknown.push(due.clone());
        }
        if let Some(record) = mapped.record.filter(|_| doubtful || admission == Admission::Publish) {
            records.push(record);
            if !doubtful {
                retry.push(due.clone());
            }
        }
    }
    let count = records.len();
    // Nobody can claim an unknown one before this; should its message be lost now, it is found at the end of the run.
    note(shared, &unknown).await?;
    if !publish(shared, mapper, records).await? {
        // What went out is known to the queue; all of it stays due, and a repeat is harmless.
        return Ok(0);
    }
    crash::point(crash::SWEEP_AFTER_PUBLISH);
    note(shared, &retry).await?;
    shared.progress.add_swept(count);
    Ok(count)
}

async fn note(shared: &Shared, sent: &[Due]) -> Result<(), ProduceError> {
    if sent.is_empty() {
        return Ok(());
    }
    let note = || shared.ledger.republished(&shared.run, sent);
    Ok(patiently("the ledger", &shared.stop, LedgerError::is_passing, note).await?)
}

fn gone(key: &SourceKey) -> Mapped {
    let sighting = Sighting {
        key: key.clone(),
        tenant: None,
        generation: 0,
        hash: Digest([0; 16]),
        natural: None,
        path_key: None,
        intent: SightingIntent::Skip("the row is gone from the source".to_owned()),
    };
    Mapped { sighting, record: None }
}

pub(crate) fn before(now: Micros, by: Duration) -> Micros {
    now.saturating_sub(micros(by))
}

pub(crate) fn after(now: Micros, by: Duration) -> Micros {
    now.saturating_add(micros(by))
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
