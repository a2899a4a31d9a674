//! The file: its connections, its version and its tables.

use std::path::Path;
use std::time::Duration;

use haulier_core::port::QueueError;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Row, Sqlite, Transaction};

use super::failure::classify;

/// `haul`: tells our files from other programs'.
const APPLICATION: i64 = 0x6861_756c;
const VERSION: i64 = 1;

/// Longer than any transaction of ours takes on a slow disk.
const BUSY: Duration = Duration::from_secs(20);

/// One connection for each kind of use. SQLite lets one write at a time anyway.
#[derive(Debug)]
pub(super) struct Connections {
    /// On disk before a commit returns: what is published stays published when the power fails.
    pub(super) durable: SqlitePool,
    /// Commits without waiting for the disk. After a power cut the last takes and settlements may be undone, which
    /// means redelivery; a later durable commit never lands without the earlier ones.
    pub(super) swift: SqlitePool,
    /// Reads beside the writer.
    pub(super) read: SqlitePool,
}

impl Connections {
    pub(super) async fn open(
        file: &Path,
        tune: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> Result<Self, QueueError> {
        private(file)?;
        let connect = |synchronous| {
            let options = SqliteConnectOptions::new()
                .filename(file)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .busy_timeout(BUSY)
                .disable_statement_logging();
            let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
            pool.connect_with(tune(options))
        };
        let failed = |error: sqlx::Error| classify(file, "opening the queue file", &error);
        let durable = connect(SqliteSynchronous::Full).await.map_err(failed)?;
        found(file, &durable).await?;
        Ok(Self {
            swift: connect(SqliteSynchronous::Normal).await.map_err(failed)?,
            read: connect(SqliteSynchronous::Normal).await.map_err(failed)?,
            durable,
        })
    }
}

/// Makes a missing file readable by its owner only: parcels hold people's data.
fn private(file: &Path) -> Result<(), QueueError> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(QueueError::Unreachable { at: file.display().to_string(), cause: error.to_string() })
        }
    }
}

/// Checks the version, or lays out an empty file; in one transaction, because several processes may start at once.
async fn found(file: &Path, pool: &SqlitePool) -> Result<(), QueueError> {
    let failed = |error: sqlx::Error| classify(file, "laying out the queue file", &error);
    let mut transaction = pool.begin_with("begin immediate").await.map_err(failed)?;
    let mismatch = |problem: String| QueueError::Mismatch { queue: file.display().to_string(), problem };
    match state(&mut transaction).await.map_err(failed)? {
        (APPLICATION, VERSION, _) => {}
        (0, 0, 0) => lay_out(&mut transaction).await.map_err(failed)?,
        (APPLICATION, newer, _) => {
            return Err(mismatch(format!("it has version {newer}, and this build reads version {VERSION}")));
        }
        _ => return Err(mismatch("the file is another program's database".to_owned())),
    }
    transaction.commit().await.map_err(failed)
}

async fn state(transaction: &mut Transaction<'_, Sqlite>) -> Result<(i64, i64, i64), sqlx::Error> {
    let row = sqlx::query(
        "select a.application_id, v.user_version, (select count(*) from sqlite_schema)
           from pragma_application_id() a, pragma_user_version() v",
    )
    .fetch_one(&mut **transaction)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
}

async fn lay_out(transaction: &mut Transaction<'_, Sqlite>) -> Result<(), sqlx::Error> {
    for statement in [
        "create table consumer (id integer primary key autoincrement, lease_until integer not null) strict",
        "create table message (
           id integer primary key autoincrement,
           owner integer,
           due integer not null default 0,
           deliveries integer not null default 0,
           message_id text not null,
           body blob not null
         ) strict",
        // Serves the take (owner is null, in order) and covers the count.
        "create index message_state on message (owner, id, due)",
        "create table dead (
           id integer primary key autoincrement,
           buried_at integer not null,
           reason text not null,
           message_id text not null,
           body blob not null
         ) strict",
        "pragma application_id = 1751217516",
        "pragma user_version = 1",
    ] {
        sqlx::query(statement).execute(&mut **transaction).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_writes_the_constants() {
        assert_eq!(APPLICATION, 1_751_217_516);
        assert_eq!(VERSION, 1);
    }
}
