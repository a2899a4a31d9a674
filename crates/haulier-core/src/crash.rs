//! Named points at which a drill may end the process, to see what a crash there costs.
//!
//! Without a hook (a normal build) a point costs one load of an empty cell.

use std::sync::OnceLock;

static HOOK: OnceLock<fn(&str)> = OnceLock::new();

/// After a chunk was read, before the ledger hears of it.
pub const PRODUCE_AFTER_READ: &str = "produce.after_read";
/// After the ledger admitted a chunk, before it is published.
pub const PRODUCE_AFTER_ADMIT: &str = "produce.after_admit";
/// After the broker confirmed a chunk, before the cursor moves.
pub const PRODUCE_AFTER_PUBLISH: &str = "produce.after_publish";
/// After the cursor moved.
pub const PRODUCE_AFTER_ADVANCE: &str = "produce.after_advance";
/// After due records were published again, before the ledger hears of it.
pub const SWEEP_AFTER_PUBLISH: &str = "sweep.after_publish";
/// After a parcel came, before it is claimed.
pub const WORK_AFTER_TAKE: &str = "work.after_take";
/// After a parcel was claimed, before any request leaves.
pub const WORK_AFTER_CLAIM: &str = "work.after_claim";
/// After a request was answered, before the ledger hears of it.
pub const WORK_AFTER_PUSH: &str = "work.after_push";
/// After outcomes were settled in the ledger, before the parcel is acknowledged.
pub const WORK_AFTER_SETTLE: &str = "work.after_settle";
/// After a parcel was acknowledged.
pub const WORK_AFTER_ACK: &str = "work.after_ack";

/// Every point, in the order of a record's way.
pub const ALL: [&str; 10] = [
    PRODUCE_AFTER_READ,
    PRODUCE_AFTER_ADMIT,
    PRODUCE_AFTER_PUBLISH,
    PRODUCE_AFTER_ADVANCE,
    SWEEP_AFTER_PUBLISH,
    WORK_AFTER_TAKE,
    WORK_AFTER_CLAIM,
    WORK_AFTER_PUSH,
    WORK_AFTER_SETTLE,
    WORK_AFTER_ACK,
];

/// Sets what happens at every point. The first call counts.
pub fn set_hook(hook: fn(&str)) {
    // A second hook is of no use: the first one decides when to end the process.
    let _already_set = HOOK.set(hook);
}

/// Passes a point.
#[inline]
pub fn point(name: &str) {
    if let Some(hook) = HOOK.get() {
        hook(name);
    }
}
