//! Which records of a parcel may go: those whose parents have landed.

use std::collections::HashMap;

use haulier_core::plan::Entity;
use haulier_core::port::{LedgerError, Settlement};
use haulier_core::{Record, RecordRef, SourceKey, TargetId};
use haulier_throttle::patiently;

use super::Load;
use crate::WorkError;

impl Load<'_> {
    /// Sorts the records into those that may go, those that wait for another of this parcel, and those that are held.
    pub(super) async fn resolve(&mut self) -> Result<(), WorkError> {
        if self.entity.refs.is_empty() {
            self.ready = (0..self.items.len()).collect();
            return Ok(());
        }
        let wanted: Vec<RecordRef> =
            self.items.iter().flat_map(|item| references(self.entity, item.record).flatten()).collect();
        let ledger = self.shared.ledger.as_ref();
        let call = || self.shared.ids.of(ledger, wanted.iter().cloned());
        let ids = patiently("the ledger", &self.shared.stop, LedgerError::is_passing, call).await?;
        let here: HashMap<SourceKey, usize> =
            self.items.iter().enumerate().map(|(index, item)| (item.record.key.clone(), index)).collect();
        for index in 0..self.items.len() {
            self.sort_in(index, &ids, &here);
        }
        // A ring inside the parcel would wait for itself: its members are held, as across parcels.
        self.hold_rings();
        Ok(())
    }

    fn sort_in(
        &mut self,
        index: usize,
        ids: &HashMap<RecordRef, TargetId>,
        here: &HashMap<SourceKey, usize>,
    ) {
        let Some(item) = self.items.get_mut(index) else { return };
        let mut refs = Vec::with_capacity(self.entity.refs.len());
        let mut missing = None;
        for reference in references(self.entity, item.record) {
            match reference {
                None => refs.push(None),
                Some(parent) => match ids.get(&parent) {
                    Some(id) => refs.push(Some(id.clone())),
                    None => {
                        refs.push(None);
                        missing = missing.or(Some(parent));
                    }
                },
            }
        }
        item.refs = refs;
        match missing {
            None => self.ready.push_back(index),
            Some(parent)
                if parent.entity == self.entity.name
                    && here.get(&parent.key).is_some_and(|at| *at != index) =>
            {
                self.waiting.entry(parent.key).or_default().push(index);
            }
            Some(parent) => self.hold(index, parent),
        }
    }

    fn hold_rings(&mut self) {
        let mut reachable: Vec<usize> = self.ready.iter().copied().collect();
        let mut at = 0;
        while let Some(index) = reachable.get(at).copied() {
            at += 1;
            let Some(item) = self.items.get(index) else { continue };
            if let Some(children) = self.waiting.get(&item.record.key) {
                reachable.extend(children);
            }
        }
        let stuck: Vec<SourceKey> = self
            .waiting
            .iter()
            .filter(|(_, children)| children.iter().any(|child| !reachable.contains(child)))
            .map(|(parent, _)| parent.clone())
            .collect();
        for parent in stuck {
            self.hold_children(&parent);
        }
    }

    fn hold(&mut self, index: usize, parent: RecordRef) {
        let Some(item) = self.items.get(index) else { return };
        self.shared.progress.add_held();
        let key = item.record.key.clone();
        self.note(index, Settlement::AwaitParent(parent));
        self.hold_children(&key);
    }

    pub(super) fn hold_children(&mut self, key: &SourceKey) {
        for child in self.waiting.remove(key).unwrap_or_default() {
            self.hold(child, RecordRef { entity: self.entity.name.clone(), key: key.clone() });
        }
    }

    /// A parent of this parcel landed: its child may go.
    pub(super) fn adopt(&mut self, child: usize, parent: &RecordRef, id: &TargetId) {
        let Some(item) = self.items.get_mut(child) else { return };
        let mut still_missing = None;
        let wanted: Vec<Option<RecordRef>> = references(self.entity, item.record).collect();
        for (slot, wanted) in item.refs.iter_mut().zip(wanted) {
            match wanted {
                Some(wanted) if wanted == *parent => *slot = Some(id.clone()),
                Some(wanted) if slot.is_none() => still_missing = Some(wanted),
                Some(_) | None => {}
            }
        }
        match still_missing {
            None => self.ready.push_back(child),
            Some(parent) => self.hold(child, parent),
        }
    }
}

/// The records that a record refers to, in the order of the entity's `refs`; `None` is NULL.
fn references<'r>(entity: &'r Entity, record: &'r Record) -> impl Iterator<Item = Option<RecordRef>> + 'r {
    entity.refs.iter().zip(&record.refs).map(|(reference, key)| {
        key.as_ref().map(|key| RecordRef { entity: reference.entity.clone(), key: key.clone() })
    })
}
