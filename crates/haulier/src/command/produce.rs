//! `haulier produce`: walk the source into the queue, and stay until everything is accounted for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use haulier_core::ProcessId;
use haulier_core::port::{Clock, Ledger, LedgerError, ProcessBeat, Run};
use haulier_producer::Ending;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::helm::{self, Giver, Helm};
use super::live::Brief;
use super::summary;
use super::tuning::{self, Metrics, ProduceTuning};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::{Neighbours, Role};
use crate::ui::{self, Watch};

/// Walk the source into the queue, and send again what is due
///
/// One producer a run. It stays after the last row was read, because it also sends again what is due (retries, released
/// children, unknown outcomes), and ends when every record is accounted for.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    produce: ProduceTuning,
    #[command(flatten)]
    metrics: Metrics,
    /// Part of a drill, on a rehearsal site: stages do not count
    #[arg(long, hide = true)]
    drill: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let drill = args.drill && at.is_rehearsal();
    if !drill && !at.plan.stages.is_empty() {
        // Whatever walks beside the stages would pass their gates.
        return Err(CliError::new(
            Exit::Usage,
            "the plan has stages, and only its controller reads the source",
        )
        .hint("`haulier run` walks them; `haulier work` helps it, on any host"));
    }
    let expected = tuning::check_source(&at).await?;
    at.refuse_unfit_gauges().await?;
    let stop = process::stop_on_signal()?;
    // Declared before the run is there to be seen: workers on other hosts start with either.
    at.queue(Role::Publish).await?;
    let run = tuning::open_run(&at, &args.produce).await?;
    ui::note(format!(
        "{} run {} of plan `{}`",
        if run.fresh { "starting" } else { "going on with" },
        run.id,
        run.plan
    ));
    let process = process::process_id();
    helm::keep_start_values(&at, &run, Giver::CommandLine, args.produce.start_values()).await?;
    let beating = Beating::start(&at, &run, &process).await?;
    let helm =
        Helm::start(&at, &run, &process, Role::Publish, Some(expected.iter().map(|(_, rows)| rows).sum()))
            .await?;
    let _metrics = args.metrics.serve(&run, &helm).await?;
    let (producer, _) = tuning::producer(&at, &run, &helm, &expected, &stop).await?;
    let started = Instant::now();
    let (mut watch, mut brief) = (Watch::new(global, expected), Brief::default());
    let mut producing = tokio::spawn(producer.run());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let produced = loop {
        tokio::select! {
            produced = &mut producing => break produced.map_err(CliError::bug)?,
            _ = tick.tick() => {
                let beats = at.in_flight(&run.id).await;
                match at.ledger.tally(&run.id).await {
                    Ok(tally) => {
                        watch.due(at.ledger.next_due(&run.id).await.ok().flatten());
                        let flow = brief.of(&at, &run, &tally).await;
                        watch.show(&tally, beats, flow)?;
                    }
                    Err(error) => tracing::debug!(error = %error, "the ledger does not answer"),
                }
            }
        }
    };
    watch.end();
    helm.end().await;
    beating.end().await;
    match produced? {
        Ending::Drained(tally) => {
            summary::drained(&run, &tally, started.elapsed().as_secs_f64(), global.json)
        }
        Ending::Stopped => Ok(tuning::stopped("produce")),
    }
}

/// The signs of life of a process that only produces. Where it also works, the worker gives them.
struct Beating {
    ended: CancellationToken,
    task: JoinHandle<()>,
}

impl Beating {
    /// Gives the first one before it returns, so that whoever finds the lease taken learns by whom.
    async fn start(at: &Neighbours, run: &Run, process: &ProcessId) -> Result<Self, CliError> {
        let every = at.produce_settings().silent_after / 5;
        let (ledger, ended) = (Arc::clone(&at.ledger), CancellationToken::new());
        let beat = ProcessBeat {
            process: process.clone(),
            run: run.id.clone(),
            role: "producer".to_owned(),
            host: process::host(),
            pid: std::process::id(),
            at: 0,
            in_flight: 0,
            ended: false,
            report: None,
        };
        give(ledger.as_ref(), &beat, false).await?;
        let until = ended.clone();
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    () = until.cancelled() => break,
                }
                if let Err(error) = give(ledger.as_ref(), &beat, false).await {
                    tracing::debug!(error = %error, "the ledger does not take the sign of life");
                }
            }
            if let Err(error) = give(ledger.as_ref(), &beat, true).await {
                tracing::debug!(error = %error, "the good-bye was not taken");
            }
        });
        Ok(Self { ended, task })
    }

    async fn end(self) {
        self.ended.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(error = %error, "the signs of life ended early");
        }
    }
}

async fn give(ledger: &dyn Ledger, beat: &ProcessBeat, ended: bool) -> Result<(), LedgerError> {
    ledger.beat(&ProcessBeat { at: SystemClock.micros(), ended, ..beat.clone() }).await
}
