//! The tables in a schema, and how older ones become new ones.

use haulier_core::port::LedgerError;
use sqlx::{Connection, Executor, PgConnection, Row};

use super::error::ledger_error;

/// One step a version; a step that was released is never changed.
const STEPS: [&str; 5] = [FIRST, CONTROL, CALENDAR, STAGES, SAMPLES];

/// No predicate of an index names a column that a claim changes, so that claims stay within a page.
const FIRST: &str = r#"
CREATE TABLE run (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL UNIQUE, plan TEXT NOT NULL,
    digest TEXT NOT NULL, started_at BIGINT NOT NULL, produced_at BIGINT, finished_at BIGINT,
    lease_holder TEXT, lease_until BIGINT NOT NULL, lease_epoch BIGINT NOT NULL
);
CREATE TABLE entity (id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE process (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name TEXT COLLATE "C" NOT NULL UNIQUE, run INTEGER, role TEXT,
    host TEXT, pid BIGINT, beat_at BIGINT NOT NULL, in_flight BIGINT, ended SMALLINT
);
CREATE TABLE record (
    landed_at BIGINT, landed_generation BIGINT, due BIGINT, next_generation BIGINT, failure_wait BIGINT,
    generation BIGINT NOT NULL, since BIGINT NOT NULL,
    entity INTEGER NOT NULL, run INTEGER NOT NULL, attempts INTEGER NOT NULL, owner INTEGER, waits_entity INTEGER,
    landed_run INTEGER, state SMALLINT NOT NULL, unsure SMALLINT NOT NULL, origin SMALLINT,
    failure_kind SMALLINT, failure_status SMALLINT,
    hash BYTEA NOT NULL, natural_hash BYTEA, next_hash BYTEA, landed_hash BYTEA,
    target_hash BYTEA,
    key TEXT COLLATE "C" NOT NULL, tenant TEXT COLLATE "C", waits_key TEXT COLLATE "C", target_id TEXT COLLATE "C",
    failure_reason TEXT, PRIMARY KEY (entity, key)
) WITH (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.1);
CREATE UNIQUE INDEX record_natural ON record (entity, natural_hash) WHERE natural_hash IS NOT NULL;
CREATE UNIQUE INDEX record_target ON record (entity, target_id) WHERE target_id IS NOT NULL;
CREATE INDEX record_due ON record (run, due) WHERE due IS NOT NULL;
CREATE INDEX record_waits ON record (waits_entity, waits_key) WHERE waits_key IS NOT NULL;
CREATE INDEX record_landed ON record (landed_at, entity, key) WHERE landed_at IS NOT NULL;
CREATE INDEX record_failed ON record (entity, key) WHERE failure_kind IS NOT NULL;
CREATE TABLE tally (
    run INTEGER NOT NULL, entity INTEGER NOT NULL, state SMALLINT NOT NULL, owner INTEGER NOT NULL,
    shard SMALLINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (run, entity, state, owner, shard)
) WITH (fillfactor = 50);
CREATE TABLE walk (
    run INTEGER NOT NULL, entity INTEGER NOT NULL, part BIGINT NOT NULL,
    after_key TEXT, upto_key TEXT, at_key TEXT, done SMALLINT NOT NULL, PRIMARY KEY (run, entity, part)
) WITH (fillfactor = 50);
CREATE TABLE judgement (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run INTEGER NOT NULL, entity INTEGER NOT NULL,
    key TEXT NOT NULL, at BIGINT NOT NULL, by TEXT NOT NULL, waived TEXT
);
"#;

/// Changes of control, and what processes say of themselves.
const CONTROL: &str = r"
CREATE TABLE control (
    run INTEGER NOT NULL, version BIGINT NOT NULL, at BIGINT NOT NULL, by TEXT NOT NULL, reason TEXT,
    key TEXT NOT NULL, value TEXT NOT NULL, previous TEXT NOT NULL, forced SMALLINT NOT NULL, expires BIGINT,
    PRIMARY KEY (run, version)
);
ALTER TABLE process ADD COLUMN report TEXT;
";

/// What people changed of the calendar, and notices on their way.
const CALENDAR: &str = r#"
CREATE TABLE amendment (
    version BIGINT PRIMARY KEY, at BIGINT NOT NULL, by TEXT NOT NULL, reason TEXT NOT NULL, word TEXT NOT NULL,
    parts TEXT NOT NULL
);
CREATE TABLE post (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, post_key TEXT COLLATE "C" NOT NULL UNIQUE, notice TEXT NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, told BIGINT, audience TEXT NOT NULL, channel TEXT NOT NULL,
    addresses TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL,
    since BIGINT NOT NULL, due BIGINT NOT NULL, attempts BIGINT NOT NULL, said TEXT
);
"#;

/// What happened to the stages of a run, and who controls it.
const STAGES: &str = r"
CREATE TABLE stage_log (
    run INTEGER NOT NULL, version BIGINT NOT NULL, at BIGINT NOT NULL, by TEXT NOT NULL, note TEXT,
    kind TEXT NOT NULL, subject TEXT NOT NULL, word TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (run, version)
);
CREATE TABLE controller (
    run INTEGER NOT NULL PRIMARY KEY, holder TEXT NOT NULL, held_since BIGINT NOT NULL, held_until BIGINT NOT NULL
) WITH (fillfactor = 50);
";

/// What processes measured while a run went on.
const SAMPLES: &str = r#"
CREATE TABLE sample (
    run INTEGER NOT NULL, at BIGINT NOT NULL, process TEXT COLLATE "C" NOT NULL, measured TEXT NOT NULL,
    PRIMARY KEY (run, at, process)
);
"#;

/// Brings the schema to the newest version, and makes it where it is missing; refuses one that is newer.
pub(crate) async fn migrate(conn: &mut PgConnection, schema: &str, at: &str) -> Result<(), LedgerError> {
    let fail = |error: &sqlx::Error| ledger_error(at, "preparing its tables", error);
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let mut tx = conn.begin().await.map_err(|error| fail(&error))?;
    let found = match step_up(&mut tx, schema, known).await {
        Ok(found) => found,
        Err(error) => return Err(fail(&error)),
    };
    if found > known {
        return Err(LedgerError::Newer { found, known });
    }
    tx.commit().await.map_err(|error| fail(&error))
}

/// Takes the steps up to `known`. Returns the version that was there.
pub(super) async fn step_up(conn: &mut PgConnection, schema: &str, known: i64) -> Result<i64, sqlx::Error> {
    let exists = sqlx::query("SELECT to_regclass(format('%I.ledger_version', $1)) IS NOT NULL").bind(schema);
    if exists.fetch_one(&mut *conn).await?.try_get(0)? {
        let found = version(conn).await?;
        if found >= known {
            return Ok(found);
        }
    }
    // One at a time; who waited looks again.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtext($1), -1)").bind(schema).execute(&mut *conn).await?;
    let exists = sqlx::query("SELECT COUNT(*) FROM pg_namespace WHERE nspname = $1").bind(schema);
    if exists.fetch_one(&mut *conn).await?.try_get::<i64, _>(0)? == 0 {
        let create = format!("CREATE SCHEMA {}", quoted(schema));
        conn.execute(sqlx::AssertSqlSafe(create)).await?;
    }
    conn.execute("CREATE TABLE IF NOT EXISTS ledger_version (version BIGINT NOT NULL)").await?;
    let found = version(conn).await?;
    for (step, version) in
        STEPS.into_iter().zip(1..).filter(|(_, version)| (found + 1..=known).contains(version))
    {
        sqlx::raw_sql(step).execute(&mut *conn).await?;
        let insert = sqlx::query("INSERT INTO ledger_version (version) VALUES ($1)");
        insert.bind::<i64>(version).execute(&mut *conn).await?;
    }
    Ok(found)
}

async fn version(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    conn.fetch_one("SELECT COALESCE(MAX(version), 0) FROM ledger_version").await?.try_get(0)
}

/// As an identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
