//! Start values that `run`, `produce` and `work` share, and the parts they open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::control::{Knob, parse_rate};
use haulier_core::port::{Run, RunRequest, Target};
use haulier_core::{Action, EntityName, FailureKind};
use haulier_producer::{Producer, Progress as Produced};
use haulier_worker::{Progress as Worked, Worker};
use tokio_util::sync::CancellationToken;

use super::helm::Helm;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::metrics;
use crate::process;
use crate::site::{Neighbours, Role};
use crate::ui;

/// Where a process shows what it measures.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Metrics {
    /// Serve what this process measures for Prometheus, at http://ADDRESS/metrics
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
}

impl Metrics {
    /// Serves until the answer is dropped.
    pub(crate) async fn serve(self, run: &Run, helm: &Helm) -> Result<Option<metrics::Server>, CliError> {
        let Some(at) = self.metrics else { return Ok(None) };
        metrics::serve(at, helm.source(run)).await.map(Some)
    }
}

/// How fast the source is read.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ProduceTuning {
    /// Walks of the source at a time (start value) [default: the site's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) fibres: Option<u16>,
    /// Records a second out of the source (start value) [default: the site's]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) produce_rate: Option<f64>,
    /// Goes on with an unfinished run although the plan changed
    #[arg(long)]
    pub(crate) accept_plan_change: bool,
}

/// How fast records are pushed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PushTuning {
    /// Pushes at a time (start value) [default: the site's]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) workers: Option<u16>,
    /// Requests a second to the target, retries included (start value) [default: the site's]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    pub(crate) rate: Option<f64>,
    /// Seconds that requests in flight may take to end after a stop
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) grace: u64,
}

