//! The live control of this process: what it obeys, and the task that reads and applies it.

use std::sync::Arc;

use haulier_core::ProcessId;
use haulier_core::control::{Change, Limit, Setting, Turn, refusal};
use haulier_core::control::{History, Knob};
use haulier_core::port::{Clock, Run};
use haulier_throttle::brakes::Board;
use haulier_throttle::{Controls, Meter, Steering};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{brakes, stages};
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::metrics;
use crate::process;
use crate::site::{Neighbours, Role};
use crate::ui;

/// What this process obeys.
pub(crate) struct Helm {
    /// What walks obey.
    pub(crate) produce: Arc<Controls>,
    /// What pushes obey.
    pub(crate) push: Arc<Controls>,
    /// What was measured.
    pub(crate) meter: Arc<Meter>,
    /// The name that reports go under.
    pub(crate) name: Arc<watch::Sender<ProcessId>>,
    /// This process.
    pub(crate) process: ProcessId,
    /// What it does with the queue.
    pub(crate) role: Role,
    /// The brakes of this process that hold.
    pub(crate) board: Board,
    ended: CancellationToken,
    task: JoinHandle<()>,
    /// Gauges, queue and law; they end with this.
    _watching: JoinSet<()>,
}

impl Helm {
    /// Starts to read and to obey. Everything is closed until the control was read.
    pub(crate) async fn start(
        at: &Neighbours,
        run: &Run,
        process: &ProcessId,
        role: Role,
        expected: Option<u64>,
    ) -> Result<Self, CliError> {
        let meter = Arc::new(Meter::default());
        let controls = || Arc::new(Controls::new(Arc::clone(&meter)).with_breaker(at.breaker()));
        let (produce, push) = (controls(), controls());
        let name = Arc::new(watch::Sender::new(process.clone()));
        let ended = CancellationToken::new();
        let board = Board::default();
        let (finds, found) = watch::channel(None);
        let mut watching = if role == Role::Consume {
            JoinSet::new()
        } else {
            brakes::watch_all(at, run, at.queue(role).await?, &board, &meter, finds)?
        };
        watching.spawn(brakes::pause_when_critical(
            Arc::clone(&at.ledger),
            run.id.clone(),
            board.clone(),
            (role != Role::Publish).then(|| Arc::clone(&push)),
        ));
        if role == Role::Consume {
            let (ledger, run) = (Arc::clone(&at.ledger), run.id.clone());
            watching.spawn(stages::hold_without_controller(ledger, run, board.clone()));
        }
        let steering = Steering {
            ledger: Arc::clone(&at.ledger),
            clock: Arc::new(SystemClock),
            run: run.id.clone(),
            name: Arc::clone(&name),
            emergency: at.emergency(),
            silent_after: at.produce_settings().silent_after,
            bounds: at.bounds(),
            board: board.clone(),
            ramp: at.ramp(),
            start: at.tolerance().start,
            found,
            produce: (role != Role::Consume).then(|| Arc::clone(&produce)),
            push: (role != Role::Publish).then(|| Arc::clone(&push)),
            expected,
            meter: Arc::clone(&meter),
        };
        let until = ended.clone();
        let task = tokio::spawn(async move {
            steering.steer(until).await;
        });
        let process = process.clone();
        Ok(Self { produce, push, meter, name, process, role, board, ended, task, _watching: watching })
    }

    /// What this process shows to Prometheus.
    pub(crate) fn source(&self, run: &Run) -> metrics::Source {
        metrics::Source {
            run: run.id.to_string(),
            process: self.process.to_string(),
            produce: (self.role != Role::Consume).then(|| Arc::clone(&self.produce)),
            push: (self.role != Role::Publish).then(|| Arc::clone(&self.push)),
            meter: Arc::clone(&self.meter),
        }
    }

    /// Ends the task.
    pub(crate) async fn end(self) {
        self.ended.cancel();
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the control ended early");
        }
    }
}

/// Who gives values to start with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Giver {
    CommandLine,
    Stage,
}

impl Giver {
    fn reason(self) -> &'static str {
        match self {
            Self::CommandLine => "start value of the command line",
            Self::Stage => "start value of the stage",
        }
    }
}

/// Keeps what is given to start with, where the run has no other value yet: what was tuned stays. A stage's value gives way
/// to the next stage's.
pub(crate) async fn keep_start_values(
    at: &Neighbours,
    run: &Run,
    giver: Giver,
    values: Vec<(Knob, f64)>,
) -> Result<(), CliError> {
    let bounds = at.bounds();
    for (knob, value) in &values {
        let ceiling = bounds.get(knob).map_or(Limit::None, |bounds| bounds.ceiling);
        if ceiling.number() < *value {
            let refused = refusal(*knob, Limit::At(0.0), Limit::At(*value), ceiling);
            let words = refused.map_or_else(String::new, |refused| refused.to_string());
            return Err(CliError::new(Exit::Usage, words)
                .hint("start below it; `haulier tune --force` goes beyond it, on record"));
        }
    }
    while !values.is_empty() {
        let history = History::new(at.ledger.changes(&run.id, 0).await?);
        let (known, now) = (history.version(), SystemClock.micros());
        let mut changes = Vec::new();
        for (knob, value) in &values {
            let mut previous = bounds.get(knob).map_or(Limit::None, |bounds| bounds.start).to_string();
            if let Some(kept) = history.knob(*knob, now) {
                let (is, wanted) = (kept.turn.value(), Limit::At(*value).to_string());
                if is == wanted {
                    continue;
                }
                if giver != Giver::Stage || kept.reason.as_deref() != Some(giver.reason()) {
                    ui::note(format!(
                        "`{knob}` stays at {is}, as {} set it; `haulier tune` changes it",
                        kept.by
                    ));
                    continue;
                }
                previous = is;
            }
            changes.push(Change {
                version: known + 1 + changes.len() as u64,
                at: now,
                by: process::operator(),
                reason: Some(giver.reason().to_owned()),
                turn: Turn::Knob(*knob, Setting::To(Limit::At(*value))),
                previous,
                forced: false,
                expires: None,
            });
        }
        if changes.is_empty() || at.ledger.change(&run.id, known, &changes).await? {
            break;
        }
    }
    Ok(())
}
