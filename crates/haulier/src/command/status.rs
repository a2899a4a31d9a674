//! `haulier status`: where the run is, also from another shell and after everything was killed.

use std::time::Duration;

use haulier_core::RecordState;
use haulier_core::port::{Micros, ProcessBeat, Run, Survey, Tally};
use serde::Serialize;

use super::control::{self, View};
use super::live::{Besides, Live};
use super::summary::{self, Counts};
use super::watch;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Show where the latest run is: counts, processes, and since when nothing moves
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Follow the run until it is finished, or Ctrl-C: bars on a terminal, a line each 10 s elsewhere, one JSON line a second
    /// with --json
    #[arg(long)]
    watch: bool,
}

/// How long `status` counts tenants and skipped records.
const SURVEY: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize)]
struct Status {
    run: String,
    plan: String,
    state: &'static str,
    started_at: String,
    produced_at: Option<String>,
    finished_at: Option<String>,
    conserved: bool,
    entities: Vec<Counts>,
    all: Counts,
    skipped_as: Option<SkippedAs>,
    #[serde(flatten)]
    live: Live,
    processes: Vec<Process>,
}

/// Skipped records by why.
#[derive(Debug, Serialize)]
struct SkippedAs {
    unchanged: u64,
    without_tenant: u64,
    empty: u64,
    waived: u64,
}

#[derive(Debug, Serialize)]
struct Process {
    process: String,
    role: String,
    host: String,
    pid: u32,
    state: &'static str,
    /// What it has in flight, as long as it lives: nobody knows what becomes of a dead one's.
    in_flight: Option<u32>,
    last_beat_at: String,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let run = at.latest_run().await?;
    if !args.watch {
        let view = View::of(&at, &run).await?;
        let tally = at.ledger.tally(&run.id).await?;
        // Where there are very many records the rest is worth more than this.
        let survey = tokio::time::timeout(SURVEY, at.ledger.survey(&run.id)).await;
        let survey = survey.ok().transpose()?;
        let live = Live::of(&run, &tally, &view, Besides { survey, ..Besides::default() });
        show(global, &run, &tally, &view, (live, survey))?;
        return Ok(Exit::Done);
    }
    watch::watch(global, &at, run).await
}

fn show(
    global: &Global,
    run: &Run,
    tally: &Tally,
    view: &View,
    (live, survey): (Live, Option<Survey>),
) -> Result<(), CliError> {
    let processes: Vec<Process> = view
        .beats
        .iter()
        .map(|beat| seen(beat, control::is_alive(beat, view.now, view.silent_after)))
        .collect();
    let (entities, all) = summary::counts(tally);
    let status = Status {
        run: run.id.to_string(),
        plan: run.plan.clone(),
        state: live.run_state(),
        started_at: stamp(run.started_at),
        produced_at: run.produced_at.map(stamp),
        finished_at: run.finished_at.map(stamp),
        conserved: tally.check_conserved().is_ok(),
        entities,
        all,
        skipped_as: survey.map(SkippedAs::of),
        live,
        processes,
    };
    if global.json {
        return ui::json(&status);
    }
    ui::line(format!(
        "run {} of plan `{}`: {}, started {}",
        status.run, status.plan, status.state, status.started_at
    ))?;
    match (&status.produced_at, &status.finished_at) {
        (_, Some(at)) => ui::line(format!("finished {at}"))?,
        (Some(at), None) => ui::line(format!("everything was read by {at}"))?,
        (None, None) => ui::line("the source is not read to its end yet")?,
    }
    ui::line(summary::counts_table(tally))?;
    if let Some(words) = status.skipped_as.as_ref().and_then(SkippedAs::words) {
        ui::line(words)?;
    }
    needs(tally, run.finished_at.is_some())?;
    if !status.conserved {
        ui::line("the counts do NOT add up: planned is not landed + dead + held + skipped + open")?;
    }
    if run.finished_at.is_none() {
        for line in status.live.lines() {
            ui::line(line)?;
        }
    }
    if status.state == "interrupted" {
        ui::line(control::hint_of_none_alive(&view.beats))?;
    }
    let head = ["process", "role", "host", "pid", "state", "in flight", "last beat"];
    let rows = status.processes.iter().map(|p| {
        vec![
            p.process.clone(),
            p.role.clone(),
            p.host.clone(),
            p.pid.to_string(),
            p.state.to_owned(),
            p.in_flight.map_or_else(|| "-".to_owned(), |count| count.to_string()),
            p.last_beat_at.clone(),
        ]
    });
    if !status.processes.is_empty() {
        ui::line(ui::table(&head, rows))?;
    }
    Ok(())
}

impl SkippedAs {
    fn of(survey: Survey) -> Self {
        let Survey { unchanged, without_tenant, empty, waived, .. } = survey;
        Self { unchanged, without_tenant, empty, waived }
    }

    /// Nothing where nothing is skipped.
    fn words(&self) -> Option<String> {
        let words: Vec<String> = [
            (self.unchanged, "unchanged since an earlier run"),
            (self.without_tenant, "without a tenant"),
            (self.empty, "empty references"),
            (self.waived, "waived"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{} {why}", ui::grouped(count)))
        .collect();
        (!words.is_empty()).then(|| format!("skipped: {}", words.join(", ")))
    }
}

/// What waits for a person, and what a person gave back after the end.
fn needs(tally: &Tally, finished: bool) -> Result<(), CliError> {
    let total = tally.total();
    let (dead, held) = (total.of(RecordState::Dead), total.of(RecordState::Held));
    if dead + held > 0 {
        let (dead, held) = (ui::grouped(dead), ui::grouped(held));
        ui::line(format!(
            "{dead} dead and {held} held records: `haulier dead list` says why and what helps"
        ))?;
    }
    if finished && total.open() > 0 {
        let open = ui::grouped(total.open());
        ui::line(format!(
            "{open} records were given back after the end; `haulier run` sends them in a new run"
        ))?;
    }
    Ok(())
}

fn seen(beat: &ProcessBeat, alive: bool) -> Process {
    let state = match beat.ended {
        true => "ended",
        false if alive => "alive",
        false => "silent",
    };
    Process {
        process: beat.process.to_string(),
        role: beat.role.clone(),
        host: beat.host.clone(),
        pid: beat.pid,
        state,
        in_flight: alive.then_some(beat.in_flight),
        last_beat_at: stamp(beat.at),
    }
}

/// A point in time to the second, in UTC.
pub(crate) fn stamp(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at)
        .map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
