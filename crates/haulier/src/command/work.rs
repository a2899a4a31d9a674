//! `haulier work`: push what the queue brings, beside any number of others.

use std::sync::Arc;
use std::time::{Duration, Instant};

use haulier_core::port::{LedgerError, Run};
use haulier_throttle::patiently;
use haulier_worker::Progress;
use tokio_util::sync::CancellationToken;

use super::helm::{self, Giver, Helm};
use super::live::Brief;
use super::tuning::{self, Metrics, PushTuning};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::{Neighbours, Role};
use crate::ui;

const LOOK_EVERY: Duration = Duration::from_millis(500);
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Push what the queue brings, beside any number of other workers on any host
///
/// Waits for a run, works until the run is finished, and ends; with `--stay` it waits for the next run instead.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    push: PushTuning,
    #[command(flatten)]
    metrics: Metrics,
    /// Wait for the next run when this one is finished
    #[arg(long)]
    stay: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let stop = process::stop_on_signal()?;
    let target = tuning::checked_target(&at).await?;
    loop {
        let Some(run) = await_run(&at, &stop).await? else { return Ok(tuning::stopped("work")) };
        if run.digest != at.plan.digest {
            return Err(CliError::new(
                Exit::Plan,
                format!("run {} was started with another version of the plan", run.id),
            )
            .hint("give every process the same plan file"));
        }
        tokio::select! {
            ready = at.await_queue() => ready?,
            () = stop.cancelled() => return Ok(tuning::stopped("work")),
        }
        let process = process::process_id();
        let run_stop = stop.child_token();
        helm::keep_start_values(&at, &run, Giver::CommandLine, args.push.start_values()).await?;
        let helm = Helm::start(&at, &run, &process, Role::Consume, None).await?;
        let _metrics = args.metrics.serve(&run, &helm).await?;
        let (worker, progress) =
            tuning::worker(&at, &run, Arc::clone(&target), &helm, &args.push, &run_stop).await?;
        ui::note(format!("{process} works for run {}", run.id));
        let (mut working, mut told) = (tokio::spawn(worker.run()), Instant::now());
        let worked = loop {
            tokio::select! {
                worked = &mut working => break worked.map_err(CliError::bug)?,
                () = tokio::time::sleep(LOOK_EVERY) => {
                    if finished(&at, &run).await {
                        run_stop.cancel();
                    }
                    if told.elapsed() >= LINE_EVERY && !global.no_progress && !global.json {
                        told = Instant::now();
                        tell(&at, &run, &helm, &progress).await;
                    }
                }
            }
        };
        helm.end().await;
        worked?;
        ui::note(format!(
            "run {}: {} landed, {} attempts failed, {} held for a parent, {} came again with nothing to do",
            run.id,
            ui::grouped(progress.landed()),
            ui::grouped(progress.failed()),
            ui::grouped(progress.held()),
            ui::grouped(progress.dropped()),
        ));
        if stop.is_cancelled() {
            return Ok(tuning::stopped("work"));
        }
        if !args.stay {
            return Ok(Exit::Done);
        }
    }
}

/// One line of progress: what this process did, what holds the run or decides its speed.
async fn tell(at: &Neighbours, run: &Run, helm: &Helm, progress: &Progress) {
    let flow = match at.ledger.tally(&run.id).await {
        Ok(tally) => Brief::default().of(at, run, &tally).await.to_owned(),
        Err(error) => error.to_string(),
    };
    ui::note(format!(
        "{} landed, {} attempts failed, {} in flight, {:.1} requests/s; {flow}",
        ui::grouped(progress.landed()),
        ui::grouped(progress.failed()),
        helm.push.in_flight(),
        helm.meter.measured().requests_per_second,
    ));
}

async fn await_run(at: &Neighbours, stop: &CancellationToken) -> Result<Option<Run>, CliError> {
    let mut told = false;
    let latest = || at.ledger.latest_run();
    loop {
        let latest = patiently("the ledger", stop, LedgerError::is_passing, latest).await;
        if stop.is_cancelled() {
            return Ok(None);
        }
        match latest? {
            Some(run) if run.finished_at.is_none() => return Ok(Some(run)),
            Some(_) | None => {}
        }
        if !std::mem::replace(&mut told, true) {
            ui::note("waiting for a run: `haulier produce` or `haulier run` starts one");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => return Ok(None),
        }
    }
}

async fn finished(at: &Neighbours, run: &Run) -> bool {
    match at.ledger.latest_run().await {
        Ok(Some(latest)) => latest.id != run.id || latest.finished_at.is_some(),
        Ok(None) => true,
        Err(error) => {
            tracing::debug!(error = %error, "the ledger does not answer");
            false
        }
    }
}
