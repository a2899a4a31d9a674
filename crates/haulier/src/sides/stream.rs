//! One entity of one side into its extract.

use std::collections::HashMap;
use std::sync::Arc;

use haulier_core::SourceKey;
use haulier_sides::{Agreed, Batch, Job, Read};
use haulier_validator::extract::{ExtractError, ExtractWriter};
use haulier_validator::neutral::Side;
use tokio::sync::mpsc;

use super::{Ids, Narrow, OneSide, id_set, narrow};
use crate::error::CliError;

/// Extracts that hold all their lines, not yet sorted, and how the reading went.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) writers: Vec<ExtractWriter>,
    pub(crate) read: Read,
}

/// Reads an entity into these writers: all of it, or the rows of these tenants, by their ids on this side. With `split`, a line
/// goes to the writer at the position of its tenant's key there; else all go to the first.
pub(crate) async fn stream(
    side: &mut OneSide<'_>,
    agreed: &Arc<Agreed>,
    writers: Vec<ExtractWriter>,
    tenants: Option<&Ids>,
    split: Option<&[SourceKey]>,
    index: bool,
) -> Result<Streamed, CliError> {
    let keys: Vec<SourceKey> = tenants.into_iter().flat_map(HashMap::values).cloned().collect();
    let narrow =
        if tenants.is_some() && keys.is_empty() { Narrow::Nothing } else { narrow(&agreed.entity, &keys) };
    if matches!(narrow, Narrow::Nothing) {
        return Ok(Streamed { writers, read: Read::default() });
    }
    // Few rows of the source bring few parents with them; else those are read before.
    let asks = side.side == Side::Source && matches!(narrow, Narrow::To(_));
    if !asks {
        side.learn(agreed).await?;
    }
    let index = index && !asks;
    let (out, batches) = mpsc::channel(8);
    let place = tenants.zip(split).map(|(ids, order)| {
        let at = |key: &SourceKey| order.iter().position(|known| known == key);
        ids.iter().filter_map(|(id, key)| Some((id.clone(), at(key)?))).collect::<HashMap<_, _>>()
    });
    let writing = tokio::task::spawn_blocking(move || write(writers, batches, place.as_ref()));
    let job = Job {
        agreed: Arc::clone(agreed),
        naturals: Arc::new(side.naturals.clone()),
        neutral: Some(side.all.neutral(agreed, side.side)?),
        index: index.then(|| side.naturals.gather()),
        tenants: tenants.map(id_set),
        ask: asks.then(|| side.all.agreed.clone().into()),
        out: Some(out),
        rows: Arc::clone(&side.rows),
    };
    let read = side.reader.read(&job).await;
    let gathered = job.index.clone();
    drop(job);
    let written = writing.await.map_err(CliError::bug)?;
    // A writer that failed is why the reader was stopped.
    let mut writers = written?;
    let read = read?;
    if let Some(first) = writers.first_mut() {
        first.add_changed(&read.changed);
    }
    if let Some(gathered) = gathered {
        side.naturals.keep(agreed, &gathered).await?;
    }
    Ok(Streamed { writers, read })
}

fn write(
    mut writers: Vec<ExtractWriter>,
    mut batches: mpsc::Receiver<Batch>,
    place: Option<&HashMap<String, usize>>,
) -> Result<Vec<ExtractWriter>, ExtractError> {
    while let Some(batch) = batches.blocking_recv() {
        for (line, tenant) in batch.lines().zip(batch.tenants()) {
            let writer = match place {
                None => 0,
                Some(place) => match tenant.and_then(|tenant| place.get(tenant)) {
                    Some(index) => *index,
                    None => continue,
                },
            };
            if let Some(writer) = writers.get_mut(writer) {
                writer.line(line)?;
            }
        }
    }
    Ok(writers)
}
