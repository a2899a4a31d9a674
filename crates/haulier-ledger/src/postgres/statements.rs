//! The statements that take a set of rows, in PostgreSQL's dialect.
//!
//! Rows are locked in key order: sets come in that order, and the plans walk them. What still meets head on is ended by
//! the server and begun anew.

use crate::conn::Each;
use crate::sql::{Sql, assignments, columns, light_assignments, light_columns};

/// The arrays of the light columns.
macro_rules! light_arrays {
    () => {
        "$1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::text[], \
         $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bytea[], $14::bigint[], \
         $15::text[], $16::bigint[], $17::bytea[], $18::bigint[], $19::bigint[], $20::text[], $21::bigint[], \
         $22::bigint[]"
    };
}

/// The arrays of all columns.
macro_rules! whole_arrays {
    () => {
        concat!(
            light_arrays!(),
            ", $23::bytea[], $24::text[], $25::bigint[], $26::bigint[], $27::bigint[], \
             $28::bytea[]"
        )
    };
}

pub(crate) static POSTGRES: Sql = Sql {
    load: concat!(
        "SELECT ",
        columns!(),
        " FROM record WHERE entity = $1 AND key = ANY($2) ORDER BY key FOR UPDATE"
    ),
    natural_holders: "SELECT natural_hash, key FROM record WHERE entity = $1 AND natural_hash = ANY($2)",
    target_holders: "SELECT target_id, key FROM record \
                     WHERE entity = $1 AND target_id = ANY($2) AND target_hash = ANY($3)",
    target_ids: "SELECT key, target_id FROM record \
                 WHERE entity = $1 AND key = ANY($2) AND target_id IS NOT NULL",
    children: concat!(
        "SELECT ",
        columns!(),
        " FROM record WHERE waits_entity = $1 AND waits_key = ANY($2) ORDER BY entity, key FOR UPDATE"
    ),
    claimed_by: concat!(
        "SELECT ",
        columns!(),
        " FROM record WHERE run = $1 AND state = 1 AND owner = ANY($2) ORDER BY entity, key FOR UPDATE"
    ),
    vacate: "UPDATE record AS r SET natural_hash = NULL, target_id = NULL, target_hash = NULL \
             FROM unnest($1::bigint[], $2::text[]) AS s(entity, key) WHERE r.entity = s.entity AND r.key = s.key",
    insert: concat!(
        "INSERT INTO record (",
        columns!(),
        ") SELECT * FROM unnest(",
        whole_arrays!(),
        ") ON CONFLICT DO NOTHING"
    ),
    update: concat!(
        "UPDATE record AS r SET ",
        assignments!("s"),
        " FROM unnest(",
        whole_arrays!(),
        ") AS s(",
        columns!(),
        ") WHERE r.entity = s.entity AND r.key = s.key"
    ),
    update_light: concat!(
        "UPDATE record AS r SET ",
        light_assignments!("s"),
        " FROM unnest(",
        light_arrays!(),
        ") AS s(",
        light_columns!(),
        ") WHERE r.entity = s.entity AND r.key = s.key"
    ),
    tally: "INSERT INTO tally (run, entity, state, owner, shard, n) \
            SELECT s.run, s.entity, s.state, s.owner, $1, s.n \
            FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) \
            AS s(run, entity, state, owner, n) \
            ON CONFLICT (run, entity, state, owner, shard) DO UPDATE SET n = tally.n + excluded.n",
    judgement: "INSERT INTO judgement (run, by, waived, at, entity, key) \
                SELECT $1, $2, $3, $4, s.entity, s.key FROM unnest($5::bigint[], $6::text[]) AS s(entity, key)",
};

/// The parameters of [`crate::conn::Quick::Admit`] and [`crate::conn::Quick::Pass`].
macro_rules! sightings {
    () => {
        "unnest($4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::text[]) \
         AS s(key, generation, hash, natural_hash, tenant)"
    };
}

/// The parameters of [`crate::conn::Quick::Land`].
macro_rules! landings {
    () => {
        "unnest($4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::bytea[], $9::bigint[], \
         $10::bigint[], $11::bytea[]) AS s(key, attempt, id, origin, hash, generation, at, id_hash)"
    };
}

/// Queues all rows, or as many as are new; answers with their number.
pub(crate) const ADMIT: &str = concat!(
    "WITH done AS (INSERT INTO record \
     (entity, key, run, state, generation, hash, natural_hash, tenant, attempts, unsure, since) \
     SELECT $1, s.key, $2, 0, s.generation, s.hash, s.natural_hash, s.tenant, 0, 0, $3 FROM ",
    sightings!(),
    " ON CONFLICT DO NOTHING RETURNING 1) SELECT COUNT(*) FROM done"
);

pub(crate) fn each(each: Each) -> &'static str {
    match each {
        Each::Pass => concat!(
            "UPDATE record AS r SET run = $2, state = 7, since = $3 FROM ",
            sightings!(),
            " WHERE r.entity = $1 AND r.key = s.key AND r.run <> $2 AND r.state IN (5, 7) \
             AND r.generation = s.generation AND r.hash = s.hash AND r.landed_at IS NOT NULL \
             AND r.landed_generation IS NULL AND r.failure_reason IS NULL \
             AND r.natural_hash IS NOT DISTINCT FROM s.natural_hash AND r.tenant IS NOT DISTINCT FROM s.tenant \
             RETURNING r.key"
        ),
        Each::Claim => {
            "UPDATE record AS r SET state = 1, owner = $3, attempts = r.attempts + 1 \
             FROM unnest($4::text[], $5::bigint[], $6::bytea[]) AS s(key, generation, hash) \
             WHERE r.entity = $1 AND r.key = s.key AND r.run = $2 AND r.state = 0 AND r.next_hash IS NULL \
             AND r.generation = s.generation AND r.hash = s.hash RETURNING r.key, r.attempts, r.target_id, r.unsure"
        }
        Each::Land => concat!(
            "UPDATE record AS r SET state = 5, owner = NULL, unsure = 0, target_id = s.id, target_hash = s.id_hash, origin = s.origin, \
             landed_run = $2, landed_at = s.at, failure_kind = NULL, failure_status = NULL, failure_reason = NULL, \
             failure_wait = NULL, since = s.at FROM ",
            landings!(),
            " WHERE r.entity = $1 AND r.key = s.key AND r.run = $2 AND r.state = 1 \
             AND r.owner = $3 AND r.attempts = s.attempt AND r.generation = s.generation AND r.hash = s.hash \
             AND r.next_hash IS NULL AND r.target_id IS NULL RETURNING r.key"
        ),
        Each::Update => concat!(
            "UPDATE record AS r SET state = 5, owner = NULL, unsure = 0, landed_generation = NULL, landed_hash = NULL, \
             failure_kind = NULL, failure_status = NULL, failure_reason = NULL, failure_wait = NULL, since = s.at FROM ",
            landings!(),
            " WHERE r.entity = $1 AND r.key = s.key AND r.run = $2 AND r.state = 1 \
             AND r.owner = $3 AND r.attempts = s.attempt AND r.generation = s.generation AND r.hash = s.hash \
             AND r.next_hash IS NULL AND r.target_id = s.id RETURNING r.key"
        ),
    }
}
