//! The statements: put, take, settle, count.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Clock, Depth, Micros, QueueError, Settle};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use sqlx::{Row, Sqlite};
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::Options;
use super::failure::classify;
use super::file::Connections;
use crate::wire::Message;

/// One open file.
#[derive(Debug)]
pub(super) struct Store {
    file: PathBuf,
    connections: Connections,
    /// Queues this process's writers up fairly; SQLite's own waiting is a sleep.
    writer: Mutex<()>,
    clock: Arc<dyn Clock>,
    pub(super) lease: Duration,
    /// Rings when there may be something to take.
    pub(super) arrived: Notify,
}

/// A row that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) grip: Grip,
    pub(super) body: Vec<u8>,
}

/// What proves that a row is still held: another take changes `deliveries`, another consumer `owner`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grip {
    pub(super) id: i64,
    pub(super) owner: i64,
    pub(super) deliveries: i64,
}

impl Store {
    pub(super) async fn open(
        options: Options,
        tune: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> Result<Self, QueueError> {
        let connections = Connections::open(&options.file, tune).await?;
        Ok(Self {
            file: options.file,
            connections,
            writer: Mutex::new(()),
            clock: options.clock,
            lease: options.lease,
            arrived: Notify::new(),
        })
    }

    /// Stores messages in one durable transaction.
    pub(super) async fn put(&self, messages: &[Message]) -> Result<(), QueueError> {
        let mut writing = self.begin(&self.connections.durable, "storing parcels").await?;
        let stored = async {
            for message in messages {
                sqlx::query("insert into message (message_id, body) values (?1, ?2)")
                    .bind(message.id.to_string())
                    .bind(message.body.as_slice())
                    .execute(&mut *writing.connection)
                    .await?;
            }
            Ok(())
        };
        let stored = stored.await;
        writing.end(stored).await?;
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Enters a consumer and gives it its number, which is never given twice.
    pub(super) async fn enter(&self) -> Result<i64, QueueError> {
        let mut writing = self.begin(&self.connections.swift, "entering a consumer").await?;
        let entered = sqlx::query_scalar("insert into consumer (lease_until) values (?1) returning id")
            .bind(self.lease_end())
            .fetch_one(&mut *writing.connection)
            .await;
        writing.end(entered).await
    }

    /// Renews a lease and frees what the dead hold; `false` when the lease was taken away meanwhile.
    pub(super) async fn renew(&self, owner: i64) -> Result<bool, QueueError> {
        let mut writing = self.begin(&self.connections.swift, "renewing a lease").await?;
        let renewed = async {
            let connection = &mut *writing.connection;
            let renewed = sqlx::query("update consumer set lease_until = ?1 where id = ?2")
                .bind(self.lease_end())
                .bind(owner)
                .execute(&mut *connection)
                .await?;
            let freed = sqlx::query(
                "update message set owner = null
                  where owner not in (select id from consumer where lease_until > ?1 and lease_until <= ?2)",
            )
            .bind(self.clock.micros())
            .bind(self.latest_end())
            .execute(&mut *connection)
            .await?;
            sqlx::query("delete from consumer where lease_until <= ?1 or lease_until > ?2")
                .bind(self.clock.micros())
                .bind(self.latest_end())
                .execute(&mut *connection)
                .await?;
            Ok((renewed.rows_affected() > 0, freed.rows_affected()))
        };
        let renewed = renewed.await;
        let (renewed, freed) = writing.end(renewed).await?;
        if freed > 0 {
            tracing::info!(messages = freed, "took back messages of a consumer that fell silent");
            self.arrived.notify_waiters();
        }
        Ok(renewed)
    }

    /// Takes at most `room` messages, oldest first.
    pub(super) async fn take(&self, owner: i64, room: usize) -> Result<Vec<Taken>, QueueError> {
        let failed = self.failed("taking parcels");
        let now = self.clock.micros();
        // Looking costs no lock, so an idle consumer never holds up a publisher.
        let any = sqlx::query("select 1 from message where owner is null and due <= ?1 limit 1").bind(now);
        if any.fetch_optional(&self.connections.read).await.map_err(failed)?.is_none() {
            return Ok(Vec::new());
        }
        let mut writing = self.begin(&self.connections.swift, "taking parcels").await?;
        let rows = sqlx::query(
            "update message set owner = ?1, deliveries = deliveries + 1
              where id in (select id from message where owner is null and due <= ?2 order by id limit ?3)
             returning id, deliveries, body",
        )
        .bind(owner)
        .bind(now)
        .bind(i64::try_from(room).unwrap_or(i64::MAX))
        .fetch_all(&mut *writing.connection)
        .await;
        let rows = writing.end(rows).await?;
        let mut taken = rows
            .iter()
            .map(|row| {
                let grip = Grip { id: row.try_get(0)?, owner, deliveries: row.try_get(1)? };
                Ok(Taken { grip, body: row.try_get(2)? })
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        taken.sort_unstable_by_key(|one| one.grip.id);
        Ok(taken)
    }

    /// Settles a row, if it is still held.
    pub(super) async fn settle(&self, grip: Grip, how: Settle) -> Result<(), QueueError> {
        let now = self.clock.micros();
        let held = |statement: &'static str| {
            sqlx::query(statement).bind(grip.id).bind(grip.owner).bind(grip.deliveries)
        };
        let back = |due: Micros| {
            held("update message set owner = null, due = ?4 where id = ?1 and owner = ?2 and deliveries = ?3")
                .bind(due)
        };
        let forget = || held("delete from message where id = ?1 and owner = ?2 and deliveries = ?3");
        let mut writing = self.begin(&self.connections.swift, "settling a parcel").await?;
        let settled = async {
            let connection = &mut *writing.connection;
            match how {
                Settle::Done => forget().execute(connection).await,
                Settle::GiveBack => back(0).execute(connection).await,
                Settle::Delay(millis) => {
                    let wait = i64::try_from(millis).unwrap_or(i64::MAX).saturating_mul(1000);
                    back(now.saturating_add(wait)).execute(connection).await
                }
                Settle::Bury(reason) => {
                    held(
                        "insert into dead (buried_at, reason, message_id, body)
                         select ?4, ?5, message_id, body from message where id = ?1 and owner = ?2 and deliveries = ?3",
                    )
                    .bind(now)
                    .bind(reason)
                    .execute(&mut *connection)
                    .await?;
                    forget().execute(connection).await
                }
            }
        };
        let settled = settled.await;
        writing.end(settled).await?;
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Gives back all that a consumer holds, and strikes it out.
    pub(super) async fn leave(&self, owner: i64) -> Result<(), QueueError> {
        let mut writing = self.begin(&self.connections.swift, "giving parcels back").await?;
        let left = async {
            for statement in
                ["update message set owner = null where owner = ?1", "delete from consumer where id = ?1"]
            {
                sqlx::query(statement).bind(owner).execute(&mut *writing.connection).await?;
            }
            Ok(())
        };
        let left = left.await;
        writing.end(left).await?;
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Counts, as of one instant. What a dead consumer holds counts as ready.
    pub(super) async fn depth(&self) -> Result<Depth, QueueError> {
        let failed = self.failed("counting parcels");
        let row = sqlx::query(
            "select count(*) filter (where not held and due <= ?1), count(*) filter (where held),
                    count(*) filter (where not held and due > ?1), (select count(*) from dead)
               from (select due, owner is not null and owner in
                            (select id from consumer where lease_until > ?1 and lease_until <= ?2) as held
                       from message)",
        )
        .bind(self.clock.micros())
        .bind(self.latest_end())
        .fetch_one(&self.connections.read)
        .await
        .map_err(failed)?;
        let count = |index: usize| -> Result<u64, QueueError> {
            let count: i64 = row.try_get(index).map_err(failed)?;
            Ok(u64::try_from(count).unwrap_or(0))
        };
        Ok(Depth { ready: count(0)?, unsettled: count(1)?, delayed: count(2)?, dead: count(3)? })
    }

    /// Begins a write. It must be ended: whoever calls runs to the end, whatever its own caller does.
    async fn begin<'a>(&'a self, pool: &SqlitePool, doing: &'static str) -> Result<Writing<'a>, QueueError> {
        let turn = self.writer.lock().await;
        let failed = self.failed(doing);
        let mut connection = pool.acquire().await.map_err(failed)?;
        sqlx::query("begin immediate").execute(&mut *connection).await.map_err(failed)?;
        Ok(Writing { connection, store: self, doing, _turn: turn })
    }

    fn lease_end(&self) -> Micros {
        self.clock.micros().saturating_add(i64::try_from(self.lease.as_micros()).unwrap_or(i64::MAX))
    }

    /// A lease that ends later than any can was given by a clock that has been set back since.
    fn latest_end(&self) -> Micros {
        let twice = self.lease.saturating_mul(2);
        self.clock.micros().saturating_add(i64::try_from(twice.as_micros()).unwrap_or(i64::MAX))
    }

    fn failed(&self, doing: &'static str) -> impl Fn(sqlx::Error) -> QueueError + Copy + '_ {
        move |error| classify(&self.file, doing, &error)
    }
}

/// A write under way. SQLite ends a transaction by itself when the disk is full, which the driver's own transactions
/// do not expect, so begin and end are plain statements here.
struct Writing<'a> {
    connection: PoolConnection<Sqlite>,
    store: &'a Store,
    doing: &'static str,
    _turn: MutexGuard<'a, ()>,
}

impl Writing<'_> {
    /// Commits what went well, and takes back what did not.
    async fn end<T>(mut self, result: Result<T, sqlx::Error>) -> Result<T, QueueError> {
        let committed = match result {
            Ok(value) => sqlx::query("commit").execute(&mut *self.connection).await.map(|_| value),
            Err(error) => Err(error),
        };
        if committed.is_err() {
            // Fails where SQLite has done it already.
            drop(sqlx::query("rollback").execute(&mut *self.connection).await);
        }
        committed.map_err(self.store.failed(self.doing))
    }
}
