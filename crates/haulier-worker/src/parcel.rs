//! One parcel: claim, resolve references, push, settle, acknowledge.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use haulier_core::plan::{Entity, PushProgram};
use haulier_core::port::{Claim, Consumer, Delivery, LedgerError, Settle, Settled, Settlement, Wanted};
use haulier_core::{FailureKind, Outcome, Parcel, Record, RecordRef, SourceKey, TargetId, crash};
use haulier_throttle::patiently;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::WorkError;
use crate::fence::Hold;
use crate::push::{Flown, push};
use crate::shared::Shared;
use crate::verdict::{Circumstances, settlement};

/// Outcomes of a slow parcel are settled at least so often.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

/// Handles one delivery to its end. An error means that the ledger is lost for good; the delivery comes again.
/// After `session` is cancelled nothing more of it begins, and it goes back.
pub(crate) async fn handle(
    shared: &Shared,
    consumer: &dyn Consumer,
    delivery: Delivery,
    session: &CancellationToken,
) -> Result<(), WorkError> {
    crash::point(crash::WORK_AFTER_TAKE);
    let mut backlog = BacklogShare { shared, records: delivery.parcel.records.len() };
    let Some(entity) = shared.plan.entity(&delivery.parcel.entity) else {
        let reason = format!("the plan has no entity `{}`", delivery.parcel.entity);
        return settle(shared, consumer, delivery, Settle::Bury(reason)).await;
    };
    if delivery.parcel.run != shared.run {
        tracing::info!(run = %delivery.parcel.run, "a parcel of another run is dropped; the ledger accounts for its records");
        return settle(shared, consumer, delivery, Settle::Done).await;
    }
    let hold = tokio::select! {
        hold = shared.fence.hold() => hold,
        () = session.cancelled() => return settle(shared, consumer, delivery, Settle::GiveBack).await,
    };
    let work = async {
        let claims = claim(shared, &hold, entity, &delivery.parcel).await?;
        crash::point(crash::WORK_AFTER_CLAIM);
        let mut load = Load::new(shared, &hold, entity, &delivery.parcel, claims).await?;
        load.push_all(&mut backlog, session).await?;
        Ok::<bool, WorkError>(load.all_done)
    };
    let done = tokio::select! {
        done = work => done?,
        // Others hold the claims by now: nothing of this may be settled.
        () = hold.dropped.cancelled() => false,
    };
    crash::point(crash::WORK_AFTER_SETTLE);
    settle(shared, consumer, delivery, if done { Settle::Done } else { Settle::GiveBack }).await?;
    crash::point(crash::WORK_AFTER_ACK);
    Ok(())
}

/// The parcel's part of the process's backlog; given back whatever way the parcel ends.
struct BacklogShare<'a> {
    shared: &'a Shared,
    records: usize,
}

impl BacklogShare<'_> {
    fn started(&mut self, records: usize) {
        let records = records.min(self.records);
        self.records -= records;
        self.shared.backlog.remove(records);
    }

    fn returned(&mut self, records: usize) {
        self.records += records;
        self.shared.backlog.add(records);
    }
}

impl Drop for BacklogShare<'_> {
    fn drop(&mut self) {
        self.started(self.records);
    }
}

async fn settle(
    shared: &Shared,
    consumer: &dyn Consumer,
    delivery: Delivery,
    how: Settle,
) -> Result<(), WorkError> {
    // The ledger has the truth already: a lost acknowledgement only brings the parcel back, to be dropped.
    if let Err(error) = consumer.settle(delivery.receipt, how).await {
        tracing::debug!(error = %error, run = %shared.run, "an acknowledgement was lost; the parcel comes again");
    }
    Ok(())
}

async fn claim(
    shared: &Shared,
    hold: &Hold,
    entity: &Entity,
    parcel: &Parcel,
) -> Result<Vec<Claim>, LedgerError> {
    let wanted: Vec<Wanted> = parcel
        .records
        .iter()
        .map(|record| Wanted { key: record.key.clone(), generation: record.generation, hash: record.hash })
        .collect();
    let call = || shared.ledger.claim(&shared.run, &entity.name, &hold.process, &wanted);
    patiently("the ledger", &shared.stop, LedgerError::is_passing, call).await
}

