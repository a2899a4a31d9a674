//! The difference of two tables: what is missing, extra, changed, doubled.

mod bucket;
mod cell;
mod digest;
mod file;
mod files;
mod merge;
mod scan;

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

pub use cell::Form;
pub use file::SortedFile;
pub use files::{FileOptions, Files, diff_files};
pub use merge::{LISTED, merge};

use crate::extract::{ExtractError, ExtractLines};
use crate::foreign::CsvError;
use crate::line::{self, Field};
use crate::meter::Stopped;
use crate::sort::{SortError, Sorted};

/// What both tables look like, and what the difference is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The entity, or the file's name.
    pub entity: String,
    /// What the first side is called.
    pub a: String,
    /// What the second side is called.
    pub b: String,
    /// The columns, key first.
    pub columns: Vec<String>,
    /// How many of them are the key; 0 if a row is known by all of it, and the same row may come more than once.
    pub key: usize,
    /// The column that holds the tenant.
    pub tenant: Option<usize>,
    /// Whether cells are escaped, so that NULL, missing and empty are told apart.
    pub escaped: bool,
}

impl Shape {
    /// The meaning of a cell.
    #[must_use]
    pub fn field<'c>(&self, cell: &'c [u8]) -> Field<'c> {
        if self.escaped { line::field(cell) } else { Field::Text(String::from_utf8_lossy(cell)) }
    }

    /// The cells of a line.
    #[must_use]
    pub fn fields(&self, text: &[u8]) -> Vec<Field<'static>> {
        let owned = |field: Field<'_>| match field {
            Field::Null => Field::Null,
            Field::Missing => Field::Missing,
            Field::Text(text) => Field::Text(Cow::Owned(text.into_owned())),
        };
        line::cells(text).map(|cell| owned(self.field(&cell))).collect()
    }

    /// How many columns are compared as the key.
    #[must_use]
    pub fn key_cells(&self) -> usize {
        if self.key == 0 { self.columns.len() } else { self.key }
    }
}

/// Sorted lines, whoever gives them.
pub trait Lines {
    /// The next line in the order of its bytes.
    ///
    /// # Errors
    /// They cannot be read.
    fn next_line(&mut self) -> Result<Option<&[u8]>, DiffError>;
}

impl Lines for Sorted {
    fn next_line(&mut self) -> Result<Option<&[u8]>, DiffError> {
        Ok(Self::next_line(self)?)
    }
}

impl Lines for ExtractLines {
    fn next_line(&mut self) -> Result<Option<&[u8]>, DiffError> {
        Ok(Self::next_line(self)?)
    }
}

/// A row that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The first side's cells; `None`: the row is extra.
    pub a: Option<Vec<Field<'static>>>,
    /// The second side's cells; `None`: the row is missing.
    pub b: Option<Vec<Field<'static>>>,
    /// The cells that differ, where both sides have the row.
    pub cells: Vec<ChangedCell>,
}

/// What kind of difference a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Only the first side has it.
    Missing,
    /// Only the second side has it.
    Extra,
    /// Both have it, with other cells.
    Changed,
}

impl DifferenceKind {
    /// `missing`, `extra` or `changed`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Changed => "changed",
        }
    }
}

impl Difference {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> DifferenceKind {
        match (&self.a, &self.b) {
            (Some(_), Some(_)) => DifferenceKind::Changed,
            (None, _) => DifferenceKind::Extra,
            (_, None) => DifferenceKind::Missing,
        }
    }

    /// The cells of a side that has the row.
    #[must_use]
    pub fn row(&self) -> &[Field<'static>] {
        self.a.as_deref().or(self.b.as_deref()).unwrap_or_default()
    }

    /// Whether every changed cell has the same text but for its Unicode form, white space or case.
    #[must_use]
    pub fn form_only(&self) -> bool {
        !self.cells.is_empty() && self.cells.iter().all(|cell| cell.form.is_some())
    }
}

