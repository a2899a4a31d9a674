//! PostgreSQL.

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
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{Arguments, ConnectOptions, Executor};

use crate::catalogue::{Described, Form};
use crate::driver::{Bind, Driver};
use crate::fault::{Fault, without_quoted};
use crate::gauge::{Gauge, Reading};
use crate::options::{Options, Server, Tls};
use crate::pool::{Connect, GRACE, Pool, within};
use crate::sql::{Dialect, Statement};

/// The PostgreSQL driver.
pub(crate) struct Postgres {
    at: String,
    patience: Duration,
    pool: Pool<Maker>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Postgres {
    pub(crate) fn new(server: &Server, options: &Options) -> Self {
        let limit = options.statement_timeout.as_millis().to_string();
        let mut connect = PgConnectOptions::new_without_pgpass()
            .host(&server.host)
            .port(server.port)
            .username(&server.user)
            .database(&server.database)
            .application_name(&options.application_name)
            .ssl_mode(match server.tls {
                Tls::Verify => PgSslMode::VerifyFull,
                Tls::Plaintext => PgSslMode::Disable,
            })
            .extra_float_digits(3)
            .statement_cache_capacity(256)
            .options([
                ("default_transaction_read_only", "on"),
                ("timezone", "UTC"),
                ("datestyle", "ISO, YMD"),
                ("intervalstyle", "postgres"),
                ("bytea_output", "hex"),
                ("statement_timeout", limit.as_str()),
            ])
            .disable_statement_logging();
        if let Some(password) = &server.password {
            connect = connect.password(password);
        }
        if let Some(file) = &server.ca_file {
            connect = connect.ssl_root_cert(file);
        }
        Self {
            at: format!("{}:{}", server.host, server.port),
            patience: options.statement_timeout + GRACE,
            pool: Pool::new(Maker(connect), options.connections),
        }
    }

    async fn within<T>(&self, work: impl Future<Output = Result<T, sqlx::Error>> + Send) -> Result<T, Fault> {
        within(self.patience, work, fault).await
    }
}

struct Maker(PgConnectOptions);

#[async_trait]
impl Connect for Maker {
    type Connection = PgConnection;

    async fn connect(&self) -> Result<PgConnection, Fault> {
        let mut connection = self.0.connect().await.map_err(|error| fault(&error))?;
        // Only where the server knows them: a page is planned for its own limit, and never compiled.
        sqlx::query(
            "select set_config(name, case name when 'jit' then 'off' else 'force_custom_plan' end, false) \
             from pg_catalog.pg_settings where name in ('jit', 'plan_cache_mode')",
        )
        .execute(&mut connection)
        .await
        .map_err(|error| fault(&error))?;
        Ok(connection)
    }
}

#[async_trait]
impl Driver for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
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
        let types: Vec<_> = statement.slots().iter().map(decode::bound_type).collect();
        self.within(lease.connection.prepare_with(statement.sql(), &types)).await?;
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
        let mut arguments = PgArguments::default();
        for bind in binds {
            match bind {
                Bind::Text(text) => arguments.add(text),
                Bind::Int(number) => arguments.add(number),
                Bind::Float(number) => arguments.add(number),
                Bind::Bytes(bytes) => arguments.add(bytes),
                Bind::Texts(texts) => arguments.add(texts),
                Bind::Unsigned(number) => arguments.add(number.to_string()),
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
}

fn fault(error: &sqlx::Error) -> Fault {
    let sqlx::Error::Database(database) = error else { return Fault::of_driver(error) };
    let code = database.code().unwrap_or_default();
    let message = database.message();
    match &*code {
        "57014" => Fault::Timeout,
        "28000" | "28P01" | "3D000" => Fault::Credentials(message.to_owned()),
        "42501" => Fault::Refused {
            cause: message.to_owned(),
            hint: Some("grant the source's user `select` on it".to_owned()),
        },
        "42883" | "42804" => Fault::Refused {
            cause: message.to_owned(),
            hint: Some("key, reference and parent columns must have comparable types".to_owned()),
        },
        // Data exceptions: the message shows the value.
        code if code.starts_with("22") => Fault::Refused {
            cause: format!("{} (SQLSTATE {code})", without_quoted(message)),
            hint: Some("a key or a filter holds what its column's type cannot hold".to_owned()),
        },
        code if code.starts_with("42") => Fault::Refused { cause: message.to_owned(), hint: None },
        code if code.starts_with("08") || code.starts_with("57P") || code == "53300" => {
            Fault::Unreachable(message.to_owned())
        }
        code => Fault::Failed(format!("{} (SQLSTATE {code})", without_quoted(message))),
    }
}