/// A record that this process may send.
pub(crate) struct Item<'a> {
    pub(crate) record: &'a Record,
    attempt: u32,
    pub(crate) known: Option<TargetId>,
    pub(crate) unsure: bool,
    pub(crate) refs: Vec<Option<TargetId>>,
    pub(crate) idempotency_key: String,
}

/// The claimed records of one parcel on their way.
struct Load<'a> {
    shared: &'a Shared,
    hold: &'a Hold,
    entity: &'a Entity,
    items: Vec<Item<'a>>,
    /// May be sent now.
    ready: VecDeque<usize>,
    /// Wait for a record of this same parcel, by its key.
    waiting: HashMap<SourceKey, Vec<usize>>,
    settled: Vec<Settled>,
    oldest: Option<Instant>,
    all_done: bool,
    /// Whether any entity refers to this one, so that its ids are worth remembering.
    referred_to: bool,
}

impl<'a> Load<'a> {
    async fn new(
        shared: &'a Shared,
        hold: &'a Hold,
        entity: &'a Entity,
        parcel: &'a Parcel,
        claims: Vec<Claim>,
    ) -> Result<Self, WorkError> {
        let mut items = Vec::with_capacity(parcel.records.len());
        for (record, claim) in parcel.records.iter().zip(claims) {
            if let Claim::Send { attempt, known, unsure } = claim {
                let idempotency_key = record.hash.to_hex();
                items.push(Item { record, attempt, known, unsure, refs: Vec::new(), idempotency_key });
            }
        }
        shared.progress.add_dropped(parcel.records.len() - items.len());
        let mut load = Self {
            shared,
            hold,
            entity,
            items,
            ready: VecDeque::new(),
            waiting: HashMap::new(),
            settled: Vec::new(),
            oldest: None,
            all_done: true,
            referred_to: shared.plan.entities.iter().any(|e| e.refs.iter().any(|r| r.entity == entity.name)),
        };
        load.resolve().await?;
        Ok(load)
    }

    /// Sorts the records into those that may go, those that wait for another of this parcel, and those that are held.
    async fn resolve(&mut self) -> Result<(), WorkError> {
        if self.entity.refs.is_empty() {
            self.ready = (0..self.items.len()).collect();
            return Ok(());
        }
        let wanted: Vec<RecordRef> =
            self.items.iter().flat_map(|item| references(self.entity, item.record).flatten()).collect();
        let ledger = self.shared.ledger.as_ref();
        let call = || self.shared.ids.of(ledger, wanted.iter().cloned());
        let ids = patiently("the ledger", &self.shared.stop, LedgerError::is_passing, call).await?;
        let here: HashMap<SourceKey, usize> =
            self.items.iter().enumerate().map(|(index, item)| (item.record.key.clone(), index)).collect();
        for index in 0..self.items.len() {
            self.sort_in(index, &ids, &here);
        }
        // A ring inside the parcel would wait for itself: its members are held, as across parcels.
        self.hold_rings();
        Ok(())
    }

    fn sort_in(
        &mut self,
        index: usize,
        ids: &HashMap<RecordRef, TargetId>,
        here: &HashMap<SourceKey, usize>,
    ) {
        let Some(item) = self.items.get_mut(index) else { return };
        let mut refs = Vec::with_capacity(self.entity.refs.len());
        let mut missing = None;
        for reference in references(self.entity, item.record) {
            match reference {
                None => refs.push(None),
                Some(parent) => match ids.get(&parent) {
                    Some(id) => refs.push(Some(id.clone())),
                    None => {
                        refs.push(None);
                        missing = missing.or(Some(parent));
                    }
                },
            }
        }
        item.refs = refs;
        match missing {
            None => self.ready.push_back(index),
            Some(parent)
                if parent.entity == self.entity.name
                    && here.get(&parent.key).is_some_and(|at| *at != index) =>
            {
                self.waiting.entry(parent.key).or_default().push(index);
            }
            Some(parent) => self.hold(index, parent),
        }
    }

