//! `haulier diff`: what differs between two files, whoever wrote them.

mod options;
mod report;

use std::path::PathBuf;
use std::sync::Arc;

use haulier_validator::diff::{DiffError, Files, Shape, Summary, diff_files};
use haulier_validator::meter::Meter;
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::ui::{self, Bytes, Counted};

/// Compare two CSV files: extracts, or any files with a header row
///
/// Ends with 0 if they are equal, 1 if they differ, 2 if that cannot be said, as diff(1) does: a broken file, a key that comes more
/// than once. A key names what identifies a row; without one, a row is known by all of it. Extracts with a manifest beside them know
/// their key. Memory is bounded, however large the files.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The first file: what should be
    a: PathBuf,
    /// The second file: what is
    b: PathBuf,
    #[command(flatten)]
    how: options::How,
    #[command(flatten)]
    results: report::Results,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let stop = process::stop_on_signal()?;
    let meter = Arc::new(Meter::default());
    let options = args.how.options(Arc::clone(&meter))?;
    let Args { a, b, results, .. } = args;
    let files = Files::open(&a, &b, options)?;
    let lines = if global.json { 0 } else { results.show };
    let mut counted = Counted::rows("compared", &meter.counter(), files.rows());
    if files.rows().is_none() {
        counted.bytes = files.bytes().map(|expected| Bytes { meter: Arc::clone(&meter), expected });
    }
    let mut work = tokio::task::spawn_blocking(move || compare(&files, &results, lines));
    let until = async {
        tokio::select! {
            outcome = &mut work => outcome,
            () = stop.cancelled() => {
                meter.stop();
                work.await
            }
        }
    };
    let outcome = ui::watch(global, vec![counted], until).await.map_err(CliError::bug)?;
    let (shape, summary, shown) = outcome?;
    tell(global, &shape, &summary, &shown)
}

/// What was compared, how it came out, and the first differences.
type Outcome = (Shape, Summary, Vec<String>);

fn compare(files: &Files, results: &report::Results, lines: usize) -> Result<Outcome, CliError> {
    let mut sinks =
        results.open(files.shape(), lines).map_err(|error| CliError::from(DiffError::Sink(error)))?;
    let summary = diff_files(files, &mut sinks)?;
    let shown = sinks.finish().map_err(|error| CliError::from(DiffError::Sink(error)))?;
    Ok((files.shape().clone(), summary, shown))
}

fn tell(global: &Global, shape: &Shape, summary: &Summary, shown: &[String]) -> Result<Exit, CliError> {
    if global.json {
        let mut figures = haulier_validator::report::summary_json(shape, summary);
        if let Some(members) = figures.as_object_mut() {
            let answer = if summary.is_doubled() {
                "doubled"
            } else if summary.is_equal() {
                "equal"
            } else {
                "different"
            };
            members.insert("answer".to_owned(), json!(answer));
        }
        ui::json(&figures)?;
    } else {
        for line in shown {
            ui::line(line)?;
        }
        let figures = [
            summary.a,
            summary.b,
            summary.equal,
            summary.missing,
            summary.extra,
            summary.changed,
            summary.form_only,
        ];
        let head = ["entity", "rows a", "rows b", "equal", "missing", "extra", "changed", "form only"];
        let row = std::iter::once(shape.entity.clone()).chain(figures.map(ui::grouped));
        ui::line(ui::table(&head, [row.collect::<Vec<_>>()]))?;
        let changed = shape.columns.iter().zip(&summary.columns).filter(|(_, count)| **count > 0);
        let changed: Vec<Vec<String>> =
            changed.map(|(name, count)| vec![name.clone(), ui::grouped(*count)]).collect();
        if !changed.is_empty() {
            ui::line(ui::table(&["column", "changed"], changed))?;
        }
    }
    if summary.a + summary.b == 0 {
        ui::note("both files have a header and no row: they are equal, and prove nothing");
    }
    if summary.is_doubled() {
        let (a, b) = (ui::grouped(summary.doubled_a), ui::grouped(summary.doubled_b));
        let text = format!("keys come more than once: {a} in {}, {b} in {}", shape.a, shape.b);
        return Err(CliError::new(Exit::Trouble, text)
            .hint("they are listed with the differences; name a key that identifies a row, or none to compare whole rows"));
    }
    Ok(if summary.is_equal() { Exit::Done } else { Exit::No })
}
