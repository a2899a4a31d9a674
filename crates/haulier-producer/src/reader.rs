//! Reads the rows of one walk: chunk by chunk in key order, smaller where the source is slow, of chosen tenants where it can be asked.

use std::time::{Duration, Instant};

use haulier_core::brake::{Holding, name};
use haulier_core::control::Side;
use haulier_core::plan::Entity;
use haulier_core::port::{Cursor, KeyRange, SourceError};
use haulier_core::{Row, SourceKey};
use haulier_throttle::patiently;

use crate::ProduceError;
use crate::chunk::ChunkSize;
use crate::shared::Shared;

/// So many chunks that took too long, each half of the one before, make a brake.
const LATE: u32 = 3;
/// How long the source is left alone then, before it is asked again.
const ALONE: Duration = Duration::from_secs(2);

/// The rows of one range.
#[derive(Debug)]
pub(crate) struct Reader<'w> {
    shared: &'w Shared,
    entity: &'w Entity,
    /// The entity with the rows of the leg's tenants alone, as long as the source finds them in time.
    narrowed: Option<Entity>,
    range: KeyRange,
    size: ChunkSize,
}

impl<'w> Reader<'w> {
    pub(crate) fn new(shared: &'w Shared, entity: &'w Entity, cursor: &Cursor) -> Self {
        Self {
            shared,
            entity,
            narrowed: shared.leg.as_ref().and_then(|leg| leg.narrowed(entity)),
            range: KeyRange { after: cursor.after.clone(), upto: cursor.upto.clone() },
            size: ChunkSize::new(shared.controls.chunk()),
        }
    }

    /// The next rows behind a key; none at the range's end. Of a leg rows of other tenants may be among them.
    pub(crate) async fn after(&mut self, after: Option<&SourceKey>) -> Result<Vec<Row>, ProduceError> {
        let shared = self.shared;
        let mut late: u32 = 0;
        loop {
            self.size.limit_to(shared.controls.chunk());
            let (limit, start) = (self.size.rows(), Instant::now());
            let entity = self.narrowed.as_ref().unwrap_or(self.entity);
            let call = || shared.source.chunk(entity, &self.range, after, limit);
            let passes =
                |error: &SourceError| error.is_passing() && !matches!(error, SourceError::Timeout { .. });
            match patiently("the source", &shared.stop, passes, call).await {
                Ok(rows) => {
                    if rows.len() >= limit as usize {
                        self.size.took(start.elapsed());
                    }
                    if late >= LATE {
                        shared.board.put(Side::Produce, name::CHUNK_TIME, None);
                    }
                    shared.progress.add_read(rows.len());
                    return Ok(rows);
                }
                // However few rows are wanted, it looks at all of the others on its way to them: no smaller chunk helps.
                Err(SourceError::Timeout { entity, limit_ms }) if self.narrowed.take().is_some() => {
                    tracing::warn!(
                        entity,
                        limit_ms,
                        "the source takes too long to find the chosen tenants' rows; all rows are read, and the others left out"
                    );
                }
                Err(SourceError::Timeout { entity, limit_ms }) if !shared.stop.is_cancelled() => {
                    self.size.halve();
                    late += 1;
                    let rows = self.size.rows();
                    tracing::warn!(entity, limit_ms, rows, "a chunk took too long, reading less at once");
                    if late >= LATE {
                        brake(shared, &entity, limit_ms, late).await;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A source that does not deliver a small chunk in time has other troubles: it is left alone for a while, by name.
async fn brake(shared: &Shared, entity: &str, limit_ms: u64, late: u32) {
    let known = shared.board.holding().into_iter().find(|(_, holding)| holding.name == name::CHUNK_TIME);
    let holding = Holding {
        name: name::CHUNK_TIME.to_owned(),
        value: format!("{late} chunks of `{entity}` took too long one after the other"),
        limit: format!("{limit_ms} ms"),
        since: known.map_or_else(|| shared.clock.micros(), |(_, holding)| holding.since),
        critical: false,
        part: false,
    };
    shared.board.put(Side::Produce, name::CHUNK_TIME, Some(&holding));
    tokio::select! {
        () = tokio::time::sleep(ALONE) => {}
        () = shared.stop.cancelled() => {}
    }
}
