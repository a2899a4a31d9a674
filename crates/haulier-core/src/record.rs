//! Rows, records and parcels: the same thing at three stations of its way.

use std::fmt;

use crate::digest::Digester;
use crate::{Digest, EntityName, RunId, SourceKey, TenantKey, Value};

/// The generation: grows with every source change of a record; 0 where the source keeps none.
pub type Generation = i64;

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

impl Record {
    /// The digest of what it would send: `hash` is this one, unless somebody changed the record on its way.
    #[must_use]
    pub fn content(&self, entity: &EntityName) -> Digest {
        let mut digester = Digester::default();
        for text in [entity.as_str(), self.key.as_str(), &self.body] {
            digester.part(text);
        }
        for var in &self.vars {
            digester.part(var);
        }
        for key in &self.refs {
            digester.part(key.as_ref().map_or("", SourceKey::as_str));
        }
        digester.finish()
    }
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
