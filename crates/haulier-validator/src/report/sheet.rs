//! Differences as CSV: a line for each missing and extra row, each changed cell, each doubled key.

use std::borrow::Cow;
use std::io::{self, BufWriter};
use std::path::Path;

use super::{Report, joined, key, tenant, text};
use crate::diff::{Difference, DifferenceKind, Doubled, Shape, Sink, Summary};
use crate::extract::Part;

const HEADER: [&str; 8] = ["entity", "tenant", "difference", "key", "column", "a", "b", "only"];

/// `entity,tenant,difference,key,column,a,b,only`; `only` names what alone differs: Unicode form, white space, case.
#[derive(Debug)]
pub struct CsvReport {
    out: csv::Writer<BufWriter<Part>>,
    safe: bool,
}

impl CsvReport {
    /// Opens the file's part. `safe`: for people, with cells that no spreadsheet takes for a formula.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn create(path: &Path, safe: bool) -> io::Result<Self> {
        let mut out = csv::WriterBuilder::new().from_writer(BufWriter::new(Part::create(path)?));
        out.write_record(HEADER)?;
        Ok(Self { out, safe })
    }

    fn record(&mut self, cells: [&str; 8]) -> io::Result<()> {
        if self.safe {
            self.out.write_record(cells.map(safe_cell).iter().map(|cell| cell.as_bytes()))?;
        } else {
            self.out.write_record(cells)?;
        }
        Ok(())
    }
}

/// The cell with an apostrophe in front where a spreadsheet would take it for a formula.
#[must_use]
pub fn safe_cell(cell: &str) -> Cow<'_, str> {
    let number = cell.parse::<f64>().is_ok_and(f64::is_finite);
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
        && !number
    {
        return Cow::Owned(format!("'{cell}"));
    }
    Cow::Borrowed(cell)
}

impl Sink for CsvReport {
    fn begin(&mut self, _: &Shape) -> io::Result<()> {
        Ok(())
    }

    fn difference(&mut self, shape: &Shape, difference: &Difference) -> io::Result<()> {
        let row = difference.row();
        let (tenant, key) = (tenant(shape, row), joined(shape, key(shape, row)));
        let kind = difference.kind();
        match (kind, &difference.a, &difference.b) {
            (DifferenceKind::Changed, Some(a), Some(b)) => {
                for cell in &difference.cells {
                    let side =
                        |row: &[_]| row.get(cell.column).map(|field| text(shape, field)).unwrap_or_default();
                    let column = shape.columns.get(cell.column).map(String::as_str).unwrap_or_default();
                    let only = cell.form.map(|form| form.to_string()).unwrap_or_default();
                    self.record([
                        &shape.entity,
                        &tenant,
                        kind.as_str(),
                        &key,
                        column,
                        &side(a),
                        &side(b),
                        &only,
                    ])?;
                }
                Ok(())
            }
            (_, a, b) => {
                let side =
                    |row: &Option<Vec<_>>| row.as_ref().map(|row| joined(shape, row)).unwrap_or_default();
                self.record([&shape.entity, &tenant, kind.as_str(), &key, "", &side(a), &side(b), ""])
            }
        }
    }

    fn doubled(&mut self, shape: &Shape, doubled: &Doubled) -> io::Result<()> {
        let key = joined(shape, &doubled.key);
        let tenant = tenant(shape, &doubled.key);
        let (a, b) = (doubled.a.to_string(), doubled.b.to_string());
        self.record([&shape.entity, &tenant, "doubled", &key, "", &a, &b, ""])
    }

    fn end(&mut self, _: &Shape, _: &Summary) -> io::Result<()> {
        Ok(())
    }
}

impl Report for CsvReport {
    fn finish(self: Box<Self>) -> io::Result<()> {
        let out = self.out.into_inner().map_err(csv::IntoInnerError::into_error)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}
