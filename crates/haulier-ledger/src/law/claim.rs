//! What a worker's claim does to a record.

use haulier_core::RecordEvent;
use haulier_core::port::{Claim, Wanted};

use crate::record::{Content, Record};

/// Takes the record for `owner`, if it may be sent with the content in hand.
pub(crate) fn claim(record: &mut Record, run: i64, owner: i64, wanted: &Wanted) -> Claim {
    let newest = record.newest();
    // What was admitted last is what goes out, whatever generation a message claims to have.
    let superseded = wanted.generation < newest.generation || wanted.hash != newest.hash;
    if record.run != run || superseded || record.step(RecordEvent::Claimed).is_err() {
        return Claim::Drop;
    }
    record.owner = Some(owner);
    record.attempts = record.attempts.saturating_add(1);
    record.content = Content { generation: wanted.generation, hash: wanted.hash };
    record.next = None;
    Claim::Send { attempt: record.attempts, known: record.target.clone(), unsure: record.unsure }
}
