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
/// How long is asked for the end of a commit that gave no answer.
const PATIENCE: Duration = Duration::from_mins(2);
/// What takes a moment where anybody answers at all.
const SHORT: Duration = Duration::from_secs(10);
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
    /// The server gave no answer, and was not asked to commit.
    Silent,
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
        // A plan that was made for an empty table must not walk the whole of a full one. A process whose host died or sleeps
        // in the middle of a transaction must not keep its locks from the others.
        let settings = format!(
            "SET search_path TO {}; SET default_transaction_isolation TO 'read committed'; SET timezone TO 'UTC'; \
             SET enable_seqscan TO off; SET plan_cache_mode TO force_generic_plan; SET jit TO off; \
             SET idle_in_transaction_session_timeout TO '10s'",
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
        let mut lease = self.pool.take().await.map_err(|error| End::of(Fault::Database(error)))?;
        let done = timeout(W::PATIENCE, within(&mut lease.conn, work, shard, careful)).await;
        let (out, number) = match done {
            Ok(Ok(done)) => done,
            Ok(Err(fault)) => {
                if matches!(timeout(SHORT, lease.conn.execute("ROLLBACK")).await, Ok(Ok(_))) {
                    self.pool.keep(lease);
                }
                return Err(End::of(fault));
            }
            // The connection goes, and the server ends what it was doing there.
            Err(_) => return Err(End::Silent),
        };
        match timeout(W::PATIENCE, lease.conn.execute("COMMIT")).await {
            Ok(Ok(_)) => {
                self.pool.keep(lease);
                Ok(out)
            }
            Ok(Err(error)) if is_lost(&error) => Err(End::Unclear(error, number, out)),
            Ok(Err(error)) => Err(End::of(Fault::Database(error))),
            Err(_) => Err(End::Unclear(sqlx::Error::PoolTimedOut, number, out)),
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
            let error = match timeout(SHORT, self.status(number)).await {
                Ok(Ok(Some(status))) if status == "committed" => return Ok(true),
                Ok(Ok(Some(status))) if status == "aborted" => return Ok(false),
                // It is still at it.
                Ok(Ok(_)) | Err(_) => sqlx::Error::PoolTimedOut,
                Ok(Err(error)) => error,
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
            let fault = match self.once(&work, shard, attempt > 1).await {
                Ok(out) => return Ok(out),
                Err(End::Silent) => {
                    // The other connections are as old, and may be as dead.
                    self.pool.forget();
                    return Err(fail(Fault::Database(sqlx::Error::PoolTimedOut)));
                }
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
            let ask = timeout(W::PATIENCE, self.ask(&work)).await;
            let fault = match ask {
                Ok(Ok(out)) => return Ok(out),
                Ok(Err(fault)) => fault,
                Err(_) => {
                    self.pool.forget();
                    Fault::Database(sqlx::Error::PoolTimedOut)
                }
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

/// What a transaction does before its commit: the answer, and its number where a repeat would not do.
async fn within<W: Work>(
    conn: &mut PgConnection,
    work: &W,
    shard: i64,
    careful: bool,
) -> Result<(W::Out, Option<String>), Fault> {
    let mut session = Session::writing(conn, careful);
    let out = work.run(&mut session).await?;
    session.finish(shard).await?;
    Ok(if W::REPEATABLE { (out, None) } else { (out, Some(number(conn).await?)) })
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
