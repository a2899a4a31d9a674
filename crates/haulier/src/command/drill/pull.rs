//! One kill: what works is started, watched until it is midstream, killed, started again, and seen through to its end.

use std::time::{Duration, Instant};

use haulier_core::plan::StageKind;
use haulier_core::port::{Clock, Run};
use haulier_core::{RecordState, RunId};
use tokio::process::Child;

use super::cost;
use super::part::{Part, Plugged};
use super::parts;
use super::report::Pulled;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;

/// How often is looked how far it came.
const LOOK: Duration = Duration::from_millis(5);
/// Longest time for a part to come so far, or to end.
const PATIENCE: Duration = Duration::from_mins(30);
/// How long a worker has to notice that the run is over.
const LATE: Duration = Duration::from_secs(20);
/// A worker that had nothing in hand when it was killed is killed again, so often.
const TRIES: u32 = 5;

/// What is killed, and when.
pub(super) struct Drill<'d> {
    pub(super) global: &'d Global,
    pub(super) at: &'d Neighbours,
    pub(super) part: Part,
    pub(super) plug: Plugged<'d>,
    pub(super) after: u64,
}

/// The processes that move the records: the one that ends with the run, and the worker where it is another.
struct Movers {
    begin: Vec<String>,
    main: Child,
    worker: Option<Child>,
}

/// How far it had come when something was killed.
struct Moment {
    landed: u64,
    in_hand: u64,
    reading: bool,
}

