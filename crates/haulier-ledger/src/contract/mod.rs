//! The port's contract suite over both databases.

mod postgres;
mod sqlite;

pub(crate) use postgres::Schema;

/// Where the kept counts of the newest run differ from its records: entity, state, difference.
const WRONG_COUNTS: &str = "
    SELECT CAST(entity AS BIGINT), CAST(state AS BIGINT), CAST(SUM(n) AS BIGINT) FROM (
        SELECT entity, state, n FROM tally WHERE run = (SELECT MAX(id) FROM run) AND state < 8
        UNION ALL
        SELECT entity, state, -1 FROM record WHERE run = (SELECT MAX(id) FROM run)
    ) AS both_sides GROUP BY entity, state HAVING SUM(n) <> 0";
