//! The statements that take a set of rows, in PostgreSQL's dialect.
//!
//! Rows are locked in key order: sets come in that order, and the plans walk them. What still meets head on is ended by
//! the server and begun anew.

use crate::conn::Quick;
use crate::sql::{Sql, assignments, columns};

/// All columns of a set of whole records.
macro_rules! all_columns {
    () => {
        concat!(
            "unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[], \
             $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[], \
             $15::bigint[], $16::text[], $17::text[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[], \
             $22::bytea[], $23::bigint[], $24::bigint[], $25::text[], $26::bigint[], $27::bigint[]) AS s(",
            columns!(),
            ")"
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
    target_holders: "SELECT target_id, key FROM record WHERE entity = $1 AND target_id = ANY($2)",
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
    vacate: "UPDATE record AS r SET natural_hash = NULL, target_id = NULL \
             FROM unnest($1::bigint[], $2::text[]) AS s(entity, key) WHERE r.entity = s.entity AND r.key = s.key",
    insert: concat!(
        "INSERT INTO record (",
        columns!(),
        ") SELECT ",
        columns!(),
        " FROM ",
        all_columns!(),
        " ON CONFLICT DO NOTHING"
    ),
    update: concat!(
        "UPDATE record AS r SET ",
        assignments!("s"),
        " FROM ",
        all_columns!(),
        " WHERE r.entity = s.entity AND r.key = s.key"
    ),
    tally: "INSERT INTO tally (run, entity, state, owner, shard, n) \
            SELECT s.run, s.entity, s.state, s.owner, $1, s.n \
            FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) \
            AS s(run, entity, state, owner, n) \
            ON CONFLICT (run, entity, state, owner, shard) DO UPDATE SET n = tally.n + excluded.n",
    judgement: "INSERT INTO judgement (run, by, waived, at, entity, key) \
                SELECT $1, $2, $3, $4, s.entity, s.key FROM unnest($5::bigint[], $6::text[]) AS s(entity, key)",
};

/// Statements that answer with one row: how many records they changed, and whether others wait for those.
pub(crate) fn quick(quick: Quick) -> &'static str {
    match quick {
        Quick::Admit => {
            "WITH done AS (INSERT INTO record \
             (entity, key, run, state, generation, hash, natural_hash, tenant, attempts, unsure, since) \
             SELECT $1, s.key, $2, 0, s.generation, s.hash, s.natural_hash, s.tenant, 0, 0, $3 \
             FROM unnest($4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::text[]) \
             AS s(key, generation, hash, natural_hash, tenant) ON CONFLICT DO NOTHING RETURNING 1) \
             SELECT COUNT(*), 0 FROM done"
        }
        Quick::Claim => {
            "WITH done AS (UPDATE record AS r SET state = 1, owner = $3, attempts = 1 \
             FROM unnest($4::text[], $5::bigint[], $6::bytea[]) AS s(key, generation, hash) \
             WHERE r.entity = $1 AND r.key = s.key AND r.run = $2 AND r.state = 0 \
             AND r.attempts = 0 AND r.unsure = 0 AND r.target_id IS NULL \
             AND r.generation = s.generation AND r.hash = s.hash RETURNING 1) \
             SELECT COUNT(*), 0 FROM done"
        }
        Quick::Land => {
            "WITH done AS (UPDATE record AS r SET state = 5, owner = NULL, unsure = 0, target_id = s.id, \
             origin = s.origin, landed_run = $2, landed_at = s.at, failure_kind = NULL, failure_status = NULL, \
             failure_reason = NULL, failure_wait = NULL, since = s.at \
             FROM unnest($4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::bytea[], $9::bigint[], \
             $10::bigint[]) AS s(key, attempt, id, origin, hash, generation, at) \
             WHERE r.entity = $1 AND r.key = s.key AND r.run = $2 AND r.state = 1 \
             AND r.owner = $3 AND r.attempts = s.attempt AND r.generation = s.generation AND r.hash = s.hash \
             AND r.next_hash IS NULL AND r.target_id IS NULL RETURNING 1) \
             SELECT COUNT(*), CAST(EXISTS (SELECT 1 FROM record WHERE waits_entity = $1 \
             AND waits_key = ANY($4::text[])) AS INTEGER) FROM done"
        }
    }
}
