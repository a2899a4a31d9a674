//! The claimed records of one parcel: pushed, and settled as they end.

mod order;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::OptionFuture;
use futures_util::stream::FuturesUnordered;
use haulier_core::plan::{Entity, PushProgram};
use haulier_core::port::{Claim, LedgerError, Settled, Settlement};
use haulier_core::{Failure, FailureKind, Outcome, Parcel, Record, RecordRef, SourceKey, TargetId, crash};
use haulier_throttle::{Refusal, patiently};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::WorkError;
use crate::backlog::BacklogShare;
use crate::fence::Hold;
use crate::push::{Flown, push};
use crate::shared::Shared;
use crate::verdict::{Circumstances, later, settlement};

/// Outcomes of a slow parcel are settled at least so often.
const FLUSH_EVERY: Duration = Duration::from_millis(500);

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
pub(crate) struct Load<'a> {
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
    /// Whether nothing is left for another delivery.
    pub(crate) all_done: bool,
    /// Whether any entity refers to this one, so that its ids are worth remembering.
    referred_to: bool,
}

impl<'a> Load<'a> {
    pub(crate) async fn new(
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

    fn note(&mut self, index: usize, how: Settlement) {
        let Some(item) = self.items.get(index) else { return };
        let now = self.shared.clock.micros();
        self.settled.push(Settled { key: item.record.key.clone(), attempt: item.attempt, how, now });
        self.oldest.get_or_insert_with(Instant::now);
    }

    /// Pushes everything that may go, and settles all.
    pub(crate) async fn push_all(
        &mut self,
        backlog: &mut BacklogShare<'_>,
        session: &CancellationToken,
    ) -> Result<(), WorkError> {
        let most = if let PushProgram::Bulk(bulk) = &self.entity.push { bulk.max.max(1) } else { 1 };
        let (shared, hold, entity) = (self.shared, self.hold, self.entity);
        let mut flying = FuturesUnordered::new();
        let mut in_line = false;
        let mut line = pin!(OptionFuture::from(None));
        loop {
            let stopping = session.is_cancelled();
            let wants = !self.ready.is_empty() && !stopping;
            if flying.is_empty() && !wants {
                break;
            }
            // Whoever wants nothing leaves the line: a slot given to it would lie idle until the parcel's end.
            if wants != in_line {
                line.set(wants.then(|| shared.controls.slots.take()).into());
                in_line = wants;
            }
            let flush_at =
                self.oldest.map_or_else(|| Instant::now() + FLUSH_EVERY, |oldest| oldest + FLUSH_EVERY);
            let slot = tokio::select! {
                biased;
                Some(flown) = flying.next(), if !flying.is_empty() => match flown {
                    Flown::Ended(landed, mut slot) => {
                        for (index, outcome) in landed {
                            self.ended(index, outcome);
                        }
                        // The parcel that was begun goes on first: it ends sooner, and nobody has to be woken.
                        (!session.is_cancelled() && !self.ready.is_empty() && !slot.surrender()).then_some(slot)
                    }
                    Flown::NotBegun(batch) => {
                        backlog.returned(batch.len());
                        for index in batch.into_iter().rev() {
                            self.ready.push_front(index);
                        }
                        None
                    }
                },
                slot = &mut line, if in_line => {
                    in_line = false;
                    slot
                }
                () = tokio::time::sleep_until(flush_at), if self.oldest.is_some() => {
                    self.flush().await?;
                    None
                }
                () = session.cancelled(), if !stopping => None,
            };
            if let Some(slot) = slot {
                let batch: Vec<usize> = self.ready.drain(..most.min(self.ready.len())).collect();
                backlog.started(batch.len());
                let batch: Vec<(usize, Item<'a>)> =
                    batch.into_iter().filter_map(|index| Some((index, self.let_in(index)?))).collect();
                if !batch.is_empty() {
                    flying.push(push(shared, hold, entity, batch, slot, session));
                }
            }
        }
        self.give_back_rest();
        self.flush().await
    }

    /// A copy of what a push needs; the item itself stays for the settlement. One whose tenant the target lets nothing in for
    /// is put off, unsent and uncounted.
    fn let_in(&mut self, index: usize) -> Option<Item<'a>> {
        let item = self.items.get(index)?;
        let admitted = item.record.tenant.as_ref().map(|tenant| self.shared.controls.tenants.admit(tenant));
        if let Some(Err(wait)) = admitted {
            let key = item.record.key.clone();
            let reason = "not sent: the target refuses the credentials for its tenant";
            let due = later(self.shared.clock.micros(), wait);
            let failure = Failure::new(FailureKind::Credential, reason);
            self.note(index, Settlement::Retry { due, failure, counted: false });
            self.hold_children(&key);
            return None;
        }
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
            refused_for: self.credentials(&outcome, item.record),
        };
        let (how, pause) = settlement(outcome, item.record, at);
        if let Some(pause) = pause {
            self.shared.controls.flow.hold_for(pause);
        }
        self.note(index, how);
    }

    /// What an outcome says of the credentials: for how long nothing is sent with them, to this tenant or at all.
    fn credentials(&self, outcome: &Outcome, record: &Record) -> Duration {
        let (controls, tenant) = (&self.shared.controls, record.tenant.as_ref());
        match outcome {
            Outcome::Landed { .. } => controls.tenants.accepted(tenant),
            Outcome::Failed(failure) => match failure.kind {
                FailureKind::Credential => {
                    let asked = failure.retry_after;
                    match controls.tenants.refused(tenant, &self.shared.plan.retry, asked) {
                        Refusal::Tenant(wait) => return wait,
                        Refusal::All(wait) => {
                            controls.flow.hold_refused(wait);
                            return wait;
                        }
                    }
                }
                // The target looked at the record itself.
                FailureKind::Refused
                | FailureKind::Duplicate
                | FailureKind::Conflict
                | FailureKind::MissingParent
                | FailureKind::SilentLoss => controls.tenants.accepted(tenant),
                // Nothing was asked, or nobody knows what the target thought of it.
                FailureKind::Mapping
                | FailureKind::KeyChanged
                | FailureKind::Throttled
                | FailureKind::Transient
                | FailureKind::Unknown => {}
            },
        }
        Duration::ZERO
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

/// A number in `[0, 1)` for the jitter of retries; nothing secret hangs on it.
fn roll() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 32;
    u32::try_from(bits).map_or(0.5, |bits| f64::from(bits) / (f64::from(u32::MAX) + 1.0))
}
