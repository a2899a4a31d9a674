//! Reads and writes whole records.

use haulier_core::{Digest, Failure, SourceKey, TargetId, TenantKey};

use crate::conn::{Args, Cells, Conn, Fault};
use crate::record::{
    Content, Landing, Note, Record, id_digest, kind_code, kind_of, origin_code, origin_of, state_code,
    state_of,
};
use crate::sheet::{Deltas, Sheet};

/// Loads the records of these keys, locked until the transaction ends.
pub(crate) async fn load<C: Conn>(
    conn: &mut C,
    entity: i64,
    keys: impl Iterator<Item = &SourceKey>,
) -> Result<Vec<Record>, Fault> {
    let args = Args::of([entity.into()]).texts(keys.map(|key| Some(key.as_str())));
    conn.rows(C::SQL.load, args).await?.iter().map(record).collect()
}

/// Writes what changed, and the counts.
pub(crate) async fn save<C: Conn>(conn: &mut C, sheet: &Sheet) -> Result<(), Fault> {
    let vacates = sheet.vacates();
    if !vacates.is_empty() {
        let args = Args::default()
            .ints(vacates.iter().map(|record| Some(record.entity)))
            .texts(vacates.iter().map(|record| Some(record.key.as_str())));
        conn.run(C::SQL.vacate, args).await?;
    }
    let (light, whole) = sheet.updates();
    let inserts = sheet.inserts();
    for (sql, records, columns) in [
        (C::SQL.update_light, light, light_columns as fn(&[_]) -> _),
        (C::SQL.update, whole, columns),
        (C::SQL.insert, inserts, columns),
    ] {
        if !records.is_empty() && conn.run(sql, columns(&records)).await? != count(records.len()) {
            return Err(Fault::Again);
        }
    }
    conn.count(&sheet.deltas());
    Ok(())
}

/// The parameters of the statement that changes the counts.
pub(crate) fn tally<'a>(deltas: &Deltas, shard: i64) -> Args<'a> {
    Args::of([shard.into()])
        .ints(deltas.keys().map(|key| Some(key.0)))
        .ints(deltas.keys().map(|key| Some(key.1)))
        .ints(deltas.keys().map(|key| Some(key.2)))
        .ints(deltas.keys().map(|key| Some(key.3)))
        .ints(deltas.values().map(|by| Some(*by)))
}

pub(crate) fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// Reads a record whose columns are those of [`crate::sql::columns`].
pub(crate) fn record<R: Cells>(row: &R) -> Result<Record, Fault> {
    let state = row.number(3)?;
    let next = match row.int(11)? {
        Some(generation) => Some(Content { generation, hash: must(digest(row, 12)?, "a noted content")? }),
        None => None,
    };
    let content = Content { generation: row.number(4)?, hash: must(digest(row, 5)?, "a content")? };
    let waits = match row.int(13)? {
        Some(entity) => Some((entity, SourceKey::from_canonical(&row.word(14)?))),
        None => None,
    };
    Ok(Record {
        entity: row.number(0)?,
        key: SourceKey::from_canonical(&row.word(1)?),
        run: row.number(2)?,
        state: state_of(state).ok_or_else(|| Fault::corrupt(format!("no state has the number {state}")))?,
        content,
        natural: digest(row, 22)?,
        tenant: row.text(6)?.map(TenantKey::new),
        attempts: u32::try_from(row.number(7)?)
            .map_err(|_| Fault::corrupt("a number of attempts is out of range"))?,
        due: row.int(8)?,
        owner: row.int(9)?,
        unsure: row.number(10)? != 0,
        next,
        waits,
        target: row.text(23)?.map(TargetId::new),
        landing: landing(row, content)?,
        note: note(row, 17)?,
        since: row.number(21)?,
    })
}

/// What landed is stored only where it is not the record's content any more.
fn landing<R: Cells>(row: &R, now: Content) -> Result<Option<Landing>, Fault> {
    let Some(at) = row.int(26)? else { return Ok(None) };
    let content = match row.int(15)? {
        Some(generation) => Content { generation, hash: must(digest(row, 16)?, "a landed content")? },
        None => now,
    };
    Ok(Some(Landing {
        origin: must(row.int(24)?.and_then(origin_of), "an origin")?,
        run: row.number(25)?,
        at,
        content,
    }))
}

