//! What time, lost processes, landed parents and people do to a record. `false` where it changes nothing.

use haulier_core::port::{Due, Micros};
use haulier_core::{Failure, FailureKind, IllegalTransition, RecordEvent, RecordState};

use super::clip;
use crate::record::{Note, Record};

/// The parent it was held for landed.
pub(crate) fn release(record: &mut Record, now: Micros) -> Result<(), IllegalTransition> {
    record.step(RecordEvent::ParentStored)?;
    record.due = Some(now);
    record.since = now;
    record.note = Note::None;
    Ok(())
}

/// It is published again, unless it moved on since it was found due.
pub(crate) fn republish(record: &mut Record, run: i64, due: &Due) -> Result<bool, IllegalTransition> {
    // The number of the attempt alone does not tell: not every attempt counts.
    let same = record.run == run
        && record.state == due.state
        && record.attempts == due.attempt
        && record.due == Some(due.since);
    if !same || !matches!(record.state, RecordState::Retry | RecordState::Unknown) {
        return Ok(false);
    }
    record.step(RecordEvent::Republished)?;
    // What goes out is what was seen last.
    if let Some(newer) = record.next.take() {
        record.content = newer;
    }
    Ok(true)
}

/// The process that was sending it fell silent.
pub(crate) fn lose_owner(record: &mut Record, due: Micros) -> Result<(), IllegalTransition> {
    record.step(RecordEvent::OwnerLost)?;
    record.due = Some(due);
    record.unsure = true;
    let reason = "the process that was sending it fell silent";
    record.note = Note::Failure(Failure::new(FailureKind::Unknown, reason));
    Ok(())
}

/// A person decided: another try, or none, with a reason.
pub(crate) fn judge(
    record: &mut Record,
    run: i64,
    waive: Option<&str>,
    by: &str,
    now: Micros,
) -> Result<bool, IllegalTransition> {
    let open_to = match record.state {
        RecordState::Dead | RecordState::Held => true,
        RecordState::Skipped => waive.is_none() && super::waived(record),
        RecordState::Queued
        | RecordState::Sending
        | RecordState::Retry
        | RecordState::Unknown
        | RecordState::Landed => false,
    };
    if record.run != run || !open_to {
        return Ok(false);
    }
    match waive {
        None => {
            record.step(RecordEvent::RetriedByPerson)?;
            record.due = Some(now);
            record.attempts = 0;
            // From here on it is another record of the target: what refers to it waits for its new id.
            if matches!(&record.note, Note::Failure(failure) if failure.kind == FailureKind::KeyChanged) {
                record.natural = None;
                record.target = None;
                record.landing = None;
            }
        }
        Some(reason) => {
            record.step(RecordEvent::WaivedByPerson)?;
            let reason = clip(format!("waived by {by}: {reason}"));
            let old = std::mem::replace(&mut record.note, Note::None).into_failure();
            let old = old.unwrap_or_else(|| Failure::new(FailureKind::Refused, ""));
            record.note = Note::Failure(Failure { reason, ..old });
        }
    }
    record.since = now;
    Ok(true)
}
