//! The tables in a file, and how older files become new ones.

use haulier_core::port::LedgerError;
use sqlx::{Executor, Row, SqliteConnection};

use super::error::ledger_error;

/// One step a version; a step that was released is never changed.
const STEPS: [&str; 5] = [FIRST, CONTROL, CALENDAR, STAGES, SAMPLES];

const FIRST: &str = "
CREATE TABLE run (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, plan TEXT NOT NULL, digest TEXT NOT NULL,
    started_at INTEGER NOT NULL, produced_at INTEGER, finished_at INTEGER,
    lease_holder TEXT, lease_until INTEGER NOT NULL, lease_epoch INTEGER NOT NULL
) STRICT;
CREATE TABLE entity (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE process (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, run INTEGER, role TEXT, host TEXT, pid INTEGER,
    beat_at INTEGER NOT NULL, in_flight INTEGER, ended INTEGER
) STRICT;
CREATE TABLE record (
    entity INTEGER NOT NULL, key TEXT NOT NULL, run INTEGER NOT NULL, state INTEGER NOT NULL,
    generation INTEGER NOT NULL, hash BLOB NOT NULL, natural_hash BLOB, tenant TEXT,
    attempts INTEGER NOT NULL, due INTEGER, owner INTEGER, unsure INTEGER NOT NULL,
    next_generation INTEGER, next_hash BLOB, waits_entity INTEGER, waits_key TEXT,
    target_id TEXT, target_hash BLOB, origin INTEGER,
    landed_run INTEGER, landed_at INTEGER, landed_generation INTEGER, landed_hash BLOB,
    failure_kind INTEGER, failure_status INTEGER, failure_reason TEXT, failure_wait INTEGER, since INTEGER NOT NULL,
    PRIMARY KEY (entity, key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_natural ON record (entity, natural_hash) WHERE natural_hash IS NOT NULL;
-- Where a target id is the natural key, that index keeps it unique, and this one would cost a page of its own for each record.
-- Other ids stand as they are: those that a target counts up lie side by side, and their digests would not.
CREATE UNIQUE INDEX record_target ON record (entity, target_id)
    WHERE target_id IS NOT NULL AND target_hash IS NOT natural_hash;
CREATE INDEX record_due ON record (run, due) WHERE due IS NOT NULL;
CREATE INDEX record_waits ON record (waits_entity, waits_key) WHERE waits_key IS NOT NULL;
CREATE INDEX record_landed ON record (landed_at) WHERE landed_at IS NOT NULL;
CREATE INDEX record_failed ON record (entity, key) WHERE failure_kind IS NOT NULL;
CREATE TABLE tally (
    run INTEGER NOT NULL, entity INTEGER NOT NULL, state INTEGER NOT NULL, owner INTEGER NOT NULL,
    shard INTEGER NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (run, entity, state, owner, shard)
) STRICT, WITHOUT ROWID;
CREATE TABLE walk (
    run INTEGER NOT NULL, entity INTEGER NOT NULL, part INTEGER NOT NULL,
    after_key TEXT, upto_key TEXT, at_key TEXT, done INTEGER NOT NULL, PRIMARY KEY (run, entity, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE judgement (
    id INTEGER PRIMARY KEY, run INTEGER NOT NULL, entity INTEGER NOT NULL, key TEXT NOT NULL,
    at INTEGER NOT NULL, by TEXT NOT NULL, waived TEXT
) STRICT;
-- Without figures the planner takes an entity for ten records, and walks all of them for every parcel. These are the
-- figures of a large ledger; they are never measured anew.
ANALYZE;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('record', 'record', '1000000 500000 1'), ('record', 'record_natural', '1000000 500000 1'),
    ('record', 'record_target', '1000000 500000 1'), ('record', 'record_due', '10000 10000 100'),
    ('record', 'record_waits', '10000 5000 10'), ('record', 'record_landed', '1000000 1'),
    ('record', 'record_failed', '1000 500 1'), ('tally', 'tally', '100 100 20 3 2 1'),
    ('process', 'sqlite_autoindex_process_1', '10 1'), ('entity', 'sqlite_autoindex_entity_1', '10 1'),
    ('run', 'sqlite_autoindex_run_1', '10 1'), ('walk', 'walk', '100 50 10 1');
";

/// Changes of control, and what processes say of themselves.
const CONTROL: &str = "
CREATE TABLE control (
    run INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, reason TEXT,
    key TEXT NOT NULL, value TEXT NOT NULL, previous TEXT NOT NULL, forced INTEGER NOT NULL, expires INTEGER,
    PRIMARY KEY (run, version)
) STRICT, WITHOUT ROWID;
ALTER TABLE process ADD COLUMN report TEXT;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('control', 'control', '100 50 1');
";

/// What people changed of the calendar, and notices on their way.
const CALENDAR: &str = "
CREATE TABLE amendment (
    version INTEGER PRIMARY KEY, at INTEGER NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL, word TEXT NOT NULL,
    parts TEXT NOT NULL
) STRICT;
CREATE TABLE post (
    id INTEGER PRIMARY KEY, post_key TEXT NOT NULL UNIQUE, notice TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    told INTEGER, audience TEXT NOT NULL, channel TEXT NOT NULL, addresses TEXT NOT NULL, title TEXT NOT NULL,
    body TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL, since INTEGER NOT NULL, due INTEGER NOT NULL,
    attempts INTEGER NOT NULL, said TEXT
) STRICT;
";

/// What happened to the stages of a run, and who controls it.
const STAGES: &str = "
CREATE TABLE stage_log (
    run INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, note TEXT,
    kind TEXT NOT NULL, subject TEXT NOT NULL, word TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (run, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE controller (
    run INTEGER PRIMARY KEY, holder TEXT NOT NULL, held_since INTEGER NOT NULL, held_until INTEGER NOT NULL
) STRICT;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('stage_log', 'stage_log', '1000 500 1');
";

/// What processes measured while a run went on.
const SAMPLES: &str = "
CREATE TABLE sample (
    run INTEGER NOT NULL, at INTEGER NOT NULL, process TEXT NOT NULL, measured TEXT NOT NULL,
    PRIMARY KEY (run, at, process)
) STRICT, WITHOUT ROWID;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('sample', 'sample', '10000 5000 4 1');
";

/// Brings the file to the newest version; refuses one that is newer.
pub(crate) async fn migrate(conn: &mut SqliteConnection, at: &str) -> Result<(), LedgerError> {
    let fail = |error: &sqlx::Error| ledger_error(at, "preparing its tables", error);
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    // Most openings find everything done, and need not wait for a writer.
    if version(conn).await.map_err(|error| fail(&error))? == known {
        return Ok(());
    }
    conn.execute("BEGIN IMMEDIATE").await.map_err(|error| fail(&error))?;
    let stepped = step_up(conn, known).await;
    let end = if matches!(stepped, Ok(Ok(()))) { "COMMIT" } else { "ROLLBACK" };
    let ended = conn.execute(end).await;
    let found = stepped.map_err(|error| fail(&error))?;
    ended.map_err(|error| fail(&error))?;
    // This connection read the planner's figures before they were there.
    conn.execute("ANALYZE sqlite_schema").await.map_err(|error| fail(&error))?;
    found.map_err(|found| LedgerError::Newer { found, known })
}

/// Takes the steps up to `known`, unless the file is newer: then the version that it has.
pub(super) async fn step_up(conn: &mut SqliteConnection, known: i64) -> Result<Result<(), i64>, sqlx::Error> {
    let found = version(conn).await?;
    if found > known {
        return Ok(Err(found));
    }
    conn.execute("CREATE TABLE IF NOT EXISTS ledger_version (version INTEGER NOT NULL) STRICT").await?;
    for (step, version) in
        STEPS.into_iter().zip(1..).filter(|(_, version)| (found + 1..=known).contains(version))
    {
        sqlx::raw_sql(step).execute(&mut *conn).await?;
        let insert = sqlx::query("INSERT INTO ledger_version (version) VALUES ($1)");
        insert.bind::<i64>(version).execute(&mut *conn).await?;
    }
    Ok(Ok(()))
}

/// 0 for a file without tables.
async fn version(conn: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let exists = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'ledger_version'";
    if conn.fetch_one(exists).await?.try_get::<i64, _>(0)? == 0 {
        return Ok(0);
    }
    let row = conn.fetch_one("SELECT COALESCE(MAX(version), 0) FROM ledger_version").await?;
    row.try_get(0)
}
