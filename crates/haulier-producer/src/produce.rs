//! Producing a run: the walks, so many at a time, the sweeper beside them, and the end when everything is accounted for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Cursor, Ledger, LedgerError, Queue, Source, Tally, WalkId};
use haulier_core::{EntityName, ProcessId, RecordState, RunId};
use haulier_throttle::brakes::Board;
use haulier_throttle::{Controls, Meter, Slot, patiently};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fibre;
use crate::leg::Leg;
use crate::mapping::Mapper;
use crate::progress::Progress;
use crate::set_back::SetBack;
use crate::shared::{Settings, Shared};
use crate::{ProduceError, lease, sweep};

/// An entity has a walk of its own for so many rows,
const ROWS_A_WALK: u64 = 5_000;
/// and at most so many beyond what the fibres at the start need.
const MOST_WALKS: usize = 32;
const SWEEP_PAUSE: Duration = Duration::from_millis(200);
/// A queue that stays empty for so long while the ledger calls records queued has lost them.
const QUIET: Duration = Duration::from_secs(2);
/// The same where the queue cannot say what is unsettled.
const QUIET_UNSEEN: Duration = Duration::from_secs(30);

/// The producer of one run. One process holds the run's lease at a time.
#[derive(Debug)]
pub struct Producer {
    /// Where rows come from.
    pub source: Arc<dyn Source>,
    /// Where parcels go.
    pub queue: Arc<dyn Queue>,
    /// What happened.
    pub ledger: Arc<dyn Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What moves.
    pub plan: Arc<Plan>,
    /// The run.
    pub run: RunId,
    /// This process.
    pub process: ProcessId,
    /// This host's name, where the producer gives signs of life itself; `None` where a worker of the process does.
    pub host: Option<String>,
    /// What does not change while it runs.
    pub settings: Settings,
    /// What changes while it runs.
    pub controls: Arc<Controls>,
    /// Where published records are counted.
    pub meter: Arc<Meter>,
    /// Where a source that does not deliver in time is put up.
    pub board: Board,
    /// The part of the run that is walked, where it is walked in parts; the run does not end with it.
    pub leg: Option<Leg>,
    /// How many rows each entity has, as far as it was counted.
    pub rows: HashMap<EntityName, u64>,
    /// Counters for those who watch.
    pub progress: Arc<Progress>,
    /// Stops intake: walks end after the chunk in hand.
    pub stop: CancellationToken,
}

/// How producing ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Everything planned is landed, dead, held or skipped.
    Drained(Tally),
    /// A stop was asked for; the same command goes on from here.
    Stopped,
}

impl Producer {
    /// Walks every entity, sends again what is due, and ends when everything is accounted for or a stop came.
    /// Safe to run again after any end, also a crash.
    pub async fn run(self) -> Result<Ending, ProduceError> {
        let mut mappers = HashMap::new();
        for entity in &self.plan.entities {
            mappers.insert(entity.name.clone(), Mapper::new(entity)?);
        }
        let mappers = Arc::new(mappers);
        let shared = Arc::new(Shared {
            source: self.source,
            queue: self.queue,
            ledger: self.ledger,
            clock: self.clock,
            run: self.run,
            host: self.host,
            settings: self.settings,
            longest_wait: longest_wait(&self.plan, &self.settings),
            leg: self.leg,
            controls: self.controls,
            meter: self.meter,
            board: self.board,
            progress: self.progress,
            // Walks, sweeper and lease all end with this one, whoever fails first.
            stop: self.stop.child_token(),
            epoch: AtomicU64::new(0),
            standing: lease::Standing::default(),
        });
        if !lease::take(&shared, &self.process).await? {
            return Ok(Ending::Stopped);
        }
        let mut tasks: JoinSet<Result<Option<Ending>, ProduceError>> = JoinSet::new();
        let process = self.process.clone();
        tasks.spawn({
            let shared = Arc::clone(&shared);
            async move { lease::keep(&shared, &process).await.map(|()| None) }
        });
        tasks.spawn({
            let (shared, mappers) = (Arc::clone(&shared), Arc::clone(&mappers));
            async move { keep_sweeping(&shared, &mappers).await.map(|()| None) }
        });
        tasks.spawn({
            let (shared, plan, rows) = (Arc::clone(&shared), Arc::clone(&self.plan), self.rows);
            async move {
                walk_all(&shared, &plan, &mappers, &rows).await?;
                drain(&shared).await.map(Some)
            }
        });
        let mut ending = Ok(Ending::Stopped);
        while let Some(ended) = tasks.join_next().await {
            match ended.map_err(|error| ProduceError::Panicked(error.to_string())).and_then(|ended| ended) {
                Ok(None) => {}
                Ok(Some(last)) => {
                    ending = ending.map(|_| last);
                    shared.stop.cancel();
                }
                Err(error) => {
                    // An error that follows from the stop is not the cause.
                    if !shared.stop.is_cancelled() {
                        ending = Err(error);
                    }
                    shared.stop.cancel();
                }
            }
        }
        lease::give_back(&shared, &self.process).await;
        ending
    }
}

