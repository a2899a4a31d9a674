//! Parcel to bytes: a plain writer, because bodies are spliced as they are.

use haulier_core::port::QueueError;
use haulier_core::{Parcel, Record, SourceKey};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Message, VERSION};

/// The name space of message ids, drawn once at random.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_3f0a_52c4_4c1e_9b87_0d3e_a1c5_77e2);

/// Why a parcel cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body of the record `{key}` is not a JSON object")]
pub struct EncodeError {
    /// The record whose body it is.
    pub key: SourceKey,
}

/// Writes a parcel as one message, whatever its size.
pub fn encode(parcel: &Parcel) -> Result<Vec<u8>, EncodeError> {
    Encoder::new(parcel).body(&parcel.records)
}

/// What all messages of one parcel share.
pub(super) struct Encoder<'a> {
    parcel: &'a Parcel,
    head: Vec<u8>,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(parcel: &'a Parcel) -> Self {
        let mut head = format!("{{\"haulier\":{VERSION},\"run\":").into_bytes();
        string(&mut head, parcel.run.as_str());
        head.extend_from_slice(b",\"entity\":");
        string(&mut head, parcel.entity.as_str());
        head.extend_from_slice(format!(",\"epoch\":{},\"records\":[", parcel.epoch).as_bytes());
        Self { parcel, head }
    }

    /// Appends the messages of `records`, halving them until each fits.
    pub(super) fn pack(
        &self,
        records: &[Record],
        limit: usize,
        messages: &mut Vec<Message>,
    ) -> Result<(), QueueError> {
        let body = self
            .body(records)
            .map_err(|error| QueueError::Failed { doing: "encoding a parcel", cause: error.to_string() })?;
        if body.len() <= limit {
            messages.push(Message { id: self.id(records), body });
            return Ok(());
        }
        if records.len() < 2 {
            return Err(QueueError::TooLarge { bytes: body.len(), limit });
        }
        drop(body);
        let (first, second) = records.split_at(records.len() / 2);
        self.pack(first, limit, messages)?;
        self.pack(second, limit, messages)
    }

    fn body(&self, records: &[Record]) -> Result<Vec<u8>, EncodeError> {
        let room: usize = records.iter().map(room).sum();
        let mut out = Vec::with_capacity(self.head.len() + room + 2);
        out.extend_from_slice(&self.head);
        for (index, one) in records.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            record(&mut out, one)?;
        }
        out.extend_from_slice(b"]}");
        Ok(out)
    }

    /// Content decides: the same records give the same id, a changed one gives another.
    fn id(&self, records: &[Record]) -> Uuid {
        let mut name = Vec::with_capacity(96 + records.len() * 24);
        part(&mut name, self.parcel.run.as_str().as_bytes());
        part(&mut name, self.parcel.entity.as_str().as_bytes());
        for key in [records.first(), records.last()].into_iter().flatten().map(|record| &record.key) {
            part(&mut name, key.as_str().as_bytes());
        }
        for record in records {
            name.extend_from_slice(&record.generation.to_be_bytes());
            name.extend_from_slice(&record.hash.0);
        }
        Uuid::new_v5(&NAMESPACE, &name)
    }
}

/// Length first, so that no two lists of parts give the same bytes.
fn part(name: &mut Vec<u8>, bytes: &[u8]) {
    name.extend_from_slice(&bytes.len().to_be_bytes());
    name.extend_from_slice(bytes);
}

/// About how many bytes a record takes.
fn room(record: &Record) -> usize {
    let texts: usize = record.vars.iter().map(|text| text.len() + 3).sum();
    let refs: usize = record.refs.iter().flatten().map(|key| key.as_str().len() + 5).sum();
    record.key.as_str().len() + record.body.len() + texts + refs + 160
}

fn record(out: &mut Vec<u8>, record: &Record) -> Result<(), EncodeError> {
    out.extend_from_slice(b"{\"key\":");
    string(out, record.key.as_str());
    if let Some(tenant) = &record.tenant {
        out.extend_from_slice(b",\"tenant\":");
        string(out, tenant.as_str());
    }
    out.extend_from_slice(
        format!(",\"gen\":{},\"hash\":\"{}\",\"body\":", record.generation, record.hash.to_hex()).as_bytes(),
    );
    let body = match serde_json::from_str::<&RawValue>(&record.body) {
        Ok(raw) if raw.get().starts_with('{') => raw.get(),
        Ok(_) | Err(_) => return Err(EncodeError { key: record.key.clone() }),
    };
    out.extend_from_slice(body.as_bytes());
    if !record.vars.is_empty() {
        list(out, b",\"vars\":[", record.vars.iter().map(|text| Some(text.as_str())));
    }
    if !record.refs.is_empty() {
        list(out, b",\"refs\":[", record.refs.iter().map(|key| key.as_ref().map(SourceKey::as_str)));
    }
    out.push(b'}');
    Ok(())
}

fn list<'a>(out: &mut Vec<u8>, open: &[u8], items: impl Iterator<Item = Option<&'a str>>) {
    out.extend_from_slice(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        match item {
            Some(text) => string(out, text),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b']');
}

/// A JSON string. JSON escapes `"`, `\` and what is below space; everything else travels as it is.
fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        from = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out.push(b'"');
}
