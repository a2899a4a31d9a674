//! Rows, records and parcels: the same thing at three stations of its way.

use std::fmt;

use crate::{EntityName, RunId, SourceKey, TenantKey, Value};

/// The generation: grows with every source change of a record; 0 where the source keeps none.
pub type Generation = i64;

/// 16 bytes of SHA-256, enough to tell contents and natural keys apart.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Lower-case hex, 32 characters.
    #[must_use]
    pub fn to_hex(self) -> String {
        crate::form::hex(&self.0)
    }

    /// Reads what [`Digest::to_hex`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.to_hex())
    }
}

/// One row as a source adapter read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The row's key.
    pub key: SourceKey,
    /// The tenant it belongs to, found by the entity's tenant path; `None` when the path ends in NULL.
    pub tenant: Option<TenantKey>,
    /// Its generation.
    pub generation: Generation,
    /// One value for each of the entity's `columns`, in that order.
    pub values: Vec<Value>,
}

/// A record of an entity, wherever it is named without its content.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordRef {
    /// Its entity.
    pub entity: EntityName,
    /// Its source key.
    pub key: SourceKey,
}

impl fmt::Display for RecordRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity, self.key)
    }
}

/// One source row as the target should see it.
///
/// `body` is encoded once, by the producer, and travels as it is; ids of other records are not in
/// it, because only the worker knows them: they are listed in `refs` and written in when it sends.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The source key.
    pub key: SourceKey,
    /// The tenant, where the entity has one.
    pub tenant: Option<TenantKey>,
    /// The generation that was read.
    pub generation: Generation,
    /// Digest of the mapped payload, references included.
    pub hash: Digest,
    /// A JSON object: the mapped fields without references.
    pub body: String,
    /// Texts for the templates, in the order of the entity's `vars`.
    pub vars: Vec<String>,
    /// Source keys of the referenced records, in the order of the entity's `refs`; `None` is NULL.
    pub refs: Vec<Option<SourceKey>>,
}

/// Shows keys and sizes only: a record's values never reach a log.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("key", &self.key)
            .field("generation", &self.generation)
            .field("hash", &self.hash)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What the queue carries: 1..N records of one entity of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The run that published it; a parcel of another run is dropped by the worker.
    pub run: RunId,
    /// The entity of all its records.
    pub entity: EntityName,
    /// Fencing number of the producer's lease; grows with every take-over.
    pub epoch: u64,
    /// The records, in key order.
    pub records: Vec<Record>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_hex() {
        let digest = Digest(std::array::from_fn(|i| u8::try_from(i * 16).unwrap_or(255)));
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        assert_eq!(Digest::from_hex("xyz"), None);
    }
}
