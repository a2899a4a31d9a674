//! What the producer's sighting of a row does to its record.

use haulier_core::port::{Admission, Micros, Sighting, SightingIntent};
use haulier_core::{Failure, FailureKind, IllegalTransition, RecordEvent, RecordState, SourceKey};

use super::clip;
use crate::record::{Content, Note, Record};

/// Where and when a sighting is admitted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitting<'a> {
    pub(crate) run: i64,
    pub(crate) entity: i64,
    pub(crate) entity_name: &'a str,
    pub(crate) now: Micros,
    /// The other record that holds the sighting's natural key.
    pub(crate) rival: Option<&'a SourceKey>,
}

/// The record after the sighting, and what to do with the row.
pub(crate) fn admit(
    at: Admitting<'_>,
    record: Option<Record>,
    sighting: &Sighting,
) -> Result<(Record, Admission), IllegalTransition> {
    let known = record.is_some();
    let mut record = record.unwrap_or_else(|| blank(at, sighting));
    let seen = known && record.run == at.run;
    let before = record.state;
    record.run = at.run;
    record.tenant.clone_from(&sighting.tenant);
    // The record holds the natural key that it was seen with, or none: never one that it had before.
    if at.rival.is_none() {
        record.natural = sighting.natural;
    } else if record.natural != sighting.natural {
        record.natural = None;
    }
    let admission = if known && matches!(before, RecordState::Sending | RecordState::Unknown) {
        note(&mut record, content(sighting));
        Admission::Noted
    } else {
        match &sighting.intent {
            SightingIntent::Refuse(failure) => {
                record.step(RecordEvent::Refused)?;
                record.content = content(sighting);
                record.note = Note::Failure(failure.clone());
                Admission::Dead
            }
            SightingIntent::Skip(reason) => {
                record.step(RecordEvent::FoundUnchanged)?;
                record.content = content(sighting);
                record.note = Note::LeftOut(clip(reason.clone()));
                Admission::Skipped
            }
            SightingIntent::Send => match stay(&mut record, known, seen, sighting)? {
                Some(admission) => admission,
                None => queue(&mut record, at, sighting)?,
            },
        }
    };
    if !seen || record.state != before {
        record.since = at.now;
    }
    Ok((record, admission))
}

/// A row to send that changes nothing, because it was seen with this content before.
fn stay(
    record: &mut Record,
    known: bool,
    seen: bool,
    sighting: &Sighting,
) -> Result<Option<Admission>, IllegalTransition> {
    if !known || record.content.hash != sighting.hash {
        return Ok(None);
    }
    let in_target = record.landing.is_some_and(|landing| landing.content.hash == sighting.hash);
    let waived = matches!(record.note, Note::Failure(_));
    let admission = match record.state {
        RecordState::Landed | RecordState::Skipped if in_target => {
            if !seen {
                record.step(RecordEvent::FoundUnchanged)?;
                record.note = Note::None;
            }
            Admission::Unchanged
        }
        RecordState::Skipped if seen && waived => Admission::Skipped,
        RecordState::Dead if seen => Admission::Dead,
        // Its parent's landing sends it: a parcel now would only be dropped.
        RecordState::Held if seen => Admission::Noted,
        RecordState::Queued | RecordState::Retry if seen => Admission::Publish,
        RecordState::Queued
        | RecordState::Sending
        | RecordState::Retry
        | RecordState::Unknown
        | RecordState::Held
        | RecordState::Landed
        | RecordState::Dead
        | RecordState::Skipped => return Ok(None),
    };
    record.content.generation = sighting.generation;
    Ok(Some(admission))
}

fn queue(
    record: &mut Record,
    at: Admitting<'_>,
    sighting: &Sighting,
) -> Result<Admission, IllegalTransition> {
    record.content = content(sighting);
    record.attempts = 0;
    if let Some(rival) = at.rival {
        record.step(RecordEvent::Refused)?;
        let reason = format!("{}/{rival} has the same natural key", at.entity_name);
        record.note = Note::Failure(Failure::new(FailureKind::Duplicate, clip(reason)));
        return Ok(Admission::Dead);
    }
    record.step(RecordEvent::Admitted)?;
    record.note = Note::None;
    Ok(Admission::Publish)
}

/// A request is under way: what was seen waits for its end.
fn note(record: &mut Record, seen: Content) {
    if seen.hash == record.content.hash {
        record.content.generation = seen.generation;
        record.next = None;
    } else {
        record.next = Some(seen);
    }
}

fn content(sighting: &Sighting) -> Content {
    Content { generation: sighting.generation, hash: sighting.hash }
}

fn blank(at: Admitting<'_>, sighting: &Sighting) -> Record {
    Record {
        entity: at.entity,
        key: sighting.key.clone(),
        run: at.run,
        state: RecordState::Queued,
        content: content(sighting),
        natural: None,
        tenant: None,
        attempts: 0,
        due: None,
        owner: None,
        unsure: false,
        next: None,
        waits: None,
        target: None,
        landing: None,
        note: Note::None,
        since: at.now,
    }
}
