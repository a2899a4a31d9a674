//! The SQLite file: one connection, one transaction for all changes that have gathered.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Row as _};

use super::sql::{
    DELETE_REPLIES, PUT_NUMBERING, PUT_REPLIES, SCHEMA, SELECT_NUMBERING, SELECT_REPLIES, Statements, WIPE,
};
use crate::book::{Book, Change};
use crate::config::Sync;
use crate::record::{Account, Collection, Membership, Project, Row, User};
use crate::saved::SavedReply;

/// The file. Others may read it; only this process writes it.
#[derive(Debug)]
pub(crate) struct File {
    connection: SqliteConnection,
    /// Holds the lock for as long as the process lives.
    lock: std::fs::File,
}

/// What is left of a batch when a later change of a row stands for the earlier ones.
#[derive(Debug, Default)]
struct Batch {
    wiped: bool,
    rows: BTreeMap<Collection, BTreeMap<u64, Option<String>>>,
    saved: Vec<SavedReply>,
    forget_below: Option<u64>,
}

impl Batch {
    fn of(changes: Vec<Change>) -> Self {
        let mut batch = Self::default();
        for change in changes {
            match change {
                Change::Row(collection, number, json) => {
                    batch.rows.entry(collection).or_default().insert(number, json);
                }
                Change::Saved(saved, below) => {
                    batch.saved.push(saved);
                    batch.forget_below = Some(below);
                }
                Change::Wiped => batch = Self { wiped: true, ..Self::default() },
            }
        }
        batch
    }
}

impl File {
    pub(crate) async fn open(path: &Path, sync: Sync) -> anyhow::Result<Self> {
        let lock = lock(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(match sync {
                Sync::Normal => SqliteSynchronous::Normal,
                Sync::Full => SqliteSynchronous::Full,
            });
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await?;
        Ok(Self { connection, lock })
    }

    /// Reads everything into an empty book.
    pub(crate) async fn load(&mut self, book: &mut Book) -> anyhow::Result<()> {
        self.load_rows::<Account>(book).await?;
        self.load_rows::<Project>(book).await?;
        self.load_rows::<User>(book).await?;
        self.load_rows::<Membership>(book).await?;
        for row in sqlx::query(SELECT_NUMBERING).fetch_all(&mut self.connection).await? {
            let (name, last): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            let last = u64::try_from(last).context("the numbering is negative")?;
            match Collection::ALL.into_iter().find(|collection| collection.as_str() == name) {
                Some(Collection::Accounts) => book.accounts.continue_after(last),
                Some(Collection::Projects) => book.projects.continue_after(last),
                Some(Collection::Users) => book.users.continue_after(last),
                Some(Collection::Memberships) => book.memberships.continue_after(last),
                None => anyhow::bail!("the numbering names an unknown collection"),
            }
        }
        for row in sqlx::query(SELECT_REPLIES).fetch_all(&mut self.connection).await? {
            let (number, status): (i64, i64) = (row.try_get(0)?, row.try_get(3)?);
            book.saved.insert(SavedReply {
                number: u64::try_from(number).context("a reply's number is negative")?,
                key: row.try_get(1)?,
                fingerprint: row.try_get(2)?,
                status: u16::try_from(status).context("a reply's status is no status")?,
                body: row.try_get(4)?,
            });
        }
        Ok(())
    }

    async fn load_rows<R: Row>(&mut self, book: &mut Book) -> anyhow::Result<()> {
        for row in sqlx::query(Statements::of(R::KIND).select).fetch_all(&mut self.connection).await? {
            let (number, json): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
            let number = u64::try_from(number).context("a row's number is negative")?;
            let record = serde_json::from_str(&json)
                .with_context(|| format!("row {number} of {} is damaged", R::KIND.as_str()))?;
            R::table_mut(book).put(number, record);
        }
        Ok(())
    }

    /// Writes the changes in one transaction.
    pub(crate) async fn write(&mut self, changes: Vec<Change>) -> anyhow::Result<()> {
        let batch = Batch::of(changes);
        let mut transaction = self.connection.begin().await?;
        if batch.wiped {
            sqlx::raw_sql(WIPE).execute(&mut *transaction).await?;
        }
        for (collection, rows) in batch.rows {
            let statements = Statements::of(collection);
            let last = rows.keys().next_back().copied().unwrap_or(0);
            let mut put = JsonList::default();
            let mut gone = JsonList::default();
            for (number, json) in rows {
                match json {
                    Some(json) => put.push(&format!("[{number},{json}]")),
                    None => gone.push(&number.to_string()),
                }
            }
            for (statement, list) in [(statements.put, put), (statements.delete, gone)] {
                if let Some(text) = list.text() {
                    sqlx::query(statement).bind(text).execute(&mut *transaction).await?;
                }
            }
            sqlx::query(PUT_NUMBERING)
                .bind(collection.as_str())
                .bind(i64::try_from(last)?)
                .execute(&mut *transaction)
                .await?;
        }
        let mut saved = JsonList::default();
        for reply in batch.saved {
            let SavedReply { number, key, fingerprint, status, body } = reply;
            saved.push(&serde_json::to_string(&(number, key, fingerprint, status, body))?);
        }
        if let Some(text) = saved.text() {
            sqlx::query(PUT_REPLIES).bind(text).execute(&mut *transaction).await?;
        }
        if let Some(below) = batch.forget_below {
            sqlx::query(DELETE_REPLIES).bind(i64::try_from(below)?).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Closes the file in good order.
    pub(crate) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the store did not close in good order; what it acknowledged is in it");
        }
        // By name, because a child process that is just starting may share the file for a moment.
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the store's lock could not be given back");
        }
    }
}

/// Two processes with a book each would overwrite each other's rows: the second one is turned away.
fn lock(path: &Path) -> anyhow::Result<std::fs::File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let file = std::fs::File::options().create(true).truncate(false).write(true).open(beside)?;
    file.try_lock().context("another process keeps its records in this file")?;
    Ok(file)
}

/// A JSON list that is put together from encoded parts.
#[derive(Debug, Default)]
struct JsonList(String);

impl JsonList {
    fn push(&mut self, encoded: &str) {
        self.0.push(if self.0.is_empty() { '[' } else { ',' });
        self.0.push_str(encoded);
    }

    /// The list, unless it is empty.
    fn text(mut self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        self.0.push(']');
        Some(self.0)
    }
}
