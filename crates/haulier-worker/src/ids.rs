//! Target ids of landed records, remembered for a while: most children come soon after their parent.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use haulier_core::port::{Ledger, LedgerError};
use haulier_core::{RecordRef, TargetId};

/// Ids kept in each of the two halves; about 20 MiB when both are full.
const HALF: usize = 50_000;

/// A bounded memory of the id map. A target id never changes once it is in the ledger, so nothing here goes stale.
#[derive(Debug, Default)]
pub(crate) struct Ids(Mutex<Halves>);

/// When the young half is full it becomes the old one, and the old one is forgotten.
#[derive(Debug, Default)]
struct Halves {
    young: HashMap<RecordRef, TargetId>,
    old: HashMap<RecordRef, TargetId>,
}

impl Ids {
    pub(crate) fn remember(&self, record: RecordRef, id: TargetId) {
        let mut halves = self.lock();
        if halves.young.len() >= HALF {
            halves.old = std::mem::take(&mut halves.young);
        }
        halves.young.insert(record, id);
    }

    fn recall(&self, record: &RecordRef) -> Option<TargetId> {
        let halves = self.lock();
        halves.young.get(record).or_else(|| halves.old.get(record)).cloned()
    }

    /// The ids of those records that have landed; asks the ledger once for all that are not remembered.
    pub(crate) async fn of(
        &self,
        ledger: &dyn Ledger,
        wanted: impl IntoIterator<Item = RecordRef>,
    ) -> Result<HashMap<RecordRef, TargetId>, LedgerError> {
        let mut found = HashMap::new();
        let mut unknown = Vec::new();
        for record in wanted {
            match self.recall(&record) {
                Some(id) => {
                    found.insert(record, id);
                }
                None => unknown.push(record),
            }
        }
        if unknown.is_empty() {
            return Ok(found);
        }
        unknown.sort_unstable();
        unknown.dedup();
        for (record, id) in ledger.target_ids(&unknown).await? {
            self.remember(record.clone(), id.clone());
            found.insert(record, id);
        }
        Ok(found)
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        // No code runs under this lock that could leave the halves half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::{EntityName, SourceKey};

    #[test]
    fn the_memory_is_bounded_and_keeps_the_young() {
        let ids = Ids::default();
        let record = |n: usize| RecordRef {
            entity: EntityName::new("account").unwrap(),
            key: SourceKey::from_parts(&[n.to_string()]),
        };
        for n in 0..HALF * 3 {
            ids.remember(record(n), TargetId::new(n.to_string()));
        }
        assert!(ids.recall(&record(0)).is_none());
        assert_eq!(ids.recall(&record(HALF * 3 - 1)).unwrap().as_str(), (HALF * 3 - 1).to_string());
        let halves = ids.lock();
        assert!(halves.young.len() + halves.old.len() <= 2 * HALF);
    }
}
