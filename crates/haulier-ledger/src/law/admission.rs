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
    /// The row was read just now, because the record is due.
    pub(crate) again: bool,
    /// The other record that holds the sighting's natural key.
    pub(crate) rival: Option<&'a SourceKey>,
}

/// The record after the sighting, and what to do with the row. There is no record where a row that is sent only if it
/// landed was never seen.
pub(crate) fn admit(
    at: Admitting<'_>,
    record: Option<Record>,
    sighting: &Sighting,
) -> Result<(Option<Record>, Admission), IllegalTransition> {
    let known = record.is_some();
    if !known && sighting.intent == SightingIntent::SendIfLanded {
        return Ok((None, Admission::Skipped));
    }
    if let Some(record) = record.as_ref().filter(|record| record.run == at.run)
        && !at.again
        && sighting.generation < record.newest().generation
    {
        // The walk read it before somebody admitted a newer row, and was held up since.
        return Ok((Some(record.clone()), Admission::Noted));
    }
    let mut record = record.unwrap_or_else(|| blank(at, sighting));
    let seen = known && record.run == at.run;
    let before = record.state;
    record.run = at.run;
    record.tenant.clone_from(&sighting.tenant);
    let rekeyed = keeps_key(&record, sighting);
    // The record holds the natural key that it was seen with, or none; one that it had before only until a person decided.
    if !rekeyed {
        if at.rival.is_none() {
            record.natural = sighting.natural;
        } else if record.natural != sighting.natural {
            record.natural = None;
        }
    }
    let admission = if known && matches!(before, RecordState::Sending | RecordState::Unknown) {
        note(&mut record, content(sighting));
        Admission::Noted
    } else {
        match &sighting.intent {
            SightingIntent::Refuse(_) | SightingIntent::Send | SightingIntent::SendIfLanded
                if waived(&record) && record.content.hash == sighting.hash =>
            {
                if !seen {
                    record.step(RecordEvent::FoundUnchanged)?;
                }
                record.content.generation = sighting.generation;
                Admission::Skipped
            }
            SightingIntent::Send | SightingIntent::SendIfLanded if rekeyed => {
                record.step(RecordEvent::Rekeyed)?;
                record.content = content(sighting);
                record.note = Note::Failure(key_changed(&record, sighting));
                Admission::Noted
            }
            SightingIntent::SendIfLanded if record.landing.is_none() && !record.unsure => {
                record.step(RecordEvent::FoundUnchanged)?;
                record.content = content(sighting);
                record.note = Note::LeftOut("it is empty, and nothing stands in the target".to_owned());
                Admission::Skipped
            }
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
            SightingIntent::Send | SightingIntent::SendIfLanded => {
                match stay(at, &mut record, seen, sighting)? {
                    Some(admission) => admission,
                    None => queue(&mut record, at, sighting)?,
                }
            }
        }
    };
    if !seen || record.state != before {
        record.since = at.now;
    }
    Ok((Some(record), admission))
}

/// Whether a person has waived it: what the plan leaves out has no kind of failure.
pub(crate) fn waived(record: &Record) -> bool {
    record.state == RecordState::Skipped && matches!(record.note, Note::Failure(_))
}

/// Whether the row comes with another key in its request's path than it landed with. The natural key that it landed with is
/// kept then, so that no other row takes it, and a later run finds the same.
pub(crate) fn keeps_key(record: &Record, sighting: &Sighting) -> bool {
    let changed = |old: haulier_core::Digest| sighting.natural.is_some_and(|new| new != old);
    // A natural key that only the plan reads otherwise than before leaves the content as it was.
    let other = record.landing.is_some_and(|landing| landing.content.hash != sighting.hash);
    sighting.path_key.is_some() && other && record.natural.is_some_and(changed)
}

fn key_changed(record: &Record, sighting: &Sighting) -> Failure {
    let id = record.target.as_ref().map_or("", haulier_core::TargetId::as_str);
    let key = sighting.path_key.as_deref().unwrap_or_default();
    let reason = format!(
        "its natural key ({key}) changed in the source since it landed as {id}; sent under the new one it would be a second record"
    );
    Failure::new(FailureKind::KeyChanged, clip(reason))
}

/// A row to send that changes nothing, because it was seen with this content before.
fn stay(
    at: Admitting<'_>,
    record: &mut Record,
    seen: bool,
    sighting: &Sighting,
) -> Result<Option<Admission>, IllegalTransition> {
    if record.content.hash != sighting.hash {
        return Ok(None);
    }
    let in_target = record.landing.is_some_and(|landing| landing.content.hash == sighting.hash);
    let admission = match record.state {
        RecordState::Landed | RecordState::Skipped if in_target => {
            if !seen {
                record.step(RecordEvent::FoundUnchanged)?;
                record.note = Note::None;
            }
            Admission::Unchanged
        }
        RecordState::Dead if seen => Admission::Dead,
        // Its parent's landing sends it: a parcel now would only be dropped.
        RecordState::Held if seen => Admission::Noted,
        RecordState::Queued | RecordState::Retry if seen && at.rival.is_none() => Admission::Publish,
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
