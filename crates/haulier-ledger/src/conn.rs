//! What the calls need of a database connection: statements with few parameters and at most one set of rows.

use std::future::Future;
use std::time::Duration;

use haulier_core::port::LedgerError;

use crate::sheet::Deltas;
use crate::sql::Sql;

/// One connection, inside one transaction.
pub(crate) trait Conn: Send {
    /// A row of an answer.
    type Row: Cells + Send;

    /// The statements in this database's dialect.
    const SQL: &'static Sql;

    /// Changes the counts by so much when the transaction is committed.
    fn count(&mut self, deltas: &Deltas);

    /// Excludes others that take the same number alone; and, when taken alone, all others that take it. Comes before
    /// everything else in a transaction, in the order of the numbers.
    fn lock(&mut self, number: i64, alone: bool);

    /// Runs a statement; returns how many rows it changed.
    fn run(&mut self, sql: &'static str, args: Args<'_>) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// Runs a query.
    fn rows(
        &mut self,
        sql: &'static str,
        args: Args<'_>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Fault>> + Send;

    /// Runs a fast statement on all of its rows, or on none; counts what it changed, and says whether it did. One that
    /// changed a part of them is [`Fault::Again`], and tried no more in this call.
    fn fast(&mut self, shortcut: Shortcut<'_>) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Runs a fast statement on as many of its rows as are right for it, and answers for each of those.
    fn some(
        &mut self,
        each: Each,
        args: Args<'_>,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Fault>> + Send;
}

/// The statements that do a whole batch at once, in the common case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Quick {
    /// Queues rows that are not there. entity, run, now; key, generation, hash, natural, tenant.
    Admit,
    /// Skips rows that an older run landed, or skipped, as they are now. The parameters are those of `Admit`.
    Pass,
    /// Claims records that were never tried. entity, run, owner; key, generation, hash.
    Claim,
    /// Lands records that never landed, that were sent with the content that they have, and that none waits for.
    /// entity, run, owner; key, attempt, target id, origin, hash, generation, now.
    Land,
}

/// The statements that do a part of a batch, and leave the rest to the law. Their parameters are those of [`Quick`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Each {
    /// As [`Quick::Pass`]; answers with the key.
    Pass,
    /// Claims queued records, also those that were tried or landed before; answers with key, attempt, target id and doubt.
    Claim,
    /// As [`Quick::Land`], whoever waits; answers with the key.
    Land,
    /// Lands records that have this very target id from before; answers with the key.
    Update,
}

/// A fast statement, and what it does when it does everything.
#[derive(Debug)]
pub(crate) struct Shortcut<'a> {
    pub(crate) quick: Quick,
    pub(crate) args: Args<'a>,
    pub(crate) rows: usize,
    pub(crate) deltas: Deltas,
}

/// Judges a fast statement by the numbers of rows.
pub(crate) fn all_or_none(changed: i64, wanted: usize) -> Result<bool, Fault> {
    match usize::try_from(changed) {
        Ok(0) => Ok(false),
        Ok(changed) if changed == wanted => Ok(true),
        Ok(_) | Err(_) => Err(Fault::Again),
    }
}

/// Reads the columns of a row by position.
pub(crate) trait Cells {
    fn int(&self, column: usize) -> Result<Option<i64>, Fault>;
    fn text(&self, column: usize) -> Result<Option<String>, Fault>;
    fn bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Fault>;

    /// A number that is never NULL.
    fn number(&self, column: usize) -> Result<i64, Fault> {
        self.int(column)?.ok_or_else(|| Fault::corrupt(format!("column {column} is empty")))
    }

    /// A text that is never NULL.
    fn word(&self, column: usize) -> Result<String, Fault> {
        self.text(column)?.ok_or_else(|| Fault::corrupt(format!("column {column} is empty")))
    }
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg<'a> {
    Int(Option<i64>),
    Text(Option<&'a str>),
}

impl From<i64> for Arg<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

/// The parameters of a statement. The set comes last: one parameter on SQLite, one a column on PostgreSQL.
#[derive(Debug, Default)]
pub(crate) struct Args<'a> {
    pub(crate) single: Vec<Arg<'a>>,
    pub(crate) set: Vec<Column<'a>>,
}

/// A column of a set.
#[derive(Debug)]
pub(crate) enum Column<'a> {
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<&'a str>>),
    Digests(Vec<Option<[u8; 16]>>),
}

impl Column<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Digests(values) => values.len(),
        }
    }
}

impl<'a> Args<'a> {
    /// Starts with single parameters.
    pub(crate) fn of<const N: usize>(single: [Arg<'a>; N]) -> Self {
        Self { single: single.to_vec(), set: Vec::new() }
    }

    pub(crate) fn ints(mut self, values: impl Iterator<Item = Option<i64>>) -> Self {
        self.set.push(Column::Ints(values.collect()));
        self
    }

    pub(crate) fn texts(mut self, values: impl Iterator<Item = Option<&'a str>>) -> Self {
        self.set.push(Column::Texts(values.collect()));
        self
    }

    pub(crate) fn digests(mut self, values: impl Iterator<Item = Option<haulier_core::Digest>>) -> Self {
        self.set.push(Column::Digests(values.map(|value| value.map(|digest| digest.0)).collect()));
        self
    }
}

/// Why a statement, and with it the call, failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The answer for the caller.
    Ledger(LedgerError),
    /// Another transaction came between: the call begins anew.
    Again,
    /// The driver's error.
    Database(sqlx::Error),
}

impl Fault {
    pub(crate) fn corrupt(problem: impl Into<String>) -> Self {
        Self::Ledger(LedgerError::Corrupt { problem: problem.into() })
    }
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<haulier_core::IllegalTransition> for Fault {
    fn from(error: haulier_core::IllegalTransition) -> Self {
        Self::corrupt(error.to_string())
    }
}

/// One call: all of it happens in one transaction, and it may be begun anew.
pub(crate) trait Work: Send + Sync + 'static {
    /// What it gives.
    type Out: Send + Sync + 'static;

    /// What it is doing, for errors.
    const DOING: &'static str;

    /// Whether doing it once more, after it happened, gives the same answer.
    const REPEATABLE: bool = true;

    /// A database that says nothing for so long is given up.
    const PATIENCE: Duration = Duration::from_mins(2);

    fn run<C: Conn>(&self, conn: &mut C) -> impl Future<Output = Result<Self::Out, Fault>> + Send;

    /// The one statement that may be all of it, and the answer then.
    fn shortcut(&self) -> Option<(Shortcut<'_>, Self::Out)> {
        None
    }
}

/// A database that does calls.
pub(crate) trait Backend: std::fmt::Debug + Send + Sync + 'static {
    /// Durable when it returns.
    fn write<W: Work>(&self, work: W) -> impl Future<Output = Result<W::Out, LedgerError>> + Send;

    /// Sees everything that was durable when it began.
    fn read<W: Work>(&self, work: W) -> impl Future<Output = Result<W::Out, LedgerError>> + Send;
}