    fn hold_rings(&mut self) {
        let mut reachable: Vec<usize> = self.ready.iter().copied().collect();
        let mut at = 0;
        while let Some(index) = reachable.get(at).copied() {
            at += 1;
            let Some(item) = self.items.get(index) else { continue };
            if let Some(children) = self.waiting.get(&item.record.key) {
                reachable.extend(children);
            }
        }
        let stuck: Vec<SourceKey> = self
            .waiting
            .iter()
            .filter(|(_, children)| children.iter().any(|child| !reachable.contains(child)))
            .map(|(parent, _)| parent.clone())
            .collect();
        for parent in stuck {
            self.hold_children(&parent);
        }
    }

    fn hold(&mut self, index: usize, parent: RecordRef) {
        let Some(item) = self.items.get(index) else { return };
        self.shared.progress.add_held();
        let key = item.record.key.clone();
        self.note(index, Settlement::AwaitParent(parent));
        self.hold_children(&key);
    }

    fn hold_children(&mut self, key: &SourceKey) {
        for child in self.waiting.remove(key).unwrap_or_default() {
            self.hold(child, RecordRef { entity: self.entity.name.clone(), key: key.clone() });
        }
    }

    fn note(&mut self, index: usize, how: Settlement) {
        let Some(item) = self.items.get(index) else { return };
        let now = self.shared.clock.micros();
        self.settled.push(Settled { key: item.record.key.clone(), attempt: item.attempt, how, now });
        self.oldest.get_or_insert_with(Instant::now);
    }

    /// Pushes everything that may go, and settles all.
    async fn push_all(
        &mut self,
        backlog: &mut BacklogShare<'_>,
        session: &CancellationToken,
    ) -> Result<(), WorkError> {
        let most = if let PushProgram::Bulk(bulk) = &self.entity.push { bulk.max.max(1) } else { 1 };
        let (shared, hold, entity) = (self.shared, self.hold, self.entity);
        let mut flying = FuturesUnordered::new();
        let take = shared.controls.slots.take();
        tokio::pin!(take);
        loop {
            let stopping = session.is_cancelled();
            if flying.is_empty() && (self.ready.is_empty() || stopping) {
                break;
            }
            let flush_at =
                self.oldest.map_or_else(|| Instant::now() + FLUSH_EVERY, |oldest| oldest + FLUSH_EVERY);
            tokio::select! {
                biased;
                Some(flown) = flying.next(), if !flying.is_empty() => match flown {
                    Flown::Ended(landed) => {
                        for (index, outcome) in landed {
                            self.ended(index, outcome);
                        }
                    }
                    Flown::NotBegun(batch) => {
                        backlog.returned(batch.len());
                        for index in batch.into_iter().rev() {
                            self.ready.push_front(index);
                        }
                    }
                },
                slot = &mut take, if !self.ready.is_empty() && !stopping => {
                    let batch: Vec<usize> = self.ready.drain(..most.min(self.ready.len())).collect();
                    backlog.started(batch.len());
                    let batch: Vec<(usize, Item<'a>)> = batch.into_iter().filter_map(|index| Some((index, self.taken(index)?))).collect();
                    flying.push(push(shared, hold, entity, batch, slot, session));
                    take.set(shared.controls.slots.take());
                }
                () = tokio::time::sleep_until(flush_at), if self.oldest.is_some() => self.flush().await?,
                () = session.cancelled(), if !stopping => {}
            }
        }
        self.give_back_rest();
        self.flush().await
    }

    /// A copy of what a push needs; the item itself stays for the settlement.
    fn taken(&self, index: usize) -> Option<Item<'a>> {
        let item = self.items.get(index)?;
        Some(Item {
            record: item.record,
            attempt: item.attempt,
            known: item.known.clone(),
            unsure: item.unsure,
            refs: item.refs.clone(),
            idempotency_key: item.idempotency_key.clone(),
        })
    }

