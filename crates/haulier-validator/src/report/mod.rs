//! Differences for people and programs: CSV, JSON, a CSV that is safe to open in a spreadsheet, and a page.

mod json;
mod page;
mod sheet;

use std::io;

pub use json::{JsonReport, summary_json};
pub use page::{PAGE_ROWS, PageReport};
pub use sheet::{CsvReport, safe_cell};

use crate::diff::{Difference, Doubled, Shape, Sink, Summary};
use crate::line::{self, Field};

/// A result that is a file: nothing has its final name before [`Report::finish`].
pub trait Report: Sink {
    /// All tables are told: gives the file its name.
    ///
    /// # Errors
    /// The disk refuses.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// Several results of one comparison.
#[derive(Default)]
pub struct Reports(Vec<Box<dyn Report + Send>>);

impl std::fmt::Debug for Reports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Reports").field(&self.0.len()).finish()
    }
}

impl Reports {
    /// One more.
    pub fn push(&mut self, report: impl Report + Send + 'static) {
        self.0.push(Box::new(report));
    }

    /// All tables are told: gives every file its name.
    ///
    /// # Errors
    /// The disk refuses; files that come later are not there then.
    pub fn finish(self) -> io::Result<()> {
        self.0.into_iter().try_for_each(Report::finish)
    }
}

impl Sink for Reports {
    fn begin(&mut self, shape: &Shape) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sink| sink.begin(shape))
    }

    fn difference(&mut self, shape: &Shape, difference: &Difference) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sink| sink.difference(shape, difference))
    }

    fn doubled(&mut self, shape: &Shape, doubled: &Doubled) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sink| sink.doubled(shape, doubled))
    }

    fn end(&mut self, shape: &Shape, summary: &Summary) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|sink| sink.end(shape, summary))
    }
}

/// A cell as text: as in an extract where the shape is escaped, and otherwise as it is.
fn text(shape: &Shape, field: &Field<'_>) -> String {
    match field {
        Field::Null => "\\N".to_owned(),
        Field::Missing => "\\M".to_owned(),
        Field::Text(text) if shape.escaped => line::escaped(text),
        Field::Text(text) => text.clone().into_owned(),
    }
}

/// Cells as a line of CSV: a key of several columns, or a row.
fn joined<'f>(shape: &Shape, fields: impl IntoIterator<Item = &'f Field<'f>>) -> String {
    let cells: Vec<String> = fields
        .into_iter()
        .map(|field| {
            let text = text(shape, field);
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text
            }
        })
        .collect();
    cells.join(",")
}

/// The cells of the key, or of the whole row where there is none.
fn key<'f>(shape: &Shape, row: &'f [Field<'static>]) -> &'f [Field<'static>] {
    row.get(..shape.key_cells()).unwrap_or(row)
}

/// The tenant of a row.
fn tenant(shape: &Shape, row: &[Field<'static>]) -> String {
    shape.tenant.and_then(|column| row.get(column)).map(|field| text(shape, field)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