/// A cell that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangedCell {
    /// Its column.
    pub column: usize,
    /// What alone differs; `None`: the value.
    pub form: Option<Form>,
}

/// A key that comes more than once on a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubled {
    /// The key's cells.
    pub key: Vec<Field<'static>>,
    /// How often the first side has it.
    pub a: u64,
    /// How often the second side has it.
    pub b: u64,
}

/// Takes differences, in the order of the keys' bytes.
pub trait Sink {
    /// A table begins.
    ///
    /// # Errors
    /// It cannot be written.
    fn begin(&mut self, shape: &Shape) -> io::Result<()>;

    /// A row differs.
    ///
    /// # Errors
    /// It cannot be written.
    fn difference(&mut self, shape: &Shape, difference: &Difference) -> io::Result<()>;

    /// A key comes more than once. After the differences; only the first [`LISTED`] are told.
    ///
    /// # Errors
    /// It cannot be written.
    fn doubled(&mut self, shape: &Shape, doubled: &Doubled) -> io::Result<()>;

    /// The table ends.
    ///
    /// # Errors
    /// It cannot be written.
    fn end(&mut self, shape: &Shape, summary: &Summary) -> io::Result<()>;
}

/// How two tables compare.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Rows of the first side.
    pub a: u64,
    /// Rows of the second side.
    pub b: u64,
    /// Rows that are the same.
    pub equal: u64,
    /// Rows that only the first side has.
    pub missing: u64,
    /// Rows that only the second side has.
    pub extra: u64,
    /// Rows with other cells.
    pub changed: u64,
    /// Of the changed rows, those with nothing but another form: see [`Difference::form_only`].
    pub form_only: u64,
    /// Keys that come more than once on the first side.
    pub doubled_a: u64,
    /// Keys that come more than once on the second side.
    pub doubled_b: u64,
    /// Changed cells, a column each.
    pub columns: Vec<u64>,
}

impl Summary {
    /// Whether nothing differs.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.missing + self.extra + self.changed == 0
    }

    /// Whether keys come more than once, so that the comparison proves nothing about them.
    #[must_use]
    pub fn is_doubled(&self) -> bool {
        self.doubled_a + self.doubled_b > 0
    }
}

/// Why there is no difference to tell.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// A file is broken.
    #[error(transparent)]
    Csv(#[from] CsvError),
    /// The sort failed.
    #[error(transparent)]
    Sort(#[from] SortError),
    /// An extract failed on its way.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The tables have other columns.
    #[error("{}", columns_text(*.only_a, only))]
    Columns {
        /// Whether the first side has them alone.
        only_a: bool,
        /// Their names.
        only: Vec<String>,
        /// What the files are, for the hint.
        path: PathBuf,
    },
    /// Both files hold hashes, and not of the same key, so that equal values differ.
    #[error("{} and {} hold hashes of other keys in {}", a.display(), b.display(), columns.join(", "))]
    HashKeys {
        /// The first file.
        a: PathBuf,
        /// The second file.
        b: PathBuf,
        /// The hashed columns.
        columns: Vec<String>,
    },
    /// A column that was named is not there.
    #[error("{} has no column `{name}`{}", path.display(), near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
        /// A column of nearly that name.
        near: Option<String>,
    },
    /// A file was written while it was read.
    #[error("{} changed while it was read", path.display())]
    Moving {
        /// The file.
        path: PathBuf,
    },
    /// A result cannot be written.
    #[error("cannot write the result")]
    Sink(#[source] io::Error),
    /// A thread ended by itself.
    #[error("a thread of the comparison failed")]
    Thread,
    /// Told to stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

fn columns_text(only_a: bool, only: &[String]) -> String {
    let side = if only_a { "first" } else { "second" };
    format!("only the {side} file has the columns {}", only.join(", "))
}

#[cfg(test)]
mod tests;
