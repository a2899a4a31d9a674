//! `haulier run`: produce and work in one process until everything is accounted for.

use std::time::{Duration, Instant};

use haulier_producer::Ending;

use super::helm::{self, Giver, Helm};
use super::live::Brief;
use super::stages::{self, Staging};
use super::summary;
use super::tuning::{self, Metrics, ProduceTuning, PushTuning};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::{Neighbours, Role};
use crate::ui::{self, Watch};

/// Move everything: produce and work until every record is accounted for
///
/// Where the plan has stages it walks those, holds at each gate, and goes on after a decision; see docs/stages.md.
///
/// Goes on with the unfinished run of this ledger, or starts a new one. Further `haulier work` processes may help, on any host.
/// Ctrl-C takes in nothing new, lets what is in flight end, and leaves everything resumable; a second Ctrl-C ends at once.
/// Ends with 0 when all landed or were skipped, with 1 when dead or held records need a person.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    produce: ProduceTuning,
    #[command(flatten)]
    push: PushTuning,
    #[command(flatten)]
    metrics: Metrics,
    #[command(flatten)]
    staging: Staging,
    /// Check plan, source and target and say what would move, without moving it
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    if at.plan.stages.is_empty() || args.dry_run {
        stages::refuse_unstaged(&args.staging)?;
        return move_all(global, &at, &args).await;
    }
    Box::pin(stages::walk(global, at, &args.produce, &args.push, &args.staging, Vec::new())).await
}

/// The same for the demo, which brings its own neighbours.
pub(crate) async fn run_at(
    global: &Global,
    at: &Neighbours,
    workers: u16,
    fibres: u16,
) -> Result<Exit, CliError> {
    let args = Args {
        produce: ProduceTuning { fibres: Some(fibres), produce_rate: None, accept_plan_change: false },
        push: PushTuning { workers: Some(workers), rate: None, grace: 30 },
        metrics: Metrics::default(),
        staging: Staging::default(),
        dry_run: false,
    };
    move_all(global, at, &args).await
}

async fn move_all(global: &Global, at: &Neighbours, args: &Args) -> Result<Exit, CliError> {
    let expected = tuning::check_source(at).await?;
    at.refuse_unfit_gauges().await?;
    if args.dry_run {
        tuning::checked_target(at).await?;
        for (entity, rows) in &expected {
            ui::line(format!(
                "{entity}: {} rows would be read and compared with what landed",
                ui::grouped(*rows)
            ))?;
        }
        return Ok(Exit::Done);
    }
    let stop = process::stop_on_signal()?;
    // All before the run is there to be seen: what is wrong with them leaves no trace, and workers on other hosts start with
    // either a run or a queue.
    let target = tuning::checked_target(at).await?;
    at.queue(Role::Both).await?;
    let run = tuning::open_run(at, &args.produce).await?;
    ui::note(format!(
        "{} run {} of plan `{}`",
        if run.fresh { "starting" } else { "going on with" },
        run.id,
        run.plan
    ));
    helm::keep_start_values(
        at,
        &run,
        Giver::CommandLine,
        [args.produce.start_values(), args.push.start_values()].concat(),
    )
    .await?;
    let process = process::process_id();
    let helm = Helm::start(at, &run, &process, Role::Both, Some(expected.iter().map(|(_, rows)| rows).sum()))
        .await?;
    let _metrics = args.metrics.serve(&run, &helm).await?;
    let (producer, _) = tuning::producer(at, &run, &helm, &expected, &stop).await?;
    let work_stop = stop.child_token();
    let (worker, _) = tuning::worker(at, &run, target, &helm, &args.push, &work_stop).await?;

    let started = Instant::now();
    let (mut watch, mut brief) = (Watch::new(global, expected), Brief::default());
    let mut working = tokio::spawn(worker.run());
    let mut producing = tokio::spawn(producer.run());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let produced = loop {
        tokio::select! {
            produced = &mut producing => break produced.map_err(CliError::bug)?,
            worked = &mut working => {
                // The worker ends before the producer only when it failed or was stopped.
                stop.cancel();
                let produced = producing.await.map_err(CliError::bug)?;
                worked.map_err(CliError::bug)??;
                watch.end();
                produced?;
                return Ok(tuning::stopped("run"));
            }
            _ = tick.tick() => {
                match at.ledger.tally(&run.id).await {
                    Ok(tally) => {
                        watch.due(at.ledger.next_due(&run.id).await.ok().flatten());
                        let flow = brief.of(at, &run, &tally).await;
                        watch.show(&tally, helm.push.in_flight(), flow)?;
                    }
                    Err(error) => tracing::debug!(error = %error, "the ledger does not answer"),
                }
            }
        }
    };
    work_stop.cancel();
    let worked = working.await.map_err(CliError::bug)?;
    helm.end().await;
    if let Ok(Ending::Drained(tally)) = &produced {
        watch.show(tally, 0, "")?;
    }
    watch.end();
    match produced? {
        Ending::Drained(tally) => {
            worked?;
            summary::drained(&run, &tally, started.elapsed().as_secs_f64(), global.json)
        }
        Ending::Stopped => {
            worked?;
            Ok(tuning::stopped("run"))
        }
    }
}
