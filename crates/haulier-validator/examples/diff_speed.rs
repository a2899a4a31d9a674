//! Compares two CSV files as `haulier diff` does, for `scripts/bench validate`:
//! `diff_speed A.csv B.csv KEY [digests|exact|sorted] [MEMORY_MIB]`.

use std::io::{self, Write};
use std::path::Path;

use haulier_validator::diff::{
    DiffError, Difference, Doubled, FileOptions, Files, Shape, Sink, Summary, diff_files,
};

/// Counts what it is told.
#[derive(Debug, Default)]
struct Count(u64);

impl Sink for Count {
    fn begin(&mut self, _: &Shape) -> io::Result<()> {
        Ok(())
    }

    fn difference(&mut self, _: &Shape, _: &Difference) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }

    fn doubled(&mut self, _: &Shape, _: &Doubled) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _: &Shape, _: &Summary) -> io::Result<()> {
        Ok(())
    }
}

fn main() -> Result<(), DiffError> {
    let words: Vec<String> = std::env::args().collect();
    let word = |index: usize| words.get(index).map_or("", String::as_str);
    let options = FileOptions {
        key: vec![word(3).to_owned()],
        sorted: word(4) == "sorted",
        exact: word(4) == "exact",
        memory: word(5).parse::<usize>().unwrap_or(256) << 20,
        ..FileOptions::default()
    };
    let files = Files::open(Path::new(word(1)), Path::new(word(2)), options)?;
    let mut count = Count::default();
    let summary = diff_files(&files, &mut count)?;
    let line = format!(
        "{} rows, {} rows: {} missing, {} extra, {} changed\n",
        summary.a, summary.b, summary.missing, summary.extra, summary.changed
    );
    io::stdout().write_all(line.as_bytes()).map_err(DiffError::Sink)
}