/// A rate such as `120`, `0.5`, `120/s`, `30/m`.
fn rate(text: &str) -> Result<f64, String> {
    match parse_rate(text) {
        Some(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        Some(rate) if rate.is_finite() => {
            Err("a rate is more than 0; `haulier pause` stops the flow".to_owned())
        }
        None if text.contains('/') => {
            Err("a rate is a number a second, such as `120`, `0.5`, `120/s` or `30/m`".to_owned())
        }
        Some(_) | None => Err(format!("`{text}` is not a number")),
    }
}

impl ProduceTuning {
    /// What the command line gives to start with.
    pub(crate) fn start_values(&self) -> Vec<(Knob, f64)> {
        let fibres = self.fibres.map(|fibres| (Knob::Fibres, f64::from(fibres)));
        fibres.into_iter().chain(self.produce_rate.map(|rate| (Knob::ProduceRate, rate))).collect()
    }
}

impl PushTuning {
    /// What the command line gives to start with.
    pub(crate) fn start_values(&self) -> Vec<(Knob, f64)> {
        let workers = self.workers.map(|workers| (Knob::Workers, f64::from(workers)));
        workers.into_iter().chain(self.rate.map(|rate| (Knob::PushRate, rate))).collect()
    }
}

/// Opens the unfinished run, or a new one.
pub(crate) async fn open_run(at: &Neighbours, tuning: &ProduceTuning) -> Result<Run, CliError> {
    use haulier_core::port::Clock;
    refuse_rolled_back(at).await?;
    let now = SystemClock.now();
    let id = process::run_id(now);
    let request = RunRequest {
        id: &id,
        plan: &at.plan.name,
        digest: &at.plan.digest,
        accept_plan: tuning.accept_plan_change,
        now: now.as_microsecond(),
    };
    Ok(at.ledger.open_run(request).await?)
}

/// After a rollback the ledger says of records that they have landed which the target no longer has.
async fn refuse_rolled_back(at: &Neighbours) -> Result<(), CliError> {
    use haulier_core::stage::{RunState, Standing};
    let Some(last) = at.ledger.latest_run().await?.filter(|run| run.finished_at.is_some()) else {
        return Ok(());
    };
    let standing = Standing::of(&at.ledger.entries(&last.id, 0).await?)
        .map_err(|misstep| CliError::new(Exit::Bug, format!("run {}: {misstep}", last.id)))?;
    if standing.run != RunState::RolledBack {
        return Ok(());
    }
    let problem = format!("run {} was rolled back: this ledger holds what the target no longer has", last.id);
    Err(CliError::new(Exit::No, problem).hint(
        "put the ledger back to its copy of that time, or name a new one in the site's `[ledger]`: what the target still has is found there by its natural keys",
    ))
}

/// Checks every entity against the source and counts its rows, so that a wrong plan is found before anything moves.
pub(crate) async fn check_source(at: &Neighbours) -> Result<Vec<(EntityName, u64)>, CliError> {
    let source = at.source().await?;
    let mut rows = Vec::with_capacity(at.plan.entities.len());
    for entity in &at.plan.entities {
        source.check(entity).await?;
        rows.push((entity.name.clone(), source.count(entity).await?));
    }
    Ok(rows)
}

/// The producer of a run, ready to start.
pub(crate) async fn producer(
    at: &Neighbours,
    run: &Run,
    helm: &Helm,
    expected: &[(EntityName, u64)],
    stop: &CancellationToken,
) -> Result<(Producer, Arc<Produced>), CliError> {
    let progress = Arc::new(Produced::default());
    let producer = Producer {
        source: at.source().await?,
        queue: at.queue(helm.role).await?,
        ledger: Arc::clone(&at.ledger),
        clock: Arc::new(SystemClock),
        plan: Arc::clone(&at.plan),
        run: run.id.clone(),
        process: helm.process.clone(),
        host: (helm.role == Role::Publish).then(process::host),
        settings: at.produce_settings(),
        leg: None,
        controls: Arc::clone(&helm.produce),
        meter: Arc::clone(&helm.meter),
        board: helm.board.clone(),
        rows: expected.iter().cloned().collect(),
        progress: Arc::clone(&progress),
        stop: stop.clone(),
    };
    Ok((producer, progress))
}

/// The worker of a run, ready to start, with its counters.
pub(crate) async fn worker(
    at: &Neighbours,
    run: &Run,
    target: Arc<dyn Target>,
    helm: &Helm,
    tuning: &PushTuning,
    stop: &CancellationToken,
) -> Result<(Worker, Arc<Worked>), CliError> {
    let progress = Arc::new(Worked::default());
    let worker = Worker {
        queue: at.queue(helm.role).await?,
        ledger: Arc::clone(&at.ledger),
        target,
        clock: Arc::new(SystemClock),
        plan: Arc::clone(&at.plan),
        run: run.id.clone(),
        process: helm.process.clone(),
        controls: Arc::clone(&helm.push),
        name: Arc::clone(&helm.name),
        settings: haulier_worker::Settings {
            prefetch: at.prefetch(),
            zombie_grace: at.produce_settings().zombie_grace,
            silent_after: at.produce_settings().silent_after,
            grace: Duration::from_secs(tuning.grace),
            role: if helm.role == Role::Both { "run" } else { "worker" },
            host: process::host(),
        },
        progress: Arc::clone(&progress),
        stop: stop.clone(),
    };
    Ok((worker, progress))
}

/// The target, once it answers and takes the credentials. One that fails for now is asked a few times more: the work itself
/// would wait, too. One that says nothing at all, for a few seconds only.
pub(crate) async fn checked_target(at: &Neighbours) -> Result<Arc<dyn Target>, CliError> {
    let target = at.target()?;
    let (started, mut wait) = (tokio::time::Instant::now(), Duration::from_millis(200));
    loop {
        match target.check().await {
            Ok(()) => return Ok(target),
            Err(failure)
                if wait > Duration::from_secs(4)
                    || (failure.status.is_none() && started.elapsed() > SILENT_FOR) =>
            {
                return Err(failure.into());
            }
            Err(failure) => match failure.kind.action().0 {
                Action::Retry => tokio::time::sleep(wait).await,
                Action::PauseEndpoint if failure.kind == FailureKind::Throttled => {
                    tokio::time::sleep(failure.retry_after.unwrap_or(wait)).await;
                }
                Action::PauseEndpoint
                | Action::PauseTenant
                | Action::Bury
                | Action::AwaitParent
                | Action::AwaitPerson
                | Action::Verify => return Err(failure.into()),
            },
        }
        wait *= 2;
    }
}

/// A target that gives no answer is asked again for so long.
const SILENT_FOR: Duration = Duration::from_secs(2);

/// Says that a run stopped before its end, and how to go on.
pub(crate) fn stopped(command: &str) -> Exit {
    ui::note(format!("stopped; everything is in the ledger, `haulier {command}` goes on from here"));
    Exit::Stopped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_a_second() {
        assert_eq!(rate("120"), Ok(120.0));
        assert_eq!(rate("30/m"), Ok(0.5));
        for bad in ["", "0", "-1", "NaN", "inf", "\"5\"", "5/x"] {
            assert!(rate(bad).is_err(), "{bad:?}");
        }
    }
}
