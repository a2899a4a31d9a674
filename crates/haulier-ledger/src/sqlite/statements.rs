//! The statements that take a set of rows, in SQLite's dialect.

use crate::sql::{Sql, assignments, columns, light_assignments, light_columns};

/// The light columns of a set of records.
macro_rules! light_set {
    () => {
        "value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, unhex(value ->> 5), value ->> 6, value \
         ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, unhex(value ->> 12), value ->> 13, value ->> \
         14, value ->> 15, unhex(value ->> 16), value ->> 17, value ->> 18, value ->> 19, value ->> 20, value ->> \
         21"
    };
}

/// All columns of a set of records.
macro_rules! whole_set {
    () => {
        concat!(
            light_set!(),
            ", unhex(value ->> 22), value ->> 23, value ->> 24, value ->> 25, value ->> 26, unhex(value ->> 27)"
        )
    };
}

/// Changes the counts.
macro_rules! tally {
    () => {
        "INSERT INTO tally (run, entity, state, owner, shard, n) \
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, $1, value ->> 4 FROM json_each($2) WHERE true \
         ON CONFLICT (run, entity, state, owner, shard) DO UPDATE SET n = tally.n + excluded.n"
    };
}

/// In one trip to the connection's thread.
pub(crate) const TALLY_AND_COMMIT: &str = concat!(tally!(), "; COMMIT");

pub(crate) static SQLITE: Sql = Sql {
    load: concat!(
        "SELECT ",
        columns!(),
        " FROM record WHERE entity = $1 AND key IN (SELECT value FROM json_each($2))"
    ),
    natural_holders: "SELECT natural_hash, key FROM record \
                      WHERE entity = $1 AND natural_hash IN (SELECT unhex(value) FROM json_each($2))",
    // Each half has an index of its own.
    target_holders: "SELECT target_id, key FROM record WHERE entity = $1 \
                     AND target_id IN (SELECT value ->> 0 FROM json_each($2)) \
                     AND target_hash IS NOT natural_hash \
                     UNION ALL SELECT target_id, key FROM record WHERE entity = $1 \
                     AND natural_hash IN (SELECT unhex(value ->> 1) FROM json_each($2)) \
                     AND target_hash = natural_hash",
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
    vacate: "UPDATE record SET natural_hash = NULL, target_id = NULL, target_hash = NULL \
             WHERE (entity, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each($1))",
    insert: concat!(
        "INSERT INTO record (",
        columns!(),
        ") SELECT ",
        whole_set!(),
        " FROM json_each($1) WHERE true ON CONFLICT (entity, key) DO NOTHING"
    ),
    update: concat!(
        "INSERT INTO record (",
        columns!(),
        ") SELECT ",
        whole_set!(),
        " FROM json_each($1) WHERE true ON CONFLICT (entity, key) DO UPDATE SET ",
        assignments!("excluded")
    ),
    update_light: concat!(
        "INSERT INTO record (",
        light_columns!(),
        ") SELECT ",
        light_set!(),
        " FROM json_each($1) WHERE true ON CONFLICT (entity, key) DO UPDATE SET ",
        light_assignments!("excluded")
    ),
    tally: tally!(),
    judgement: "INSERT INTO judgement (run, by, waived, at, entity, key) \
                SELECT $1, $2, $3, $4, value ->> 0, value ->> 1 FROM json_each($5)",
};
