//! Where the differences go.

use std::io;
use std::path::PathBuf;

use haulier_core::port::Clock;
use haulier_validator::diff::{Difference, Doubled, Shape, Sink, Summary};
use haulier_validator::line::Field;
use haulier_validator::report::{CsvReport, JsonReport, PageReport, Reports};

use crate::clock::SystemClock;
use crate::command::status::stamp;

/// Where to write what differs.
#[derive(Debug, clap::Args)]
pub(super) struct Results {
    /// Write differences.csv, .json, .html and a formula-safe .human.csv into this folder
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the first so many differences
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(super) show: usize,
}

/// The files, and the first differences as lines.
#[derive(Debug)]
pub(super) struct Sinks {
    files: Reports,
    lines: Vec<String>,
    most: usize,
    left_out: u64,
}

impl Results {
    pub(super) fn open(&self, shape: &Shape, most: usize) -> io::Result<Sinks> {
        let mut files = Reports::default();
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder)?;
            files.push(CsvReport::create(&folder.join("differences.csv"), false)?);
            files.push(CsvReport::create(&folder.join("differences.human.csv"), true)?);
            files.push(JsonReport::create(&folder.join("differences.json"))?);
            let note = format!("{} against {}, {}", shape.a, shape.b, stamp(SystemClock.micros()));
            files.push(PageReport::create(&folder.join("differences.html"), "Differences", &note)?);
        }
        Ok(Sinks { files, lines: Vec::new(), most, left_out: 0 })
    }
}

impl Sinks {
    /// Gives the files their names, and the lines to print.
    pub(super) fn finish(mut self) -> io::Result<Vec<String>> {
        self.files.finish()?;
        if self.left_out > 0 {
            self.lines
                .push(format!("... and {} more; `--out DIR` writes all", crate::ui::grouped(self.left_out)));
        }
        Ok(self.lines)
    }

    fn line(&mut self, text: impl FnOnce() -> String) {
        if self.lines.len() < self.most {
            self.lines.push(text());
        } else {
            self.left_out += 1;
        }
    }
}

/// A cell as it can stand on a terminal: in quotes, with nothing that drives it.
fn shown(field: &Field<'_>) -> String {
    match field {
        Field::Null => "NULL".to_owned(),
        Field::Missing => "missing".to_owned(),
        Field::Text(text) => format!("{text:?}"),
    }
}

fn row(fields: &[Field<'_>]) -> String {
    fields.iter().map(shown).collect::<Vec<_>>().join(", ")
}

impl Sink for Sinks {
    fn begin(&mut self, shape: &Shape) -> io::Result<()> {
        self.files.begin(shape)
    }

    fn difference(&mut self, shape: &Shape, difference: &Difference) -> io::Result<()> {
        let kind = difference.kind().as_str();
        match (&difference.a, &difference.b) {
            (Some(a), Some(b)) => {
                let key = row(a.get(..shape.key_cells()).unwrap_or(a));
                for cell in &difference.cells {
                    self.line(|| {
                        let side =
                            |row: &[Field<'static>]| row.get(cell.column).map(shown).unwrap_or_default();
                        let column = shape.columns.get(cell.column).map(String::as_str).unwrap_or_default();
                        let only = cell.form.map(|form| format!(" (only {form})")).unwrap_or_default();
                        format!("{kind} {key}: {column} {} -> {}{only}", side(a), side(b))
                    });
                }
            }
            _ => self.line(|| format!("{kind} {}", row(difference.row()))),
        }
        self.files.difference(shape, difference)
    }

    fn doubled(&mut self, shape: &Shape, doubled: &Doubled) -> io::Result<()> {
        self.line(|| format!("doubled {}: {} and {} times", row(&doubled.key), doubled.a, doubled.b));
        self.files.doubled(shape, doubled)
    }

    fn end(&mut self, shape: &Shape, summary: &Summary) -> io::Result<()> {
        self.files.end(shape, summary)
    }
}
