//! `haulier status`: where the run is, also from another shell and after everything was killed.

use std::time::Duration;

use haulier_core::port::{Clock, Micros, ProcessBeat, Run};
use serde::Serialize;

use super::summary::{self, Counts};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::ui;

/// Show where the latest run is: counts, processes, and since when nothing moves
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Show again every second until Ctrl-C
    #[arg(long)]
    watch: bool,
}

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
    processes: Vec<Process>,
}

#[derive(Debug, Serialize)]
struct Process {
    process: String,
    role: String,
    host: String,
    pid: u32,
    state: &'static str,
    in_flight: u32,
    last_beat_at: String,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    if !args.watch {
        let run = at.latest_run().await?;
        show(global, &at, &run).await?;
        return Ok(Exit::Done);
    }
    let stop = process::stop_on_signal()?;
    while !stop.is_cancelled() {
        let run = at.latest_run().await?;
        show(global, &at, &run).await?;
        if run.finished_at.is_some() {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(Exit::Done)
}

async fn show(global: &Global, at: &Neighbours, run: &Run) -> Result<(), CliError> {
    let tally = at.ledger.tally(&run.id).await?;
    let now = SystemClock.micros();
    let processes: Vec<Process> =
        at.ledger.processes(&run.id).await?.iter().map(|beat| seen(beat, now, at.silent_after())).collect();
    let alive = processes.iter().any(|process| process.state == "alive");
    let state = match (run.finished_at, alive) {
        (Some(_), _) => "finished",
        (None, true) => "running",
        (None, false) => "interrupted",
    };
    let (entities, all) = summary::counts(&tally);
    let status = Status {
        run: run.id.to_string(),
        plan: run.plan.clone(),
        state,
        started_at: stamp(run.started_at),
        produced_at: run.produced_at.map(stamp),
        finished_at: run.finished_at.map(stamp),
        conserved: tally.check_conserved().is_ok(),
        entities,
        all,
        processes,
    };
    if global.json {
        return ui::json(&status);
    }
    ui::line(format!(
        "run {} of plan `{}`: {state}, started {}",
        status.run, status.plan, status.started_at
    ))?;
    match (&status.produced_at, &status.finished_at) {
        (_, Some(at)) => ui::line(format!("finished {at}"))?,
        (Some(at), None) => ui::line(format!("everything was read by {at}"))?,
        (None, None) => ui::line("the source is not read to its end yet")?,
    }
    ui::line(summary::counts_table(&tally))?;
    if !status.conserved {
        ui::line("the counts do NOT add up: planned is not landed + dead + held + skipped + open")?;
    }
    if state == "interrupted" {
        let since = status
            .processes
            .first()
            .map_or_else(|| "it began".to_owned(), |process| process.last_beat_at.clone());
        ui::line(format!(
            "no process has given a sign of life since {since}; `haulier run` goes on from here"
        ))?;
    }
    let head = ["process", "role", "host", "pid", "state", "in flight", "last beat"];
    let rows = status.processes.iter().map(|p| {
        vec![
            p.process.clone(),
            p.role.clone(),
            p.host.clone(),
            p.pid.to_string(),
            p.state.to_owned(),
            p.in_flight.to_string(),
            p.last_beat_at.clone(),
        ]
    });
    if !status.processes.is_empty() {
        ui::line(ui::table(&head, rows))?;
    }
    Ok(())
}

fn seen(beat: &ProcessBeat, now: Micros, silent_after: Micros) -> Process {
    let state = match beat.ended {
        true => "ended",
        false if now.saturating_sub(beat.at) <= silent_after => "alive",
        false => "silent",
    };
    Process {
        process: beat.process.to_string(),
        role: beat.role.clone(),
        host: beat.host.clone(),
        pid: beat.pid,
        state,
        in_flight: beat.in_flight,
        last_beat_at: stamp(beat.at),
    }
}

/// A point in time to the second, in UTC.
pub(crate) fn stamp(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at)
        .map_or_else(|_| at.to_string(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
