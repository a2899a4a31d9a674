//! One walk: read a chunk, admit it, publish it, wait for the confirms, move the cursor.

use futures_util::future::try_join_all;
use haulier_core::plan::{OrphanPolicy, TenantPath};
use haulier_core::port::{Admission, Admit, Cursor, LedgerError, QueueError, SightingIntent};
use haulier_core::{Failure, FailureKind, Record, Row, crash};
use haulier_throttle::{Slot, patiently};

use crate::ProduceError;
use crate::lease;
use crate::mapping::{Mapped, Mapper};
use crate::parcel;
use crate::reader::Reader;
use crate::shared::Shared;

/// Rows in one call to the ledger. The calls of a chunk go out together, so that they are committed together; but what a
/// database keeps to undo one of them stays small.
const IN_A_CALL: usize = 1000;

/// Walks one range to its end, or until the stop. Reads one chunk ahead of what is being published.
/// Between two chunks it gives its slot to others when there are fewer than before.
pub(crate) async fn walk(
    shared: &Shared,
    mapper: &Mapper,
    mut cursor: Cursor,
    mut slot: Slot,
) -> Result<(), ProduceError> {
    let mut reader = Reader::new(shared, mapper.entity(), &cursor);
    let mut rows = reader.after(cursor.at.as_ref()).await?;
    while let Some(last) = rows.last() {
        let Some(kept) = shared.keep(slot).await else { return Ok(()) };
        slot = kept;
        crash::point(crash::PRODUCE_AFTER_READ);
        let last = last.key.clone();
        let (next, delivered) =
            tokio::join!(reader.after(Some(&last)), deliver(shared, mapper, rows.as_slice()),);
        if !delivered? {
            return Ok(());
        }
        cursor.at = Some(last);
        crash::point(crash::PRODUCE_AFTER_PUBLISH);
        advance(shared, &cursor).await?;
        crash::point(crash::PRODUCE_AFTER_ADVANCE);
        rows = next?;
    }
    cursor.done = true;
    advance(shared, &cursor).await
}

async fn advance(shared: &Shared, cursor: &Cursor) -> Result<(), ProduceError> {
    let cursors = std::slice::from_ref(cursor);
    Ok(patiently("the ledger", &shared.stop, LedgerError::is_passing, || {
        shared.ledger.advance(&shared.run, cursors)
    })
    .await?)
}

/// Admits and publishes rows; `false` when the stop came before the last of them.
async fn deliver(shared: &Shared, mapper: &Mapper, rows: &[Row]) -> Result<bool, ProduceError> {
    let entity = mapper.entity();
    if entity.orphans == OrphanPolicy::Stop && entity.tenant != TenantPath::None {
        let orphan = rows.iter().find(|row| row.tenant.is_none());
        if let Some(row) = orphan {
            return Err(ProduceError::Orphan { entity: entity.name.clone(), key: row.key.clone() });
        }
    }
    let leg = shared.leg.as_ref();
    let wanted = rows.iter().filter(|row| leg.is_none_or(|leg| leg.takes(entity, row)));
    let mapped: Vec<Mapped> = wanted.map(|row| mapper.map(row)).collect();
    let (mapped, admissions) = admit(shared, mapper, mapped, false).await?;
    crash::point(crash::PRODUCE_AFTER_ADMIT);
    let wanted = mapped.into_iter().zip(admissions).filter(|(_, admission)| *admission == Admission::Publish);
    let records: Vec<Record> = wanted.filter_map(|(mapped, _)| mapped.record).collect();
    let count = records.len();
    let all = publish(shared, mapper, records).await?;
    if all {
        shared.progress.add_published(count);
    }
    Ok(all)
}

/// Tells the ledger of mapped rows, as long as nobody else can hold the lease; one admission each, in order. `again` says that
/// they were read just now, because they are due.
pub(crate) async fn admit(
    shared: &Shared,
    mapper: &Mapper,
    mut mapped: Vec<Mapped>,
    again: bool,
) -> Result<(Vec<Mapped>, Vec<Admission>), ProduceError> {
    lease::stands(shared).await?;
    let sightings: Vec<_> = mapped.iter_mut().map(|mapped| mapped.sighting.clone()).collect();
    let admit = |sightings| {
        let request = move || Admit {
            run: &shared.run,
            entity: &mapper.entity().name,
            sightings,
            again,
            now: shared.clock.micros(),
        };
        patiently("the ledger", &shared.stop, LedgerError::is_passing, move || shared.ledger.admit(request()))
    };
    let admissions = try_join_all(sightings.chunks(IN_A_CALL).map(admit)).await?;
    Ok((mapped, admissions.concat()))
}

/// Publishes records at the set rate and waits for the confirms. A record that no message can hold dies here, by name.
/// `false` when the stop came before the last of them.
pub(crate) async fn publish(
    shared: &Shared,
    mapper: &Mapper,
    records: Vec<Record>,
) -> Result<bool, ProduceError> {
    if records.is_empty() {
        return Ok(true);
    }
    let entity = &mapper.entity().name;
    let rate = shared.rate_now();
    let size = parcel::size(rate, shared.settings.parcel);
    let parcels = parcel::cut(&shared.run, entity, shared.epoch(), records, size);
    // Without a rate the whole chunk is one call, and its confirms overlap.
    let at_once = if rate.is_some() { 1 } else { parcels.len() };
    for batch in parcels.chunks(at_once) {
        let records = batch.iter().map(|parcel| parcel.records.len()).sum();
        if !shared.may_send(records).await {
            return Ok(false);
        }
        match send(shared, batch).await {
            Err(QueueError::TooLarge { .. }) => publish_singly(shared, mapper, batch).await?,
            other => other?,
        }
        shared.meter.produced(records, batch.len());
    }
    Ok(true)
}

async fn send(shared: &Shared, parcels: &[haulier_core::Parcel]) -> Result<(), QueueError> {
    patiently("the queue", &shared.stop, QueueError::is_passing, || shared.queue.publish(parcels)).await
}

async fn publish_singly(
    shared: &Shared,
    mapper: &Mapper,
    parcels: &[haulier_core::Parcel],
) -> Result<(), ProduceError> {
    for record in parcels.iter().flat_map(|parcel| &parcel.records) {
        let single = parcel::cut(&shared.run, &mapper.entity().name, shared.epoch(), vec![record.clone()], 1);
        match send(shared, &single).await {
            Err(QueueError::TooLarge { bytes, limit }) => {
                let reason =
                    format!("the record has {bytes} bytes, the queue takes at most {limit} in one message");
                let sighting = haulier_core::port::Sighting {
                    key: record.key.clone(),
                    tenant: record.tenant.clone(),
                    generation: record.generation,
                    hash: record.hash,
                    natural: None,
                    path_key: None,
                    intent: SightingIntent::Refuse(Failure::new(FailureKind::Mapping, reason)),
                };
                admit(shared, mapper, vec![Mapped { sighting, record: None }], false).await?;
            }
            other => other?,
        }
    }
    Ok(())
}
