//! Transactions on the server, begun anew when others come between.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use haulier_core::port::LedgerError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Executor, PgConnection, Row};
use tokio::time::{Instant, sleep, timeout};

use super::error::{came_between, is_lost, ledger_error, of_fault};
use super::options::{PostgresOptions, Tls};
use super::pool::Pool;
use super::schema;
use super::session::Session;
use crate::conn::{Backend, Fault, Work};

/// How often a call is begun.
const ATTEMPTS: u32 = 10;
/// A connection that gives no answer for so long is given up; so is a question about a commit.
const PATIENCE: Duration = Duration::from_mins(2);
/// Parts of the counts: transactions of one process rarely wait for each other's.
const SHARDS: i64 = 16;

#[derive(Debug)]
pub(crate) struct Server {
    at: Arc<str>,
    pool: Pool,
    next_shard: AtomicI64,
}

/// How a transaction ended that gave no answer.
enum End<T> {
    /// It did not happen, for a reason that may be gone the next time.
    Passing(Fault),
    /// It did not happen.
    Failed(Fault),
    /// The connection broke while it was committed. It has this number, where a repeat would not do, and this answer.
    Unclear(sqlx::Error, Option<String>, T),
}

impl<T> End<T> {
    fn of(fault: Fault) -> Self {
        match &fault {
            Fault::Again => Self::Passing(fault),
            Fault::Database(error) if came_between(error) || is_lost(error) => Self::Passing(fault),
            Fault::Database(_) | Fault::Ledger(_) => Self::Failed(fault),
        }
    }
}

impl Server {
    pub(crate) async fn open(options: &PostgresOptions) -> Result<Self, LedgerError> {
        let at: Arc<str> = format!("{}:{}", options.host, options.port).into();
        // A plan that was made for an empty table must not walk the whole of a full one.
        let settings = format!(
            "SET search_path TO {}; SET default_transaction_isolation TO 'read committed'; SET timezone TO 'UTC'; \
             SET enable_seqscan TO off; SET plan_cache_mode TO force_generic_plan; SET jit TO off; \
             SET idle_in_transaction_session_timeout TO '5min'",
            schema::quoted(&options.schema)
        );
        let pool = Pool::new(connect_options(options), settings, options.connections);
        let fail = |error: &sqlx::Error| ledger_error(&at, "connecting", error);
        let mut lease = pool.take().await.map_err(|error| fail(&error))?;
        schema::migrate(&mut lease.conn, &options.schema, &at).await?;
        pool.keep(lease);
        Ok(Self { at, pool, next_shard: AtomicI64::default() })
    }

    /// One transaction.
    async fn once<W: Work>(&self, work: &W, shard: i64, careful: bool) -> Result<W::Out, End<W::Out>> {
        let lost = |error| End::of(Fault::Database(error));
        let mut lease = self.pool.take().await.map_err(lost)?;
        let conn = &mut lease.conn;
        let mut session = Session::writing(conn, careful);
        let done = match work.run(&mut session).await {
            Ok(out) => session.finish(shard).await.map(|()| out),
            Err(fault) => Err(fault),
        };
        let done = match done {
            Ok(out) if W::REPEATABLE => Ok((out, None)),
            Ok(out) => number(conn).await.map(|number| (out, Some(number))).map_err(Fault::Database),
            Err(fault) => Err(fault),
        };
        let (out, number) = match done {
            Ok(done) => done,
            Err(fault) => {
                if conn.execute("ROLLBACK").await.is_ok() {
                    self.pool.keep(lease);
                }
                return Err(End::of(fault));
            }
        };
        match conn.execute("COMMIT").await {
            Ok(_) => {
                self.pool.keep(lease);
                Ok(out)
            }
            Err(error) if is_lost(&error) => Err(End::Unclear(error, number, out)),
            Err(error) => Err(lost(error)),
        }
    }

    /// A question, outside of any transaction.
    async fn ask<W: Work>(&self, work: &W) -> Result<W::Out, Fault> {
        let mut lease = self.pool.take().await?;
        let out = work.run(&mut Session::reading(&mut lease.conn)).await?;
        self.pool.keep(lease);
        Ok(out)
    }

