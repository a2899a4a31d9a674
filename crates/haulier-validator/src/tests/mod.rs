//! From rows to answers: every planted difference is found, in every kind of column, and no other.

mod mutation;
mod nasty;

use std::path::Path;

use crate::diff::{DiffError, Difference, Doubled, FileOptions, Files, Shape, Sink, Summary, diff_files};
use crate::extract::{ExtractError, ExtractSpec, ExtractWriter, Manifest};
use crate::neutral::{Cell, Columns, Side};
use crate::sort::SortOptions;

/// Keeps the differences.
#[derive(Debug, Default)]
struct Kept(Vec<Difference>);

impl Sink for Kept {
    fn begin(&mut self, _: &Shape) -> std::io::Result<()> {
        Ok(())
    }

    fn difference(&mut self, _: &Shape, difference: &Difference) -> std::io::Result<()> {
        self.0.push(difference.clone());
        Ok(())
    }

    fn doubled(&mut self, _: &Shape, _: &Doubled) -> std::io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _: &Shape, _: &Summary) -> std::io::Result<()> {
        Ok(())
    }
}

/// A row's cells.
type Cells = Vec<Cell<'static>>;

fn extract(path: &Path, side: Side, columns: &Columns, rows: &[Cells]) -> Result<Manifest, ExtractError> {
    let mut writer = ExtractWriter::create(ExtractSpec {
        path: path.to_owned(),
        entity: "thing".to_owned(),
        tenant: None,
        side,
        columns: columns.clone(),
        plan: "p".to_owned(),
        fingerprint: "f".to_owned(),
        hash_key: None,
        compress: false,
        sort: SortOptions::default(),
    })?;
    for row in rows {
        writer.row(row.iter().cloned())?;
    }
    writer.finish("2024-03-30T20:30:00Z".parse().unwrap())
}

fn compare(a: &Path, b: &Path, options: FileOptions) -> Result<(Vec<Difference>, Summary), DiffError> {
    let files = Files::open(a, b, options)?;
    let mut kept = Kept::default();
    let summary = diff_files(&files, &mut kept)?;
    Ok((kept.0, summary))
}