impl Drill<'_> {
    pub(super) async fn pull(&self) -> Result<Pulled, CliError> {
        let before = self.at.ledger.latest_run().await?.map(|run| run.id);
        let mut movers = self.begin()?;
        let run = self.newer(before.as_ref(), &mut movers.main).await?;
        let (moment, landed_then, restarted) = self.kill_and_restart(&run, &mut movers).await?;
        let mut resumed_after = None;
        let ended = loop {
            tokio::select! {
                ended = movers.main.wait() => break ended?,
                () = tokio::time::sleep(LOOK) => {
                    if resumed_after.is_none() && self.landed(&run).await? > landed_then {
                        resumed_after = Some(restarted.elapsed());
                    }
                }
            }
            if restarted.elapsed() > PATIENCE {
                return Err(CliError::new(Exit::No, "the drill's processes did not end"));
            }
        };
        if let Some(mut worker) = movers.worker {
            // One that was started again may have come after the run's end, and waits for the next one.
            if tokio::time::timeout(LATE, worker.wait()).await.is_err() {
                worker.kill().await?;
            }
        }
        if !matches!(ended.code(), Some(0 | 1)) {
            return Err(CliError::new(Exit::No, format!("what was started again ended with {ended}"))
                .hint("run it by hand, to hear what it says"));
        }
        let tally = cost::tally(self.at, &run).await?.total();
        let smoke_only = self.part == Part::Controller && self.smoke().is_some();
        let differs = cost::differences(self.global, self.at, &run, smoke_only).await?;
        if smoke_only {
            // Its run ends here: the next drill has one of its own.
            self.at.ledger.finish_run(&run.id, SystemClock.micros()).await?;
        }
        Ok(Pulled {
            killed: self.part,
            run: run.id.to_string(),
            landed_before: moment.landed,
            in_hand: moment.in_hand,
            reading: moment.reading,
            planned: tally.planned,
            lost: differs[0] + tally.open(),
            doubled: differs[1],
            changed: differs[2],
            repeated: cost::repeated(self.at, &run).await?,
            resumed_after_ms: resumed_after.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
        })
    }

    fn smoke(&self) -> Option<String> {
        self.at.plan.stages.of_kind(StageKind::Smoke).map(|stage| stage.name.to_string())
    }

    /// Starts what moves the records: a controller up to its smoke, or a producer and a worker.
    fn begin(&self) -> Result<Movers, CliError> {
        let alone = self.part == Part::Controller;
        let begin = match (alone, self.smoke()) {
            (false, _) => vec!["produce".to_owned(), "--drill".to_owned()],
            (true, Some(smoke)) => {
                ["run", "--rehearsal", "--no-wait", "--until", &smoke].map(str::to_owned).to_vec()
            }
            (true, None) => vec!["run".to_owned()],
        };
        let main = self.start(&begin, None)?;
        let worker = if alone { None } else { Some(parts::start(self.global, &["work"])?) };
        Ok(Movers { begin, main, worker })
    }

    fn start(&self, words: &[String], more: Option<&str>) -> Result<Child, CliError> {
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more).collect();
        parts::start(self.global, &words)
    }

    /// Kills the part midstream and starts it again. Returns how far it had come, what had landed when it was back, and when that was.
    async fn kill_and_restart(
        &self,
        run: &Run,
        movers: &mut Movers,
    ) -> Result<(Moment, u64, Instant), CliError> {
        let mut pulled = None;
        for _ in 0..TRIES {
            let Some(mut moment) = self.midstream(run, &mut movers.main).await? else { break };
            match (&self.plug, self.part, &mut movers.worker) {
                (Plugged::Neighbour(plug), ..) => {
                    parts::run(&plug.kill).await?;
                    tokio::time::sleep(self.at.drill().away).await;
                    // Of a ledger that is away nobody knows; of the others, what landed until they came back.
                    let landed =
                        if self.part == Part::Ledger { moment.landed } else { self.landed(run).await? };
                    parts::run(&plug.start).await?;
                    return Ok((moment, landed, Instant::now()));
                }
                (Plugged::Own, Part::Worker, Some(worker)) => worker.kill().await?,
                (Plugged::Own, ..) => movers.main.kill().await?,
            }
            // Nobody else settles a dead worker's records, so this is what it had in hand.
            (moment.landed, moment.in_hand) = self.flow(run).await?;
            let restarted = Instant::now();
            match self.part {
                Part::Worker => movers.worker = Some(parts::start(self.global, &["work"])?),
                Part::Controller if self.smoke().is_some() => {
                    // The lease of the killed one has to run out first.
                    tokio::time::sleep(haulier_stages::LEASE).await;
                    movers.main = self.start(&movers.begin, Some("--resume"))?;
                }
                Part::Producer | Part::Controller => movers.main = self.start(&movers.begin, None)?,
                Part::Broker | Part::Source | Part::Target | Part::Ledger => {}
            }
            // It may have been between two messages, which proves little.
            let again = self.part == Part::Worker && moment.in_hand == 0;
            let landed = moment.landed;
            pulled = Some((moment, landed, restarted));
            if !again {
                break;
            }
        }
        pulled.ok_or_else(|| {
            CliError::new(Exit::No, "the run ended before anything was killed").hint(
                "`--after` with a smaller number, a source of which more is left to move, or a lower `rate` in the site",
            )
        })
    }

    /// Waits for the run that the drill began.
    async fn newer(&self, before: Option<&RunId>, main: &mut Child) -> Result<Run, CliError> {
        loop {
            let ended = main.try_wait()?;
            if let Some(run) = self.at.ledger.latest_run().await?.filter(|run| Some(&run.id) != before) {
                return Ok(run);
            }
            if let Some(ended) = ended {
                let error = CliError::new(
                    Exit::No,
                    format!("what the drill started ended with {ended}, without a run"),
                );
                return Err(error.hint("`haulier check` says what is wrong"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn landed(&self, run: &Run) -> Result<u64, CliError> {
        Ok(cost::tally(self.at, run).await?.total().of(RecordState::Landed))
    }

    /// What has landed, and what workers have in hand.
    async fn flow(&self, run: &Run) -> Result<(u64, u64), CliError> {
        let total = cost::tally(self.at, run).await?.total();
        Ok((total.of(RecordState::Landed), total.of(RecordState::Sending)))
    }

    /// Whether some walk has not come to its end.
    async fn is_reading(&self, run: &Run) -> Result<bool, CliError> {
        for entity in &self.at.plan.entities {
            let walks = self.at.ledger.cursors(&run.id, &entity.name).await?;
            if walks.is_empty() || walks.iter().any(|walk| !walk.done) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits until so many records have landed and workers have others in hand; `None` where the run ended before.
    async fn midstream(&self, run: &Run, main: &mut Child) -> Result<Option<Moment>, CliError> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            let (landed, in_hand) = self.flow(run).await?;
            if landed >= self.after && in_hand > 0 {
                return Ok(Some(Moment { landed, in_hand, reading: self.is_reading(run).await? }));
            }
            if main.try_wait()?.is_some() {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(CliError::new(Exit::No, "too few records landed"))
    }
}
