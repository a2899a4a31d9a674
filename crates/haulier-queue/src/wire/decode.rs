//! Bytes to parcel: strict, and borrowing until the parcel's own texts are made.

use std::borrow::Cow;

use haulier_core::{Digest, EntityName, Parcel, Record, RunId, SourceKey, TenantKey};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::VERSION;

/// Why a message is no parcel. Never shows the message's content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// It is a parcel of a version that this build does not read.
    #[error("the message has version {found}, and this build reads version {VERSION} only")]
    Version {
        /// The version that it names.
        found: u64,
    },
    /// It is not JSON.
    #[error("the message is no JSON from byte {at} of its {bytes} on")]
    Malformed {
        /// Where reading stopped.
        at: usize,
        /// Its size.
        bytes: usize,
    },
    /// It is JSON, and not a parcel.
    #[error("the message is no parcel: {problem}")]
    Content {
        /// What is wrong.
        problem: &'static str,
    },
}

/// Reads what [`super::encode`] wrote. Any bytes may come in.
pub fn decode(bytes: &[u8]) -> Result<Parcel, DecodeError> {
    let raw: RawParcel<'_> = serde_json::from_slice(bytes).map_err(|error| refusal(bytes, &error))?;
    if raw.haulier != u64::from(VERSION) {
        return Err(DecodeError::Version { found: raw.haulier });
    }
    let entity = EntityName::new(&raw.entity.0)
        .map_err(|_| DecodeError::Content { problem: "the entity is not a name" })?;
    if raw.records.is_empty() {
        return Err(DecodeError::Content { problem: "it has no records" });
    }
    free_of_nul(&raw)?;
    let records = raw.records.into_iter().map(record).collect::<Result<_, _>>()?;
    Ok(Parcel { run: RunId::new(&*raw.run.0), entity, epoch: raw.epoch, records })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParcel<'a> {
    haulier: u64,
    #[serde(borrow)]
    run: Text<'a>,
    #[serde(borrow)]
    entity: Text<'a>,
    epoch: u64,
    #[serde(borrow)]
    records: Vec<RawRecord<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecord<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow, default)]
    tenant: Option<Text<'a>>,
    r#gen: i64,
    #[serde(borrow)]
    hash: Text<'a>,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(default)]
    vars: Vec<String>,
    #[serde(borrow, default)]
    refs: Vec<Option<Text<'a>>>,
}

/// A string that is borrowed where it has no escapes, in lists too.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The version, whatever else the message holds.
#[derive(Deserialize)]
struct VersionOnly {
    haulier: u64,
}

/// What goes to the ledger, where PostgreSQL takes no NUL: such a message would end every worker that took it.
fn free_of_nul(raw: &RawParcel<'_>) -> Result<(), DecodeError> {
    let texts = raw.records.iter().flat_map(|record| {
        std::iter::once(&record.key).chain(&record.tenant).chain(record.refs.iter().flatten())
    });
    if std::iter::once(&raw.run).chain(texts).any(|text| text.0.contains('\0')) {
        return Err(DecodeError::Content { problem: "a text holds a NUL character" });
    }
    Ok(())
}

fn record(raw: RawRecord<'_>) -> Result<Record, DecodeError> {
    let hash = Digest::from_hex(&raw.hash.0)
        .ok_or(DecodeError::Content { problem: "a hash is not 32 hex digits" })?;
    if !raw.body.get().starts_with('{') {
        return Err(DecodeError::Content { problem: "a record's body is not an object" });
    }
    Ok(Record {
        key: SourceKey::from_canonical(&raw.key.0),
        tenant: raw.tenant.map(|text| TenantKey::new(&*text.0)),
        generation: raw.r#gen,
        hash,
        body: raw.body.get().to_owned(),
        vars: raw.vars,
        refs: raw.refs.into_iter().map(|key| key.map(|text| SourceKey::from_canonical(&text.0))).collect(),
    })
}

/// The reader's own message would quote the content, so only its kind and place are kept.
fn refusal(bytes: &[u8], error: &serde_json::Error) -> DecodeError {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => match serde_json::from_slice::<VersionOnly>(bytes) {
            Ok(only) if only.haulier != u64::from(VERSION) => DecodeError::Version { found: only.haulier },
            Ok(_) => DecodeError::Content { problem: "a member is missing, unknown or of another type" },
            Err(_) => DecodeError::Content { problem: "it does not say its version" },
        },
        Category::Syntax | Category::Eof | Category::Io => {
            DecodeError::Malformed { at: offset(bytes, error.line(), error.column()), bytes: bytes.len() }
        }
    }
}

fn offset(bytes: &[u8], line: usize, column: usize) -> usize {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1));
    (lines.map(<[u8]>::len).sum::<usize>() + column).min(bytes.len())
}
