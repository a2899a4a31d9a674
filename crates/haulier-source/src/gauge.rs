//! Gauges of the source for brakes, read on connections of their own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::Value;
use haulier_core::plan::Relation;
use haulier_core::port::{Probe, ProbeError};
use haulier_core::schema::ColumnKind;
use tokio::sync::OnceCell;

use crate::catalogue::Form;
use crate::driver::Driver;
use crate::fault::Fault;
use crate::sql::{Statement, scalar};

/// What is read of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gauge {
    /// Seconds that a replica is behind: this server, where it is one, else its replicas (PostgreSQL only).
    Lag,
    /// Statements that run at this moment: active backends (PostgreSQL), `Threads_running` (MySQL, MariaDB).
    Load,
    /// The age of our own oldest transaction, in seconds.
    OldestTransaction,
    /// One number by a `select` of the operator's own.
    Query(String),
}

/// A gauge over an engine.
#[derive(Debug)]
pub(crate) struct Gauged<D> {
    driver: Arc<D>,
    gauge: Gauge,
    limit: Duration,
    scalar: OnceCell<(Statement, Form)>,
}

/// What an engine reads in its own way.
#[derive(Debug)]
pub(crate) enum Reading {
    /// By a `select` of one number.
    Query(&'static str),
    /// The first of these statements that the server understands, and a column of its only row.
    Shown(&'static [&'static str], &'static [&'static str]),
    /// There is no such gauge here.
    Missing(&'static str),
}

impl<D: Driver> Gauged<D> {
    pub(crate) fn new(driver: Arc<D>, gauge: Gauge, limit: Duration) -> Self {
        Self { driver, gauge, limit, scalar: OnceCell::new() }
    }

    async fn query(&self, text: &str) -> Result<f64, ProbeError> {
        let prepared = self.scalar.get_or_try_init(|| self.prepare(text)).await?;
        let (statement, form) = prepared;
        let rows = self.driver.fetch(statement, Vec::new(), &[*form]).await;
        let rows = rows.map_err(|fault| self.failed(fault))?;
        match rows.as_slice() {
            [row] => number(row.first()),
            [] => Err(ProbeError::Unfit("the query returns no row".to_owned())),
            _ => Err(ProbeError::Unfit("the query returns more than one row".to_owned())),
        }
    }

    /// Looks at what the query returns before it is asked for, so that a text is told from a number.
    async fn prepare(&self, text: &str) -> Result<(Statement, Form), ProbeError> {
        let relation = Relation::Query(text.to_owned());
        let described = self.driver.describe(&relation).await.map_err(|fault| self.failed(fault))?;
        let described = described.ok_or(ProbeError::Null)?;
        let [column] = described.columns.as_slice() else {
            let problem = format!("the query returns {} columns, not one", described.columns.len());
            return Err(ProbeError::Unfit(problem));
        };
        let numeric = match column.form.kind() {
            ColumnKind::Integer | ColumnKind::Number | ColumnKind::Float => true,
            // SQLite knows a value's type only by the value.
            ColumnKind::Boolean
            | ColumnKind::Text
            | ColumnKind::Bytes
            | ColumnKind::Timestamp
            | ColumnKind::LocalTimestamp
            | ColumnKind::Date
            | ColumnKind::Time
            | ColumnKind::Json
            | ColumnKind::List => matches!(column.form, Form::Any(_)),
        };
        if !numeric {
            let problem = format!("the query returns `{}`, not a number", column.type_name);
            return Err(ProbeError::Unfit(problem));
        }
        let read = column.read.put(&format!("r.{}", self.driver.dialect().quoted(&column.name)));
        Ok((scalar(&described.from, &read), column.form))
    }

    async fn shown(&self, statements: &[&'static str], columns: &[&str]) -> Result<f64, ProbeError> {
        let mut refused = None;
        for statement in statements {
            match self.driver.shown(statement, columns).await {
                Ok(Some(Some(text))) => {
                    let number =
                        text.parse().map_err(|_| ProbeError::Failed(format!("`{text}` is no number")));
                    return number;
                }
                Ok(Some(None)) => return Err(ProbeError::Null),
                Ok(None) => return Err(ProbeError::Failed("the server says nothing about it".to_owned())),
                Err(fault @ Fault::Refused { .. }) => refused = Some(fault),
                Err(fault) => return Err(self.failed(fault)),
            }
        }
        Err(refused.map_or(ProbeError::Null, |fault| self.failed(fault)))
    }

    fn failed(&self, fault: Fault) -> ProbeError {
        match fault {
            Fault::Timeout => {
                let after_ms = u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX);
                ProbeError::TimedOut { after_ms }
            }
            Fault::Unreachable(cause)
            | Fault::Credentials(cause)
            | Fault::Refused { cause, .. }
            | Fault::Failed(cause) => ProbeError::Failed(cause),
        }
    }
}

#[async_trait]
impl<D: Driver> Probe for Gauged<D> {
    async fn read(&self) -> Result<f64, ProbeError> {
        let reading = match &self.gauge {
            Gauge::Query(text) => return self.query(text).await,
            Gauge::Lag | Gauge::Load | Gauge::OldestTransaction => self.driver.reading(&self.gauge),
        };
        match reading {
            Reading::Query(text) => self.query(text).await,
            Reading::Shown(statements, columns) => self.shown(statements, columns).await,
            Reading::Missing(why) => Err(ProbeError::Unfit(why.to_owned())),
        }
    }
}

fn number(value: Option<&Value>) -> Result<f64, ProbeError> {
    match value {
        Some(Value::Null) | None => Err(ProbeError::Null),
        #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 a limit is not exact to one")]
        Some(Value::Int(number)) => Ok(*number as f64),
        Some(Value::Number(text)) => {
            text.parse().map_err(|_| ProbeError::Unfit("the query returns no number".to_owned()))
        }
        Some(Value::Float(number)) => Ok(*number),
        Some(_) => Err(ProbeError::Unfit("the query returns text or another type, not a number".to_owned())),
    }
}
