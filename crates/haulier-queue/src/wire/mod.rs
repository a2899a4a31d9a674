//! The wire format: one versioned JSON message for one parcel.
//!
//! A message says its version first. A reader refuses every version but its own, so that no record is ever
//! read by halves; bodies travel as the text that the producer encoded.

mod decode;
mod encode;

use haulier_core::Parcel;
use haulier_core::port::QueueError;
use uuid::Uuid;

pub use decode::{DecodeError, decode};
pub use encode::{EncodeError, encode};

/// The version that this build writes and reads.
pub const VERSION: u32 = 1;

/// What a broker is told about the bytes.
pub const CONTENT_TYPE: &str = "application/vnd.haulier.parcel+json";

/// The limit of a message where the operator names none: well under RabbitMQ's 16 MiB.
pub const DEFAULT_MAX_BYTES: usize = 8 * 1024 * 1024;

/// The largest limit that may be set: RabbitMQ 4 takes 16 MiB, and its own share must fit beside the body.
pub const MAX_BYTES: usize = 15 * 1024 * 1024;

/// One encoded message.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The same for the same records of the same run, whenever and by whom they are published.
    pub id: Uuid,
    /// What travels.
    pub body: Vec<u8>,
}

/// Shows id and size only: a record's values never reach a log.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("bytes", &self.body.len()).finish()
    }
}

/// Encodes parcels into messages of at most `limit` bytes, in order. A parcel that is too large goes out in
/// several messages; a single record that is too large is an error, and then nothing may be published.
pub fn pack(parcels: &[Parcel], limit: usize) -> Result<Vec<Message>, QueueError> {
    let mut messages = Vec::with_capacity(parcels.len());
    for parcel in parcels.iter().filter(|parcel| !parcel.records.is_empty()) {
        let encoder = encode::Encoder::new(parcel);
        encoder.pack(&parcel.records, limit, &mut messages)?;
    }
    Ok(messages)
}

#[cfg(test)]
mod tests;
