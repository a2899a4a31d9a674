//! `haulier produce`: walk the source into the queue, and stay until everything is accounted for.

use std::time::{Duration, Instant};

use haulier_producer::Ending;

use super::summary;
use super::tuning::{self, ProduceTuning};
use crate::args::Global;
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
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let expected = tuning::check_source(&at).await?;
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
    let (producer, _) = tuning::producer(&at, &run, &process, &args.produce, Role::Publish, &stop).await?;
    let started = Instant::now();
    let mut watch = Watch::new(global, expected);
    let mut producing = tokio::spawn(producer.run());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let produced = loop {
        tokio::select! {
            produced = &mut producing => break produced.map_err(CliError::bug)?,
            _ = tick.tick() => {
                let beats = at.in_flight(&run.id).await;
                match at.ledger.tally(&run.id).await {
                    Ok(tally) => watch.show(&tally, beats)?,
                    Err(error) => tracing::debug!(error = %error, "the ledger does not answer"),
                }
            }
        }
    };
    watch.end();
    match produced? {
        Ending::Drained(tally) => {
            summary::drained(&run, &tally, started.elapsed().as_secs_f64(), global.json)
        }
        Ending::Stopped => Ok(tuning::stopped("produce")),
    }
}
