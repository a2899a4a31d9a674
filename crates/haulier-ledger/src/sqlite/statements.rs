//! The statements that take a set of rows, in SQLite's dialect.

use crate::sql::{Sql, assignments, columns};

/// Begins the transaction in the same trip to the connection's thread; left away where it has begun.
macro_rules! begin {
    () => {
        "BEGIN IMMEDIATE; "
    };
}

pub(crate) const BEGIN: &str = begin!();

/// All columns of a set of whole records.
macro_rules! all_columns {
    () => {
        "SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, unhex(value ->> 5), \
         unhex(value ->> 6), value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, \
         unhex(value ->> 13), value ->> 14, value ->> 15, value ->> 16, value ->> 17, value ->> 18, value ->> 19, \
         value ->> 20, unhex(value ->> 21), value ->> 22, value ->> 23, value ->> 24, value ->> 25, value ->> 26 \
         FROM json_each($1) WHERE true"
    };
}

macro_rules! tally {
    () => {
        "INSERT INTO tally (run, entity, state, owner, shard, n) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, $1, value ->> 4 FROM json_each($2) WHERE true \
         ON CONFLICT (run, entity, state, owner, shard) DO UPDATE SET n = tally.n + excluded.n"
    };
}

pub(crate) const TALLY_AND_COMMIT: &str = concat!(tally!(), "; COMMIT");

pub(crate) static SQLITE: Sql = Sql {
    load: concat!(
        "SELECT ",
        columns!(),
        " FROM record WHERE entity = $1 AND key IN (SELECT value FROM json_each($2))"
    ),
    natural_holders: "SELECT natural_hash, key FROM record \
                      WHERE entity = $1 AND natural_hash IN (SELECT unhex(value) FROM json_each($2))",
    target_holders: "SELECT target_id, key FROM record \
                     WHERE entity = $1 AND target_id IN (SELECT value FROM json_each($2))",
    target_ids: "SELECT key, target_id FROM record \
                 WHERE entity = $1 AND key IN (SELECT value FROM json_each($2)) AND target_id IS NOT NULL",
    children: concat!(
        "SELECT ",
        columns!(),
        " FROM record WHERE waits_entity = $1 AND waits_key IN (SELECT value FROM json_each($2))"
    ),
    claimed_by: concat!(
        "SELECT ",
        columns!(),
        " FROM record WHERE run = $1 AND state = 1 AND owner IN (SELECT value FROM json_each($2))"
    ),
    vacate: "UPDATE record SET natural_hash = NULL, target_id = NULL \
             WHERE (entity, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1))",
    insert: concat!(
        "INSERT INTO record (",
        columns!(),
        ") ",
        all_columns!(),
        " ON CONFLICT (entity, key) DO NOTHING"
    ),
    update: concat!(
        "INSERT INTO record (",
        columns!(),
        ") ",
        all_columns!(),
        " ON CONFLICT (entity, key) DO UPDATE SET ",
        assignments!("excluded")
    ),
    tally: tally!(),
    judgement: "INSERT INTO judgement (run, by, waived, at, entity, key) \
                SELECT $1, $2, $3, $4, value ->> 0, value ->> 1 FROM json_each($5)",
    admit_new: concat!(
        begin!(),
        "INSERT OR IGNORE INTO record \
         (entity, key, run, state, generation, hash, natural_hash, tenant, attempts, unsure, since) \
         SELECT $1, value ->> 0, $2, 0, value ->> 1, unhex(value ->> 2), unhex(value ->> 3), value ->> 4, \
         0, 0, $3 FROM json_each($4); SELECT changes(), 0"
    ),
    claim_new: concat!(
        begin!(),
        "UPDATE OR IGNORE record SET state = 1, owner = $3, attempts = 1 \
         WHERE entity = $1 AND (key, generation, hash) IN \
         (SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each($4)) \
         AND run = $2 AND state = 0 AND attempts = 0 AND unsure = 0 AND target_id IS NULL; SELECT changes(), 0"
    ),
    // An insert that always meets the row it was made from: an update whose plan always begins with the set.
    land_new: concat!(
        begin!(),
        "INSERT OR IGNORE INTO record (entity, key, run, state, generation, hash, attempts, unsure, target_id, \
         origin, landed_run, landed_at, landed_generation, landed_hash, since) \
         SELECT $1, r.key, $2, 5, value ->> 5, unhex(value ->> 4), r.attempts, 0, value ->> 2, value ->> 3, \
         $2, value ->> 6, value ->> 5, unhex(value ->> 4), value ->> 6 \
         FROM json_each($4) AS s CROSS JOIN record AS r ON r.entity = $1 AND r.key = value ->> 0 \
         WHERE r.run = $2 AND r.state = 1 AND r.owner = $3 AND r.attempts = value ->> 1 \
         AND r.next_hash IS NULL AND r.target_id IS NULL \
         ON CONFLICT (entity, key) DO UPDATE SET state = 5, owner = NULL, unsure = 0, \
         target_id = excluded.target_id, origin = excluded.origin, landed_run = excluded.landed_run, \
         landed_at = excluded.landed_at, landed_generation = excluded.landed_generation, \
         landed_hash = excluded.landed_hash, generation = excluded.generation, hash = excluded.hash, \
         failure_kind = NULL, failure_status = NULL, failure_reason = NULL, failure_wait = NULL, \
         since = excluded.since WHERE record.state = 1; \
         SELECT changes(), EXISTS (SELECT 1 FROM record WHERE waits_entity = $1 \
         AND waits_key IN (SELECT value ->> 0 FROM json_each($4)))"
    ),
};
