//! What the end of a claim does to a record.

use haulier_core::port::{Settled, Settlement};
use haulier_core::{Failure, FailureKind, IllegalTransition, RecordEvent, RecordState, SourceKey};

use super::clip;
use crate::record::{Content, Landing, Note, Record};

/// What must be known of other records to settle one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settling<'a> {
    pub(crate) owner: i64,
    pub(crate) entity_name: &'a str,
    /// The other record of the entity that has the target id.
    pub(crate) rival: Option<&'a SourceKey>,
    /// The number of the awaited parent's entity.
    pub(crate) parent_entity: i64,
    /// Whether the awaited parent landed meanwhile.
    pub(crate) parent_landed: bool,
}

/// Stores the outcome; `false`, and nothing changes, where the claim is not the owner's any more.
pub(crate) fn settle(
    at: Settling<'_>,
    record: &mut Record,
    settled: &Settled,
) -> Result<bool, IllegalTransition> {
    let owned = record.state == RecordState::Sending
        && record.owner == Some(at.owner)
        && record.attempts == settled.attempt;
    if !owned {
        return Ok(false);
    }
    let now = settled.now;
    let landed = match &settled.how {
        Settlement::Landed { hash, generation, .. } if at.rival.is_none() => {
            Some(Content { generation: *generation, hash: *hash })
        }
        Settlement::Landed { .. }
        | Settlement::Retry { .. }
        | Settlement::Unknown { .. }
        | Settlement::AwaitParent(_)
        | Settlement::AwaitPerson(_)
        | Settlement::Dead(_)
        | Settlement::Unsent => None,
    };
    if let (Some(next), Some(landed)) = (record.next, landed)
        && next.hash == landed.hash
    {
        record.next = None;
    }
    // Newer content waits. It goes out at once, unless the older request must be looked up first.
    let outdated = record.next.is_some() && !matches!(settled.how, Settlement::Unknown { .. });
    let event = if outdated { RecordEvent::FailedForNow } else { event(at, &settled.how) };
    record.step(event)?;
    if !counts(&settled.how) {
        record.attempts = record.attempts.saturating_sub(1);
    }
    match &settled.how {
        Settlement::Landed { id, origin, .. } => match (at.rival, landed) {
            (None, Some(content)) => {
                let first = record.landing.map_or((*origin, record.run, now), |l| (l.origin, l.run, l.at));
                record.landing = Some(Landing { origin: first.0, run: first.1, at: first.2, content });
                record.target = Some(id.clone());
                record.content = content;
                record.unsure = false;
                record.note = Note::None;
            }
            (rival, _) => record.note = Note::Failure(same_id(at.entity_name, rival)),
        },
        Settlement::Retry { due, failure, .. } => {
            record.due = Some(*due);
            record.note = noted(failure);
        }
        Settlement::Unknown { due, failure } => {
            record.due = Some(*due);
            record.unsure = true;
            record.note = noted(failure);
        }
        Settlement::AwaitParent(parent) if !outdated => {
            if at.parent_landed {
                record.step(RecordEvent::ParentStored)?;
                record.due = Some(now);
                record.note = Note::None;
            } else {
                record.waits = Some((at.parent_entity, parent.key.clone()));
                let reason = format!("waits for {parent}");
                record.note = Note::Failure(Failure::new(FailureKind::MissingParent, clip(reason)));
            }
        }
        Settlement::AwaitParent(_) | Settlement::Unsent => {}
        Settlement::AwaitPerson(failure) | Settlement::Dead(failure) => record.note = noted(failure),
    }
    if outdated && let Some(next) = record.next.take() {
        record.content = next;
        record.attempts = 0;
        record.due = Some(now);
    }
    record.since = now;
    Ok(true)
}

fn event(at: Settling<'_>, how: &Settlement) -> RecordEvent {
    match how {
        Settlement::Landed { .. } if at.rival.is_none() => RecordEvent::Stored,
        Settlement::Landed { .. } | Settlement::Dead(_) => RecordEvent::FailedForGood,
        Settlement::Retry { .. } => RecordEvent::FailedForNow,
        Settlement::Unknown { .. } => RecordEvent::OutcomeLost,
        Settlement::AwaitParent(_) => RecordEvent::ParentMissing,
        Settlement::AwaitPerson(_) => RecordEvent::Conflicted,
        Settlement::Unsent => RecordEvent::Unclaimed,
    }
}

/// Whether the attempt counts. Nothing left for the target when a parent was missing or the record was given back.
fn counts(how: &Settlement) -> bool {
    match how {
        Settlement::Retry { counted, .. } => *counted,
        Settlement::AwaitParent(_) | Settlement::Unsent => false,
        Settlement::Landed { .. }
        | Settlement::Unknown { .. }
        | Settlement::AwaitPerson(_)
        | Settlement::Dead(_) => true,
    }
}

fn noted(failure: &Failure) -> Note {
    Note::Failure(Failure { reason: clip(failure.reason.clone()), ..failure.clone() })
}

fn same_id(entity: &str, rival: Option<&SourceKey>) -> Failure {
    let rival = rival.map_or("another record", SourceKey::as_str);
    Failure::new(FailureKind::Duplicate, clip(format!("the target gave it the id that {entity}/{rival} has")))
}
