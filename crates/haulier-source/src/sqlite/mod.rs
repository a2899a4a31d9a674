//! SQLite.

mod catalogue;
mod decode;
mod schema;

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use haulier_core::Value;
use haulier_core::plan::Relation;
use haulier_core::schema::Schema;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteConnection};
use sqlx::{Arguments, ConnectOptions, Executor};

use crate::catalogue::{Described, Form};
use crate::driver::{Bind, Driver};
use crate::fault::Fault;
use crate::gauge::{Gauge, Reading};
use crate::options::Options;
use crate::pool::{Connect, Lease, Pool};
use crate::sql::{Dialect, Statement};

/// How many steps of SQLite's machine pass between two looks at the clock.
const STEPS: i32 = 10_000;

/// The SQLite driver.
pub(crate) struct Sqlite {
    at: String,
    limit: Duration,
    pool: Pool<Maker>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Sqlite {
    pub(crate) fn new(path: &Path, options: &Options) -> Self {
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .create_if_missing(false)
            .busy_timeout(options.statement_timeout)
            .pragma("query_only", "on")
            .statement_cache_capacity(256)
            .row_buffer_size(256)
            .disable_statement_logging();
        Self {
            at: path.display().to_string(),
            limit: options.statement_timeout,
            pool: Pool::new(Maker(connect), options.connections),
        }
    }

    /// A connection whose next statement is stopped when its time is over.
    async fn lease(&self) -> Result<Lease<'_, Maker>, Fault> {
        let mut lease = self.pool.lease().await?;
        let deadline = Instant::now() + self.limit;
        let mut handle = lease.connection.lock_handle().await.map_err(|error| fault(&error))?;
        handle.set_progress_handler(STEPS, move || Instant::now() < deadline);
        drop(handle);
        Ok(lease)
    }
}

struct Maker(SqliteConnectOptions);

#[async_trait]
impl Connect for Maker {
    type Connection = SqliteConnection;

    async fn connect(&self) -> Result<SqliteConnection, Fault> {
        self.0.connect().await.map_err(|error| fault(&error))
    }
}

#[async_trait]
impl Driver for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn at(&self) -> &str {
        &self.at
    }

    async fn describe(&self, relation: &Relation) -> Result<Option<Described>, Fault> {
        let mut lease = self.lease().await?;
        let described =
            catalogue::describe(&mut lease.connection, relation).await.map_err(|error| fault(&error))?;
        lease.give_back();
        Ok(described)
    }

    async fn relations(&self) -> Result<Vec<String>, Fault> {
        let mut lease = self.lease().await?;
        let names = catalogue::relations(&mut lease.connection).await.map_err(|error| fault(&error))?;
        lease.give_back();
        Ok(names)
    }

    async fn prepare(&self, statement: &Statement) -> Result<(), Fault> {
        let mut lease = self.lease().await?;
        lease.connection.prepare(statement.sql()).await.map_err(|error| fault(&error))?;
        lease.give_back();
        Ok(())
    }

    async fn each(
        &self,
        statement: &Statement,
        binds: Vec<Bind>,
        forms: &[Form],
        take: &mut (dyn for<'v> FnMut(&'v mut Vec<Value>) + Send),
    ) -> Result<(), Fault> {
        let mut arguments = SqliteArguments::default();
        for bind in binds {
            match bind {
                Bind::Text(text) => arguments.add(text),
                Bind::Int(number) => arguments.add(number),
                Bind::Float(number) => arguments.add(number),
                Bind::Bytes(bytes) => arguments.add(bytes),
                Bind::Unsigned(number) => arguments.add(number.to_string()),
                Bind::Texts(texts) => arguments.add(texts.join(",")),
            }
            .map_err(|error| Fault::Failed(error.to_string()))?;
        }
        let mut lease = self.lease().await?;
        {
            let mut values = Vec::new();
            let mut stream = sqlx::query_with(statement.sql(), arguments).fetch(&mut lease.connection);
            while let Some(row) = stream.try_next().await.map_err(|error| fault(&error))? {
                decode::row(&row, forms, &mut values);
                take(&mut values);
            }
        }
        lease.give_back();
        Ok(())
    }

    async fn schema(&self) -> Result<Schema, Fault> {
        let mut lease = self.lease().await?;
        let schema = schema::read(&mut lease.connection).await.map_err(|error| fault(&error))?;
        lease.give_back();
        Ok(schema)
    }

    fn reading(&self, gauge: &Gauge) -> Reading {
        Reading::Missing(match gauge {
            Gauge::Lag => "a SQLite file has no replica",
            Gauge::Load => "a SQLite file has no server whose load could be read",
            Gauge::OldestTransaction => "SQLite does not tell of transactions",
            Gauge::Query(_) => "it is the operator's own query",
        })
    }
}

fn fault(error: &sqlx::Error) -> Fault {
    let sqlx::Error::Database(database) = error else { return Fault::of_driver(error) };
    let code: i32 = database.code().and_then(|code| code.parse().ok()).unwrap_or(0);
    let message = database.message().to_owned();
    // The low byte is the primary result code.
    match code & 0xff {
        9 => Fault::Timeout,
        10 | 14 => Fault::Unreachable(message),
        26 => Fault::Unreachable(format!("{message}; an encrypted or foreign file")),
        1 => Fault::Refused { cause: message, hint: None },
        _ => Fault::Failed(message),
    }
}
