//! The statements. Those without a set of rows are the same in both dialects.

/// Statements that take a set of rows, in one dialect. Single parameters come first, as each comment lists them.
#[derive(Debug)]
pub(crate) struct Sql {
    /// Records by key, locked. entity; keys.
    pub(crate) load: &'static str,
    /// Keys that hold natural keys: `natural_hash, key`. entity; digests.
    pub(crate) natural_holders: &'static str,
    /// Keys that hold target ids: `target_id, key`. entity; ids and their digests.
    pub(crate) target_holders: &'static str,
    /// Target ids of records: `key, target_id`. entity; keys.
    pub(crate) target_ids: &'static str,
    /// Held children of parents, locked. run, parents' entity; parents' keys.
    pub(crate) children: &'static str,
    /// Records that are being sent by these processes, locked. run; processes.
    pub(crate) claimed_by: &'static str,
    /// Gives up unique values. entities and keys.
    pub(crate) vacate: &'static str,
    /// New records; one that is there already is left alone. All columns.
    pub(crate) insert: &'static str,
    /// Changed records. All columns.
    pub(crate) update: &'static str,
    /// Records whose natural key, target id and first landing stayed. The light columns.
    pub(crate) update_light: &'static str,
    /// Changes counts. shard; run, entity, state, owner, by.
    pub(crate) tally: &'static str,
    /// Stores judgements. run, by, reason, at; entities and keys.
    pub(crate) judgement: &'static str,
}

/// The columns of `record` that change often and stand in few indices, in the order of [`crate::store`].
macro_rules! light_columns {
    () => {
        "entity, key, run, state, generation, hash, tenant, attempts, due, owner, unsure, next_generation, next_hash, \
         waits_entity, waits_key, landed_generation, landed_hash, failure_kind, failure_status, failure_reason, \
         failure_wait, since"
    };
}
pub(crate) use light_columns;

/// All columns of `record`, in the order of [`crate::store`].
macro_rules! columns {
    () => {
        concat!(
            $crate::sql::light_columns!(),
            ", natural_hash, target_id, origin, landed_run, landed_at, target_hash"
        )
    };
}
pub(crate) use columns;

/// Sets the light columns to those of another row.
macro_rules! light_assignments {
    ($from:literal) => {
        concat!(
            "run = ",
            $from,
            ".run, state = ",
            $from,
            ".state, generation = ",
            $from,
            ".generation, hash = ",
            $from,
            ".hash, tenant = ",
            $from,
            ".tenant, attempts = ",
            $from,
            ".attempts, due = ",
            $from,
            ".due, owner = ",
            $from,
            ".owner, unsure = ",
            $from,
            ".unsure, next_generation = ",
            $from,
            ".next_generation, next_hash = ",
            $from,
            ".next_hash, waits_entity = ",
            $from,
            ".waits_entity, waits_key = ",
            $from,
            ".waits_key, landed_generation = ",
            $from,
            ".landed_generation, landed_hash = ",
            $from,
            ".landed_hash, failure_kind = ",
            $from,
            ".failure_kind, failure_status = ",
            $from,
            ".failure_status, failure_reason = ",
            $from,
            ".failure_reason, failure_wait = ",
            $from,
            ".failure_wait, since = ",
            $from,
            ".since"
        )
    };
}
pub(crate) use light_assignments;

/// Sets all columns to those of another row.
macro_rules! assignments {
    ($from:literal) => {
        concat!(
            $crate::sql::light_assignments!($from),
            ", natural_hash = ",
            $from,
            ".natural_hash, target_id = ",
            $from,
            ".target_id, origin = ",
            $from,
            ".origin, landed_run = ",
            $from,
            ".landed_run, landed_at = ",
            $from,
            ".landed_at, target_hash = ",
            $from,
            ".target_hash"
        )
    };
}
pub(crate) use assignments;