/// Reads the four columns of a note, from `at` on.
pub(crate) fn note<R: Cells>(row: &R, at: usize) -> Result<Note, Fault> {
    let Some(reason) = row.text(at + 2)? else { return Ok(Note::None) };
    let Some(kind) = row.int(at)? else { return Ok(Note::LeftOut(reason)) };
    let status = row.int(at + 1)?.and_then(|status| u16::try_from(status).ok());
    let wait = row.int(at + 3)?.and_then(|wait| u64::try_from(wait).ok());
    Ok(Note::Failure(Failure {
        kind: must(kind_of(kind), "a kind of failure")?,
        status,
        reason,
        retry_after: wait.map(std::time::Duration::from_micros),
    }))
}

pub(crate) fn digest<R: Cells>(row: &R, column: usize) -> Result<Option<Digest>, Fault> {
    let Some(bytes) = row.bytes(column)? else { return Ok(None) };
    let bytes = bytes.try_into().map_err(|_| Fault::corrupt("a digest does not have 16 bytes"))?;
    Ok(Some(Digest(bytes)))
}

fn must<T>(value: Option<T>, what: &str) -> Result<T, Fault> {
    value.ok_or_else(|| Fault::corrupt(format!("{what} is missing or unknown")))
}

/// The columns of records that are in few indices, in the order of [`crate::sql::light_columns`].
fn light_columns<'a>(records: &[&'a Record]) -> Args<'a> {
    let each = || records.iter().copied();
    let failure = |record: &'a Record| match &record.note {
        Note::Failure(failure) => Some(failure),
        Note::None | Note::LeftOut(_) => None,
    };
    let reason = |record: &'a Record| match &record.note {
        Note::None => None,
        Note::Failure(failure) => Some(failure.reason.as_str()),
        Note::LeftOut(reason) => Some(reason.as_str()),
    };
    let landed = |record: &'a Record| {
        record.landing.map(|landing| landing.content).filter(|content| *content != record.content)
    };
    let wait = |failure: &Failure| {
        failure.retry_after.map(|wait| i64::try_from(wait.as_micros()).unwrap_or(i64::MAX))
    };
    Args::default()
        .ints(each().map(|r| Some(r.entity)))
        .texts(each().map(|r| Some(r.key.as_str())))
        .ints(each().map(|r| Some(r.run)))
        .ints(each().map(|r| Some(state_code(r.state))))
        .ints(each().map(|r| Some(r.content.generation)))
        .digests(each().map(|r| Some(r.content.hash)))
        .texts(each().map(|r| r.tenant.as_ref().map(TenantKey::as_str)))
        .ints(each().map(|r| Some(i64::from(r.attempts))))
        .ints(each().map(|r| r.due))
        .ints(each().map(|r| r.owner))
        .ints(each().map(|r| Some(i64::from(r.unsure))))
        .ints(each().map(|r| r.next.map(|next| next.generation)))
        .digests(each().map(|r| r.next.map(|next| next.hash)))
        .ints(each().map(|r| r.waits.as_ref().map(|waits| waits.0)))
        .texts(each().map(|r| r.waits.as_ref().map(|waits| waits.1.as_str())))
        .ints(each().map(|r| landed(r).map(|content| content.generation)))
        .digests(each().map(|r| landed(r).map(|content| content.hash)))
        .ints(each().map(|r| failure(r).map(|failure| kind_code(failure.kind))))
        .ints(each().map(|r| failure(r).and_then(|failure| failure.status).map(i64::from)))
        .texts(each().map(reason))
        .ints(each().map(|r| failure(r).and_then(wait)))
        .ints(each().map(|r| Some(r.since)))
}

/// All columns of records, in the order of [`crate::sql::columns`].
fn columns<'a>(records: &[&'a Record]) -> Args<'a> {
    let each = || records.iter().copied();
    light_columns(records)
        .digests(each().map(|r| r.natural))
        .texts(each().map(|r| r.target.as_ref().map(TargetId::as_str)))
        .ints(each().map(|r| r.landing.map(|landing| origin_code(landing.origin))))
        .ints(each().map(|r| r.landing.map(|landing| landing.run)))
        .ints(each().map(|r| r.landing.map(|landing| landing.at)))
        .digests(each().map(|r| r.target.as_ref().map(id_digest)))
}