    fn ended(&mut self, index: usize, outcome: Outcome) {
        crash::point(crash::WORK_AFTER_PUSH);
        let Some(item) = self.items.get(index) else { return };
        let key = item.record.key.clone();
        match &outcome {
            Outcome::Landed { id, .. } => {
                self.shared.progress.add_landed();
                let record = RecordRef { entity: self.entity.name.clone(), key: key.clone() };
                for child in self.waiting.remove(&key).unwrap_or_default() {
                    self.adopt(child, &record, id);
                }
                if self.referred_to {
                    self.shared.ids.remember(record, id.clone());
                }
            }
            Outcome::Failed(failure) => {
                self.shared.progress.add_failed();
                tracing::debug!(entity = %self.entity.name, record.key = %key, failure = %failure, "a push failed");
                self.hold_children(&key);
            }
        }
        let Some(item) = self.items.get(index) else { return };
        let at = Circumstances {
            attempt: item.attempt,
            now: self.shared.clock.micros(),
            roll: roll(),
            retry: self.shared.plan.retry,
            zombie_grace: self.shared.settings.zombie_grace,
        };
        let refused = matches!(&outcome, Outcome::Failed(failure) if failure.kind == FailureKind::Credential);
        let (how, pause) = settlement(outcome, item.record, at);
        let flow = &self.shared.controls.flow;
        match pause {
            Some(pause) if refused => flow.hold_refused(pause),
            Some(pause) => flow.hold_for(pause),
            None => {}
        }
        self.note(index, how);
    }

    /// A parent of this parcel landed: its child may go.
    fn adopt(&mut self, child: usize, parent: &RecordRef, id: &TargetId) {
        let Some(item) = self.items.get_mut(child) else { return };
        let mut still_missing = None;
        let wanted: Vec<Option<RecordRef>> = references(self.entity, item.record).collect();
        for (slot, wanted) in item.refs.iter_mut().zip(wanted) {
            match wanted {
                Some(wanted) if wanted == *parent => *slot = Some(id.clone()),
                Some(wanted) if slot.is_none() => still_missing = Some(wanted),
                Some(_) | None => {}
            }
        }
        match still_missing {
            None => self.ready.push_back(child),
            Some(parent) => self.hold(child, parent),
        }
    }

    /// After a stop: what was claimed and not sent goes back to the queue.
    fn give_back_rest(&mut self) {
        let rest: Vec<usize> =
            self.ready.drain(..).chain(self.waiting.drain().flat_map(|(_, children)| children)).collect();
        self.all_done = rest.is_empty();
        for index in rest {
            self.note(index, Settlement::Unsent);
        }
    }

    async fn flush(&mut self) -> Result<(), WorkError> {
        self.oldest = None;
        if self.settled.is_empty() {
            return Ok(());
        }
        let settled = std::mem::take(&mut self.settled);
        let shared = self.shared;
        let call = || shared.ledger.settle(&shared.run, &self.entity.name, &self.hold.process, &settled);
        let kept = patiently("the ledger", &shared.stop, LedgerError::is_passing, call).await?;
        let lost = kept.iter().filter(|kept| !**kept).count();
        if lost > 0 {
            tracing::warn!(records = lost, entity = %self.entity.name, "claims were taken over before their outcome was kept; they are looked up again");
        }
        Ok(())
    }
}

/// The records that a record refers to, in the order of the entity's `refs`; `None` is NULL.
fn references<'r>(entity: &'r Entity, record: &'r Record) -> impl Iterator<Item = Option<RecordRef>> + 'r {
    entity.refs.iter().zip(&record.refs).map(|(reference, key)| {
        key.as_ref().map(|key| RecordRef { entity: reference.entity.clone(), key: key.clone() })
    })
}

/// A number in `[0, 1)` for the jitter of retries; nothing secret hangs on it.
fn roll() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    u32::try_from(bits).map_or(0.5, |bits| f64::from(bits) / (f64::from(u32::MAX) + 1.0))
}
