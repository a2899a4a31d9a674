//! What each call means for one record. Pure: the fast statements of the databases only do what these would.

mod admission;
mod claim;
#[cfg(test)]
mod model;
mod settlement;
mod sweep;

pub(crate) use admission::{Admitting, admit, keeps_key, waived};
pub(crate) use claim::claim;
pub(crate) use settlement::{Settling, settle};
pub(crate) use sweep::{judge, lose_owner, release, republish};

/// The longest reason that is stored, in bytes.
const REASON_BYTES: usize = 512;

fn clip(mut reason: String) -> String {
    if reason.len() > REASON_BYTES {
        let mut end = REASON_BYTES;
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
    }
    reason
}
