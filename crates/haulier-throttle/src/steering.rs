//! Reads the run's control again and again, obeys it, and says so.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::brake::Holding;
use haulier_core::control::{
    Bounds, History, Hold, Knob, Limit, Measured, RampReport, Report, Sample, Side, adaptive,
};
use haulier_core::port::{Clock, Ledger, Micros, ProcessBeat};
use haulier_core::tolerance::Ramp;
use haulier_core::{ProcessId, RunId};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::brakes::{Board, of_target};
use crate::decision::{Decision, NO_RAISE, Outside, Sight, place};
use crate::{Controls, Meter};

/// How often the ledger is read and the emergency file looked for.
const LOOK: Duration = Duration::from_millis(250);
/// A ledger that says nothing for so long is asked again.
const ANSWER: Duration = Duration::from_secs(5);
/// What was measured is reported so often.
const REPORT: Duration = Duration::from_secs(1);
/// A sample of it is kept so often: as long as the meter looks back, so that samples neither overlap nor leave out.
const SAMPLE: Duration = Duration::from_secs(10);
/// The last one holds up the end of a process for no longer.
const LAST: Duration = Duration::from_secs(1);
/// A new process takes its share so long after it was first seen: by then the others have made room.
const JOIN: Duration = Duration::from_secs(1);

/// What steers one process of a run.
#[derive(Debug)]
pub struct Steering {
    /// Where the control is.
    pub ledger: Arc<dyn Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The run.
    pub run: RunId,
    /// The name that the process goes by; a worker that was taken for dead changes it.
    pub name: Arc<watch::Sender<ProcessId>>,
    /// Everything holds still while this file exists, also when ledger and broker are away.
    pub emergency: PathBuf,
    /// How long a process may be silent before others take over what it holds.
    pub silent_after: Duration,
    /// Start values and ceilings.
    pub bounds: BTreeMap<Knob, Bounds>,
    /// The brakes of this process that hold.
    pub board: Board,
    /// Who raises the workers, until an operator says otherwise.
    pub ramp: Ramp,
    /// Workers that `auto` begins with.
    pub start: u32,
    /// What the tolerance law finds, where this process leads.
    pub found: watch::Receiver<Option<RampReport>>,
    /// What walks obey, where the process produces.
    pub produce: Option<Arc<Controls>>,
    /// What pushes obey, where the process works.
    pub push: Option<Arc<Controls>>,
    /// How many rows the source has, where the process counted them.
    pub expected: Option<u64>,
    /// What the process measured.
    pub meter: Arc<Meter>,
}

#[derive(Debug, Default)]
struct Known {
    history: History,
    beats: Vec<ProcessBeat>,
    read_at: Option<Instant>,
}

impl Steering {
    /// Steers until `ended`.
    pub async fn steer(self, ended: CancellationToken) {
        let known = watch::Sender::new(Known::default());
        let report = watch::Sender::new(Report::default());
        let look_now = Notify::new();
        tokio::select! {
            () = self.read(&known) => {}
            () = self.obey(&known, &report, &look_now) => {}
            () = self.tell(&report, &look_now) => {}
            () = self.remember() => {}
            () = ended.cancelled() => {}
        }
        // Of a process that ends sooner there is one sample, too.
        self.sample(LAST).await;
    }

    /// Keeps what was measured, for the run's papers.
    async fn remember(&self) {
        loop {
            sleep(SAMPLE).await;
            self.sample(ANSWER).await;
        }
    }

    async fn sample(&self, within: Duration) {
        let measured = self.meter.measured();
        if measured == Measured::default() {
            return;
        }
        let sample = Sample { at: self.clock.micros(), process: self.name.borrow().clone(), measured };
        match timeout(within, self.ledger.sample(&self.run, &sample)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the ledger does not take the sample"),
            Err(_) => tracing::debug!("the ledger does not answer the sample"),
        }
    }

