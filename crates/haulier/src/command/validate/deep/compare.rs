//! Compares single records: the row as it is now, what was sent of it, and what the target holds.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use futures_util::{StreamExt, stream};
use haulier_core::plan::Entity;
use haulier_core::port::{Push, RecordRow, Throttle};
use haulier_core::{Record, RecordRef, Row, SourceKey, TargetId};
use haulier_sides::Whole;

use super::desk::Desk;
use crate::error::CliError;
use crate::sides::Standing;

/// What explains a difference that the run has not seen.
const CHANGED: &str = "changed in the source since it was sent";

/// What became of one record.
pub(super) enum Found {
    Same,
    /// Fields with both values.
    Different(Vec<haulier_sides::FieldDifference>),
    Missing,
    Unreadable(String, String),
    Explained(&'static str),
}

impl Found {
    /// Its word in the evidence.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different(_) => "different",
            Self::Missing => "missing",
            Self::Unreadable(..) => "unreadable",
            Self::Explained(word) => word,
        }
    }
}

/// One record, compared.
pub(super) struct Compared {
    pub(super) row: Row,
    pub(super) found: Found,
    /// Its id in the target, where the ledger knows one.
    pub(super) id: Option<TargetId>,
    /// SHA-256 of the fields as the source has them, in their neutral form.
    pub(super) source: Option<String>,
    /// The same of the target.
    pub(super) target: Option<String>,
}

impl Desk<'_> {
    /// Reads these rows' records back, several at a time, and compares them.
    pub(super) async fn compare(
        &self,
        whole: &mut Whole,
        rows: Vec<Row>,
        ledger: &HashMap<SourceKey, RecordRow>,
    ) -> Result<Vec<Compared>, CliError> {
        let entity = whole.entity().clone();
        let mut wanted = Vec::new();
        for row in &rows {
            let record = whole.mapped(row).record;
            wanted.extend(record.iter().flat_map(|record| refs_of(&entity, record)).flatten());
        }
        let ids = self.at.ledger.target_ids(&wanted).await?;
        let mut asked: Vec<(Row, Option<Found>, Option<Task>)> = Vec::with_capacity(rows.len());
        for row in rows {
            let known = ledger.get(&row.key);
            let standing = known.and_then(Standing::of);
            let task = whole.mapped(&row).record.zip(known.and_then(|known| known.target_id.clone()));
            asked.push(match (standing, task) {
                (Some(standing), _) => (row, Some(Found::Explained(standing.word)), None),
                (None, None) => (row, Some(Found::Missing), None),
                (None, Some((record, id))) => {
                    let refs = refs_of(&entity, &record).into_iter().map(|wanted| ids.get(&wanted?).cloned());
                    let changed =
                        known.is_some_and(|known| known.landed.is_some_and(|landed| landed != record.hash));
                    let task = Task { refs: refs.collect(), record, id, changed };
                    (row, None, Some(task))
                }
            });
        }
        let entity = &entity;
        let reading = asked.into_iter().map(|(row, found, task)| async move {
            let held = match &task {
                Some(task) => Some(self.read(entity, task).await?),
                None => None,
            };
            Ok::<_, CliError>((row, found, task, held))
        });
        let mut reading = stream::iter(reading).buffered(self.at.validate_pages().max(1));
        let mut all = Vec::new();
        while let Some(read) = reading.next().await {
            let (row, found, task, held) = read?;
            self.rows.fetch_add(1, Ordering::Relaxed);
            let id = task.as_ref().map(|task| task.id.clone());
            let (found, digests) = match (found, task, held) {
                (Some(found), ..) => (found, None),
                (None, Some(task), Some(Some(held))) => {
                    let held: serde_json::Value = serde_json::from_str(&held).map_err(CliError::bug)?;
                    match whole.compare(&row, &task.refs, &held) {
                        Ok(sides) => {
                            let digests = (sides.source, sides.target);
                            let found = match sides.differences {
                                none if none.is_empty() => Found::Same,
                                _ if task.changed => Found::Explained(CHANGED),
                                fields => Found::Different(fields),
                            };
                            (found, Some(digests))
                        }
                        Err((field, reason)) => (Found::Unreadable(field, reason), None),
                    }
                }
                (None, ..) => (Found::Missing, None),
            };
            let (source, target) = digests.unzip();
            all.push(Compared { row, found, id, source, target });
        }
        Ok(all)
    }

    /// The record as the target holds it; what may pass is tried again, as the plan says.
    async fn read(&self, entity: &Entity, task: &Task) -> Result<Option<String>, CliError> {
        let push = Push {
            entity,
            record: &task.record,
            refs: &task.refs,
            known: Some(&task.id),
            unsure: false,
            idempotency_key: "",
        };
        let throttle: &dyn Throttle = &self.throttle;
        let retry = self.sides.plan.retry;
        let mut attempt = 1;
        loop {
            match self.target.read(push, throttle).await {
                Ok(held) => return Ok(held),
                Err(failure) if failure.kind.is_passing() && !retry.exhausted(attempt) => {
                    tokio::time::sleep(retry.wait(attempt, 1.0, failure.retry_after)).await;
                    attempt += 1;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

/// What one reading needs.
struct Task {
    record: Record,
    refs: Vec<Option<TargetId>>,
    id: TargetId,
    /// Whether the source holds something else than what landed.
    changed: bool,
}

fn refs_of(entity: &Entity, record: &Record) -> Vec<Option<RecordRef>> {
    let keys = entity.refs.iter().zip(&record.refs);
    keys.map(|(reference, key)| Some(RecordRef { entity: reference.entity.clone(), key: key.clone()? }))
        .collect()
}