/// The longest that anything is put off by a clock that is right.
fn longest_wait(plan: &Plan, settings: &Settings) -> Duration {
    let waits = [plan.retry.cap, plan.retry.retry_after_cap, settings.zombie_grace, settings.silent_after];
    waits.into_iter().max().unwrap_or_default().saturating_mul(2).max(Duration::from_mins(1))
}

async fn keep_sweeping(shared: &Shared, mappers: &HashMap<EntityName, Mapper>) -> Result<(), ProduceError> {
    let mut clock = SetBack::default();
    loop {
        shared.until_not_closed().await;
        if shared.stop.is_cancelled() {
            return Ok(());
        }
        clock.look(shared).await?;
        let sent = sweep::sweep(shared, mappers, &mut clock).await?;
        if sent == 0 {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_PAUSE) => {}
                () = shared.stop.cancelled() => {}
            }
        }
    }
}

async fn walk_all(
    shared: &Arc<Shared>,
    plan: &Plan,
    mappers: &Arc<HashMap<EntityName, Mapper>>,
    rows: &HashMap<EntityName, u64>,
) -> Result<(), ProduceError> {
    let mut fibres: JoinSet<Result<(), ProduceError>> = JoinSet::new();
    for entity in &plan.entities {
        for cursor in walks_of(shared, entity, rows.get(&entity.name).copied()).await? {
            // Taken here, so that walks start in the plan's order.
            let Some(slot) = slot(shared, &mut fibres).await? else { break };
            let (shared, mappers) = (Arc::clone(shared), Arc::clone(mappers));
            let name = entity.name.clone();
            fibres.spawn(async move {
                let Some(mapper) = mappers.get(&name) else { return Ok(()) };
                fibre::walk(&shared, mapper, cursor, slot).await
            });
        }
    }
    while let Some(ended) = fibres.join_next().await {
        ended.map_err(|error| ProduceError::Panicked(error.to_string()))??;
    }
    if !shared.stop.is_cancelled() && shared.leg.is_none() {
        in_ledger(shared, || shared.ledger.produced(&shared.run, shared.clock.micros())).await?;
    }
    Ok(())
}

/// A slot for one more walk; `None` when the stop came first.
async fn slot(
    shared: &Shared,
    fibres: &mut JoinSet<Result<(), ProduceError>>,
) -> Result<Option<Slot>, ProduceError> {
    loop {
        tokio::select! {
            biased;
            () = shared.stop.cancelled() => return Ok(None),
            Some(ended) = fibres.join_next(), if !fibres.is_empty() => {
                ended.map_err(|error| ProduceError::Panicked(error.to_string()))??;
            }
            slot = shared.controls.slots.take() => return Ok(Some(slot)),
        }
    }
}

/// How many walks an entity is cut into: as many as there are fibres at the start, and more where it is large, so that
/// fibres which are added later find something to do.
fn walks(fibres: usize, rows: Option<u64>) -> usize {
    let large = rows.map_or(1, |rows| usize::try_from(rows / ROWS_A_WALK).unwrap_or(usize::MAX));
    fibres.max(1).max(large.min(MOST_WALKS))
}

