//! Cuts records into parcels.

use haulier_core::{EntityName, Parcel, Record, RunId};

/// Bytes of bodies after which a parcel is closed, so that it stays far below the broker's limit.
const BYTES: usize = 1 << 20;

/// Records of one entity, cut into parcels of at most `most` records and about 1 MiB.
pub(crate) fn cut(
    run: &RunId,
    entity: &EntityName,
    epoch: u64,
    records: Vec<Record>,
    most: usize,
) -> Vec<Parcel> {
    let mut parcels = Vec::with_capacity(records.len() / most.max(1) + 1);
    let mut current: Vec<Record> = Vec::with_capacity(most.min(records.len()));
    let mut bytes = 0;
    let close = |records: Vec<Record>| Parcel { run: run.clone(), entity: entity.clone(), epoch, records };
    for record in records {
        if !current.is_empty() && (current.len() >= most || bytes + record.body.len() > BYTES) {
            parcels.push(close(std::mem::take(&mut current)));
            bytes = 0;
        }
        bytes += record.body.len();
        current.push(record);
    }
    if !current.is_empty() {
        parcels.push(close(current));
    }
    parcels
}

/// How many records one parcel may carry: one at a few a second, a tenth of a second's worth above, at most `most`.
pub(crate) fn size(rate: Option<f64>, most: usize) -> usize {
    let most = most.max(1);
    let Some(rate) = rate else { return most };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=1000")]
    let tenth = (rate / 10.0).clamp(1.0, 1000.0) as usize;
    tenth.min(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::{Digest, SourceKey};

    #[test]
    fn parcels_are_bounded_by_count_and_bytes() {
        let record = |key: usize, bytes: usize| Record {
            key: SourceKey::from_parts(&[key.to_string()]),
            tenant: None,
            generation: 0,
            hash: Digest([0; 16]),
            body: "x".repeat(bytes),
            vars: Vec::new(),
            refs: Vec::new(),
        };
        let run = RunId::new("r");
        let entity = EntityName::new("account").unwrap();
        let records: Vec<Record> = (0..10).map(|key| record(key, 10)).collect();
        let sizes: Vec<usize> = cut(&run, &entity, 1, records, 4).iter().map(|p| p.records.len()).collect();
        assert_eq!(sizes, [4, 4, 2]);
        let records: Vec<Record> = (0..3).map(|key| record(key, BYTES)).collect();
        assert_eq!(cut(&run, &entity, 1, records, 100).len(), 3);
    }

    #[test]
    fn the_size_follows_the_rate() {
        assert_eq!(size(Some(0.5), 100), 1);
        assert_eq!(size(Some(200.0), 100), 20);
        assert_eq!(size(None, 100), 100);
        assert_eq!(size(Some(1e9), 100), 100);
    }
}