    async fn read(&self, known: &watch::Sender<Known>) {
        let mut told = false;
        loop {
            let version = known.borrow().history.version();
            let reading = async {
                let changes = self.ledger.changes(&self.run, version).await?;
                Ok((changes, self.ledger.processes(&self.run).await?))
            };
            let read_at = Instant::now();
            match timeout(ANSWER, reading).await {
                Ok(Ok((changes, beats))) => {
                    told = false;
                    known.send_modify(|known| {
                        known.history.extend(changes);
                        known.beats = beats;
                        known.read_at = Some(read_at);
                    });
                }
                Ok(Err::<_, haulier_core::port::LedgerError>(error)) => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(%error, "the control cannot be read; nothing is raised meanwhile");
                    }
                }
                Err(_) => tracing::debug!("the ledger does not answer for the control"),
            }
            sleep(LOOK).await;
        }
    }

    async fn obey(&self, known: &watch::Sender<Known>, report: &watch::Sender<Report>, look_now: &Notify) {
        let mut news = known.subscribe();
        let mut board = self.board.watch();
        let mut before: Option<Decision> = None;
        let mut joined: Option<Instant> = None;
        loop {
            // What cannot be looked for may be there.
            let emergency = tokio::fs::try_exists(&self.emergency).await.unwrap_or(true);
            let (decision, version) = {
                board.borrow_and_update();
                let known = news.borrow_and_update();
                let me = self.name.borrow().clone();
                if known.beats.iter().any(|beat| beat.process == me) {
                    joined.get_or_insert_with(Instant::now);
                }
                let now = self.clock.micros();
                let outside = self.outside(&known, now);
                let sight = Sight {
                    history: &known.history,
                    now,
                    age: known.read_at.map(|at| at.elapsed()),
                    emergency,
                    outside: &outside,
                    bounds: &self.bounds,
                    place: place(&known.beats, now, self.silent_after, &me),
                    settled: joined.is_some_and(|joined| joined.elapsed() >= JOIN),
                };
                let mut decision = Decision::of(&sight);
                if let Some(before) = &before
                    && sight.age.is_none_or(|age| age >= NO_RAISE)
                {
                    decision = decision.not_above(before);
                }
                (decision, known.history.version())
            };
            if before.as_ref() != Some(&decision) {
                self.apply(&decision);
            }
            let news_to_tell = report.send_if_modified(|report| {
                let changed = before.as_ref() != Some(&decision) || report.version != version;
                if changed {
                    *report = self.report(&decision, version);
                }
                changed
            });
            if news_to_tell {
                look_now.notify_one();
            }
            before = Some(decision);
            tokio::select! {
                () = sleep(LOOK) => {}
                changed = news.changed() => if changed.is_err() { return },
                changed = board.changed() => if changed.is_err() { return },
            }
        }
    }

    /// What brakes and tolerance law say. The law's word is in the newest report that has one, whoever leads by now.
    fn outside(&self, known: &Known, now: Micros) -> Outside {
        let mut outside = Outside::default();
        for (side, holding) in self.board.holding() {
            outside.holds.entry(side).or_default().push(Hold::Brake(holding.name));
        }
        let ramp = known.history.ramp(now).map_or(self.ramp, |(ramp, _)| ramp);
        let reports = known.beats.iter().filter_map(|beat| beat.report.as_ref()?.ramp.as_ref());
        let found = reports.max_by_key(|found| found.at);
        outside.adaptive =
            Knob::ALL.into_iter().map(|knob| (knob, adaptive(knob, ramp, found, self.start))).collect();
        outside
    }

    fn apply(&self, decision: &Decision) {
        if let Some(produce) = &self.produce {
            produce.slots.set_limit(size(decision.fibres));
            produce.set_chunk(decision.chunk);
            rate(produce, decision.produce_rate);
            produce.flow.pause(decision.produce == crate::Gate::Closed);
            produce.set_gate(decision.produce);
        }
        if let Some(push) = &self.push {
            push.slots.set_limit(size(decision.workers));
            rate(push, decision.push_rate);
            push.set_gate(decision.push);
        }
    }

    fn report(&self, decision: &Decision, version: u64) -> Report {
        let (produces, works) = (self.produce.is_some(), self.push.is_some());
        Report {
            version,
            applied_at: self.clock.micros(),
            fibres: produces.then_some(decision.fibres),
            produce_rate: produces.then_some(decision.produce_rate),
            chunk: produces.then_some(decision.chunk),
            workers: works.then_some(decision.workers),
            push_rate: works.then_some(decision.push_rate),
            expected: self.expected,
            held: decision.held.as_ref().map(ToString::to_string),
            measured: self.meter.measured(),
            ..Report::default()
        }
    }

    /// What the board has, and what the target's flow waits for.
    fn brakes(&self) -> Vec<(Side, Holding)> {
        let target = self.push.iter().flat_map(|push| of_target(push, self.clock.micros()));
        self.board.holding().into_iter().chain(target.map(|holding| (Side::Push, holding))).collect()
    }

    /// Reports at once what was applied, and each second what was measured.
    async fn tell(&self, report: &watch::Sender<Report>, look_now: &Notify) {
        loop {
            let report = Report {
                measured: self.meter.measured(),
                attempts: self.push.is_some().then(|| self.meter.attempts()),
                brakes: self.brakes(),
                ramp: self.found.borrow().clone(),
                ..report.borrow().clone()
            };
            let name = self.name.borrow().clone();
            match timeout(ANSWER, self.ledger.report(&name, &report)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "the ledger does not take the report"),
                Err(_) => tracing::debug!("the ledger does not answer the report"),
            }
            tokio::select! {
                () = sleep(REPORT) => {}
                () = look_now.notified() => {}
            }
        }
    }
}

fn size(slots: u32) -> usize {
    usize::try_from(slots).unwrap_or(usize::MAX)
}

/// A side that is held keeps the rate that it had: its flow is closed by other means.
fn rate(controls: &Controls, limit: Limit) {
    match limit {
        Limit::At(rate) if rate > 0.0 => controls.flow.rate().set(Some(rate)),
        Limit::At(_) => {}
        Limit::None => controls.flow.rate().set(None),
    }
}