/// The unfinished walks of an entity: those of the ledger, or new ones.
async fn walks_of(
    shared: &Shared,
    entity: &haulier_core::plan::Entity,
    rows: Option<u64>,
) -> Result<Vec<Cursor>, ProduceError> {
    let known = in_ledger(shared, || shared.ledger.cursors(&shared.run, &entity.name)).await?;
    let leg = shared.leg.as_ref();
    let known: Vec<Cursor> =
        known.into_iter().filter(|cursor| leg.is_none_or(|leg| leg.has_walk(cursor.walk.range))).collect();
    if !known.is_empty() {
        return Ok(known.into_iter().filter(|cursor| !cursor.done).collect());
    }
    // A few tenants' rows are one walk: ranges of the whole key space would mostly be empty.
    let few = leg.is_some_and(|leg| leg.narrowed(entity).is_some());
    let count = if few { 1 } else { walks(shared.settings.fibres, rows) };
    let call = || shared.source.ranges(entity, count);
    let ranges =
        patiently("the source", &shared.stop, haulier_core::port::SourceError::is_passing, call).await?;
    let cursors: Vec<Cursor> = (leg.map_or(0, Leg::first_walk)..)
        .zip(ranges)
        .map(|(number, range)| Cursor {
            walk: WalkId { entity: entity.name.clone(), range: number },
            after: range.after,
            upto: range.upto,
            at: None,
            done: false,
        })
        .collect();
    // Stored before the first row is read, so that a resume cuts the key space in the same places.
    in_ledger(shared, || shared.ledger.advance(&shared.run, &cursors)).await?;
    Ok(cursors)
}

/// A call that waits for a ledger which is away, or whose disk is full.
async fn in_ledger<T, F: Future<Output = Result<T, LedgerError>>>(
    shared: &Shared,
    call: impl FnMut() -> F,
) -> Result<T, LedgerError> {
    patiently("the ledger", &shared.stop, LedgerError::is_passing, call).await
}

/// Waits until nothing is open; finds records that the queue lost.
async fn drain(shared: &Shared) -> Result<Ending, ProduceError> {
    let mut quiet_since: Option<Instant> = None;
    while !shared.stop.is_cancelled() {
        let tally = in_ledger(shared, || shared.ledger.tally(&shared.run)).await?;
        if let Err(entity) = tally.check_conserved() {
            let counts = tally.entities.get(entity).cloned().unwrap_or_default();
            return Err(ProduceError::NotConserved {
                entity: entity.clone(),
                planned: counts.planned,
                counted: counts.states.values().sum(),
            });
        }
        let total = tally.total();
        if total.open() == 0 {
            if shared.leg.is_none() {
                in_ledger(shared, || shared.ledger.finish_run(&shared.run, shared.clock.micros())).await?;
            }
            return Ok(Ending::Drained(tally));
        }
        let only_queued = total.open() == total.of(RecordState::Queued);
        let patience = match shared.queue.depth().await {
            Ok(depth) if only_queued && depth.is_empty() => Some(QUIET),
            Ok(_) => None,
            Err(_) if only_queued => Some(QUIET_UNSEEN),
            Err(_) => None,
        };
        match (patience, quiet_since) {
            (Some(patience), Some(since)) if since.elapsed() >= patience => {
                let found =
                    in_ledger(shared, || shared.ledger.rescue(&shared.run, shared.clock.micros())).await?;
                tracing::warn!(
                    records = found,
                    "the queue is empty and these records never came out of it; they are sent again"
                );
                quiet_since = None;
            }
            (Some(_), None) => quiet_since = Some(Instant::now()),
            (Some(_), Some(_)) => {}
            (None, _) => quiet_since = None,
        }
        tokio::select! {
            () = tokio::time::sleep(SWEEP_PAUSE) => {}
            () = shared.stop.cancelled() => {}
        }
    }
    Ok(Ending::Stopped)
}
