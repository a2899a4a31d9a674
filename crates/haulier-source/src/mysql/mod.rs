//! MySQL and MariaDB.

mod catalogue;
mod column;
mod decode;
mod gauge;
mod schema;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use haulier_core::Value;
use haulier_core::plan::Relation;
use haulier_core::schema::Schema;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlSslMode};
use sqlx::{Arguments, Column, ConnectOptions, Executor, Row};

use crate::catalogue::{Described, Form};
use crate::driver::{Bind, Driver};
use crate::fault::{Fault, without_quoted};
use crate::gauge::{Gauge, Reading};
use crate::options::{Options, Server, Tls};
use crate::pool::{Connect, GRACE, Pool, within};
use crate::sql::{Dialect, Statement};

/// The MySQL and MariaDB driver.
pub(crate) struct MySql {
    at: String,
    patience: Duration,
    pool: Pool<Maker>,
}

impl fmt::Debug for MySql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySql").field("at", &self.at).finish_non_exhaustive()
    }
}

impl MySql {
    pub(crate) fn new(server: &Server, options: &Options) -> Self {
        let mut connect = MySqlConnectOptions::new()
            .host(&server.host)
            .port(server.port)
            .username(&server.user)
            .database(&server.database)
            .ssl_mode(match server.tls {
                Tls::Verify => MySqlSslMode::VerifyIdentity,
                Tls::Plaintext => MySqlSslMode::Disabled,
            })
            .charset("utf8mb4")
            .timezone("+00:00".to_owned())
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .statement_cache_capacity(256)
            .disable_statement_logging();
        if let Some(password) = &server.password {
            connect = connect.password(password);
        }
        if let Some(file) = &server.ca_file {
            connect = connect.ssl_ca(file);
        }
        Self {
            at: format!("{}:{}", server.host, server.port),
            patience: options.statement_timeout + GRACE,
            pool: Pool::new(Maker { connect, limit: options.statement_timeout }, options.connections),
        }
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>> + Send) -> Result<T, Fault> {
        within(self.patience, work, fault).await
    }
}

struct Maker {
    connect: MySqlConnectOptions,
    limit: Duration,
}

#[async_trait]
impl Connect for Maker {
    type Connection = MySqlConnection;

    async fn connect(&self) -> Result<MySqlConnection, Fault> {
        let mut connection = self.connect.connect().await.map_err(|error| fault(&error))?;
        prepare_session(&mut connection, self.limit).await.map_err(|error| fault(&error))?;
        Ok(connection)
    }
}

/// Read-only, with a limit for each statement, and without modes that change what a read returns.
async fn prepare_session(connection: &mut MySqlConnection, limit: Duration) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql("set session transaction read only")).await?;
    connection.execute(sqlx::raw_sql("set session sql_mode = ''")).await?;
    let version = sqlx::query("select version()").fetch_one(&mut *connection).await?;
    if version.try_get_unchecked::<String, _>(0)?.contains("MariaDB") {
        let set = sqlx::query("set session max_statement_time = ?").bind(limit.as_secs_f64());
        set.execute(connection).await?;
    } else {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        sqlx::query("set session max_execution_time = ?").bind(millis).execute(connection).await?;
    }
    Ok(())
}

#[async_trait]
impl Driver for MySql {
    fn dialect(&self) -> Dialect {
        Dialect::MySql
    }

    fn at(&self) -> &str {
        &self.at
    }

    async fn describe(&self, relation: &Relation) -> Result<Option<Described>, Fault> {
        let mut lease = self.pool.lease().await?;
        let described = self.within(catalogue::describe(&mut lease.connection, relation)).await?;
        lease.give_back();
        Ok(described)
    }

    async fn relations(&self) -> Result<Vec<String>, Fault> {
        let mut lease = self.pool.lease().await?;
        let names = self.within(catalogue::relations(&mut lease.connection)).await?;
        lease.give_back();
        Ok(names)
    }

    async fn prepare(&self, statement: &Statement) -> Result<(), Fault> {
        let mut lease = self.pool.lease().await?;
        self.within(lease.connection.prepare(statement.sql())).await?;
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
        let mut arguments = MySqlArguments::default();
        for bind in binds {
            match bind {
                Bind::Text(text) => arguments.add(text),
                Bind::Int(number) => arguments.add(number),
                Bind::Float(number) => arguments.add(number),
                Bind::Bytes(bytes) => arguments.add(bytes),
                Bind::Unsigned(number) => arguments.add(number),
                Bind::Texts(texts) => arguments.add(texts.join(",")),
            }
            .map_err(|error| Fault::Failed(error.to_string()))?;
        }
        let mut lease = self.pool.lease().await?;
        let query = sqlx::query_with(statement.sql(), arguments);
        let read = async {
            let mut values = Vec::new();
            let mut stream = query.fetch(&mut lease.connection);
            while let Some(row) = stream.try_next().await? {
                decode::row(&row, forms, &mut values);
                take(&mut values);
            }
            Ok(())
        };
        self.within(read).await?;
        lease.give_back();
        Ok(())
    }

    async fn schema(&self) -> Result<Schema, Fault> {
        let mut lease = self.pool.lease().await?;
        let schema = self.within(schema::read(&mut lease.connection)).await?;
        lease.give_back();
        Ok(schema)
    }

    fn reading(&self, gauge: &Gauge) -> Reading {
        gauge::reading(gauge)
    }

    async fn shown(
        &self,
        statement: &'static str,
        columns: &[&str],
    ) -> Result<Option<Option<String>>, Fault> {
        let mut lease = self.pool.lease().await?;
        let rows = self.within(lease.connection.fetch_all(sqlx::raw_sql(statement))).await?;
        lease.give_back();
        let Some(row) = rows.first() else { return Ok(None) };
        let found = columns.iter().find(|name| row.columns().iter().any(|column| column.name() == **name));
        let Some(name) = found else {
            return Err(Fault::Failed(format!("`{statement}` has no column {}", columns.join(" or "))));
        };
        row.try_get_unchecked::<Option<String>, _>(*name).map(Some).map_err(|error| fault(&error))
    }
}

fn fault(error: &sqlx::Error) -> Fault {
    let sqlx::Error::Database(database) = error else { return Fault::of_driver(error) };
    let Some(server) = database.try_downcast_ref::<MySqlDatabaseError>() else {
        return Fault::Failed(without_quoted(database.message()));
    };
    let message = server.message().to_owned();
    match server.number() {
        1969 | 3024 => Fault::Timeout,
        1044 | 1045 | 1049 | 1130 | 1251 | 1524 | 1698 => Fault::Credentials(message),
        1142 | 1143 | 1356 => {
            Fault::Refused { cause: message, hint: Some("grant the source's user `select` on it".to_owned()) }
        }
        1267 | 1270 | 1271 => Fault::Refused {
            cause: message,
            hint: Some("key, reference and parent columns must have the same collation".to_owned()),
        },
        1051 | 1052 | 1054 | 1060 | 1064 | 1109 | 1146 | 1305 => {
            Fault::Refused { cause: message, hint: None }
        }
        1040 | 1053 | 1203 | 1226 => Fault::Unreachable(message),
        number => Fault::Failed(format!("{} (error {number})", without_quoted(&message))),
    }
}
