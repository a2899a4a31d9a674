//! What the adapter needs of an engine.

use std::fmt::Debug;

use async_trait::async_trait;
use haulier_core::Value;
use haulier_core::plan::Relation;
use haulier_core::schema::Schema;

use crate::catalogue::{Described, Form};
use crate::fault::Fault;
use crate::gauge::{Gauge, Reading};
use crate::sql::{Dialect, Statement};

/// A value that goes to the server beside a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bind {
    Text(String),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    Bytes(Vec<u8>),
    /// Only where the engine has arrays.
    Texts(Vec<String>),
}

/// One engine: runs statements that [`crate::sql`] wrote, and reads the catalogue.
#[async_trait]
pub(crate) trait Driver: Debug + Send + Sync {
    /// How SQL is written here.
    fn dialect(&self) -> Dialect;

    /// Host and port, or file.
    fn at(&self) -> &str;

    /// What the catalogue says about a relation; `None` when there is no such table.
    async fn describe(&self, relation: &Relation) -> Result<Option<Described>, Fault>;

    /// Names of tables and views, for hints.
    async fn relations(&self) -> Result<Vec<String>, Fault>;

    /// Has the server plan a statement without running it.
    async fn prepare(&self, statement: &Statement) -> Result<(), Fault>;

    /// Runs a statement and shows each row, one value for each form, in memory that is used again; who wants it takes it away.
    async fn each(
        &self,
        statement: &Statement,
        binds: Vec<Bind>,
        forms: &[Form],
        take: &mut (dyn for<'v> FnMut(&'v mut Vec<Value>) + Send),
    ) -> Result<(), Fault>;

    /// The same with all rows at once.
    async fn fetch(
        &self,
        statement: &Statement,
        binds: Vec<Bind>,
        forms: &[Form],
    ) -> Result<Vec<Vec<Value>>, Fault> {
        let mut rows = Vec::new();
        self.each(statement, binds, forms, &mut |values| rows.push(std::mem::take(values))).await?;
        Ok(rows)
    }

    /// The whole catalogue.
    async fn schema(&self) -> Result<Schema, Fault>;

    /// How a gauge is read here.
    fn reading(&self, gauge: &Gauge) -> Reading;

    /// A column of the only row that a `show` statement has, under the first of these names that it has; `None` without a row.
    async fn shown(
        &self,
        statement: &'static str,
        columns: &[&str],
    ) -> Result<Option<Option<String>>, Fault> {
        Err(Fault::Failed(format!("`{statement}` has no {columns:?} here")))
    }
}