    /// Whether the transaction with this number was committed. Asks until the server answers.
    async fn happened(&self, number: &str) -> Result<bool, LedgerError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let error = match self.status(number).await {
                Ok(Some(status)) if status == "committed" => return Ok(true),
                Ok(Some(status)) if status == "aborted" => return Ok(false),
                // It is still at it.
                Ok(_) => sqlx::Error::PoolTimedOut,
                Err(error) => error,
            };
            if Instant::now() > until {
                return Err(ledger_error(&self.at, "asking for the end of a transaction", &error));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn status(&self, number: &str) -> Result<Option<String>, sqlx::Error> {
        let mut lease = self.pool.take().await?;
        let query = sqlx::query("SELECT pg_xact_status(CAST($1 AS xid8))").bind(number);
        let status = query.fetch_one(&mut lease.conn).await?.try_get(0)?;
        self.pool.keep(lease);
        Ok(status)
    }
}

impl Backend for Server {
    async fn write<W: Work>(&self, work: W) -> Result<W::Out, LedgerError> {
        let shard = self.next_shard.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let fail = |fault: Fault| of_fault(&self.at, W::DOING, &fault);
        let mut attempt = 1;
        loop {
            let Ok(end) = timeout(PATIENCE, self.once(&work, shard, attempt > 1)).await else {
                return Err(fail(Fault::Database(sqlx::Error::PoolTimedOut)));
            };
            let fault = match end {
                Ok(out) => return Ok(out),
                Err(End::Failed(fault)) => return Err(fail(fault)),
                Err(End::Passing(fault)) => fault,
                Err(End::Unclear(error, None, _)) => return Err(fail(Fault::Database(error))),
                Err(End::Unclear(error, Some(number), out)) => {
                    self.pool.forget();
                    if self.happened(&number).await? {
                        return Ok(out);
                    }
                    Fault::Database(error)
                }
            };
            if attempt == ATTEMPTS {
                return Err(fail(fault));
            }
            if matches!(&fault, Fault::Database(error) if is_lost(error)) {
                self.pool.forget();
            }
            // The first time it is mostly that the fast path was wrong.
            if attempt > 1 {
                sleep(Duration::from_millis(u64::from(attempt) * 5)).await;
            }
            attempt += 1;
        }
    }

    async fn read<W: Work>(&self, work: W) -> Result<W::Out, LedgerError> {
        let mut attempt = 1;
        loop {
            let ask = timeout(PATIENCE, self.ask(&work)).await;
            let fault = match ask.unwrap_or(Err(Fault::Database(sqlx::Error::PoolTimedOut))) {
                Ok(out) => return Ok(out),
                Err(fault) => fault,
            };
            // A connection that broke while nobody used it is noticed now.
            if attempt == ATTEMPTS || !matches!(&fault, Fault::Database(error) if is_lost(error)) {
                return Err(of_fault(&self.at, W::DOING, &fault));
            }
            self.pool.forget();
            sleep(Duration::from_millis(u64::from(attempt) * 5)).await;
            attempt += 1;
        }
    }
}

async fn number(conn: &mut PgConnection) -> Result<String, sqlx::Error> {
    conn.fetch_one("SELECT CAST(pg_current_xact_id() AS TEXT)").await?.try_get(0)
}

fn connect_options(options: &PostgresOptions) -> PgConnectOptions {
    let connect = PgConnectOptions::new_without_pgpass()
        .host(&options.host)
        .port(options.port)
        .username(&options.user)
        .database(&options.database)
        .application_name("haulier-ledger")
        .ssl_mode(match &options.tls {
            Tls::Off => PgSslMode::Disable,
            Tls::System | Tls::Authorities(_) => PgSslMode::VerifyFull,
        });
    let connect = match &options.password {
        Some(password) => connect.password(password),
        None => connect,
    };
    match &options.tls {
        Tls::Authorities(file) => connect.ssl_root_cert(file),
        Tls::Off | Tls::System => connect,
    }
}
