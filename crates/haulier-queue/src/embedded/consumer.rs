//! A consumer: a task that takes rows ahead, renews the lease, and gives all back when the consumer is dropped.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::port::{Consumer, Delivery, QueueError, Receipt, Settle};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::store::{Grip, Store, Taken};
use crate::task::detached;
use crate::wire;

/// How soon a message of another process is seen.
const POLL: Duration = Duration::from_millis(50);
const RENEWAL: Duration = Duration::from_secs(1);
/// After an error: long enough to keep a full disk from filling the log as well.
const PAUSE: Duration = Duration::from_millis(500);

/// Enters a consumer that takes at most `prefetch` messages ahead.
pub(super) async fn open(store: Arc<Store>, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
    let owner = store.enter().await?;
    let prefetch = usize::from(prefetch.max(1));
    let (sender, taken) = mpsc::unbounded_channel();
    let (alive, dropped) = oneshot::channel();
    let held = Arc::new(Held::default());
    let feeder = Feeder { store: Arc::clone(&store), held: Arc::clone(&held), sender, owner, prefetch };
    tokio::spawn(feeder.run(dropped));
    Ok(Box::new(Embedded { store, held, taken: tokio::sync::Mutex::new(taken), _alive: alive }))
}

#[derive(Debug)]
struct Embedded {
    store: Arc<Store>,
    held: Arc<Held>,
    taken: tokio::sync::Mutex<mpsc::UnboundedReceiver<Result<Delivery, QueueError>>>,
    /// Its drop ends the feeder.
    _alive: oneshot::Sender<()>,
}

#[async_trait]
impl Consumer for Embedded {
    async fn next(&self) -> Result<Delivery, QueueError> {
        match self.taken.lock().await.recv().await {
            Some(delivery) => {
                if delivery.is_err() {
                    self.held.complained.store(false, Ordering::Relaxed);
                }
                delivery
            }
            None => Err(QueueError::Failed {
                doing: "waiting for a parcel",
                cause: "the consumer's task has ended".to_owned(),
            }),
        }
    }

    async fn settle(&self, receipt: Receipt, how: Settle) -> Result<(), QueueError> {
        let Some(grip) = self.held.release(&receipt) else { return Ok(()) };
        let (store, held) = (Arc::clone(&self.store), Arc::clone(&self.held));
        detached("settling a parcel", async move {
            let settled = store.settle(grip, how).await;
            if settled.is_err() {
                held.lock().adrift.push(grip);
            }
            settled
        })
        .await
    }
}

/// What the consumer holds.
#[derive(Debug, Default)]
struct Held {
    inner: Mutex<Inner>,
    freed: Notify,
    /// An error waits to be seen: one is enough.
    complained: AtomicBool,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    grips: HashMap<u64, Grip>,
    /// Rows whose settlement failed: to be given back as soon as the file takes it.
    adrift: Vec<Grip>,
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, grip: Grip) -> Receipt {
        let mut inner = self.lock();
        inner.next += 1;
        let receipt = inner.next;
        inner.grips.insert(receipt, grip);
        Receipt(receipt)
    }

    /// `None` for a receipt whose row went back meanwhile.
    fn release(&self, receipt: &Receipt) -> Option<Grip> {
        let grip = self.lock().grips.remove(&receipt.0);
        self.freed.notify_one();
        grip
    }
}

struct Feeder {
    store: Arc<Store>,
    held: Arc<Held>,
    sender: mpsc::UnboundedSender<Result<Delivery, QueueError>>,
    owner: i64,
    prefetch: usize,
}

impl Feeder {
    async fn run(mut self, mut dropped: oneshot::Receiver<()>) {
        let mut renewal = interval(RENEWAL.min(self.store.lease / 3));
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let store = Arc::clone(&self.store);
        loop {
            // Listening starts before looking, so that nothing arrives unheard in between.
            let mut arrived = std::pin::pin!(store.arrived.notified());
            arrived.as_mut().enable();
            let hungry = match self.feed().await {
                Ok(hungry) => hungry,
                Err(error) => {
                    self.complain(error).await;
                    true
                }
            };
            tokio::select! {
                _ = &mut dropped => break,
                _ = renewal.tick() => if let Err(error) = self.renew().await { self.complain(error).await },
                () = self.held.freed.notified() => {}
                () = &mut arrived, if hungry => {}
                () = sleep(POLL), if hungry => {}
            }
        }
        if let Err(error) = self.store.leave(self.owner).await {
            tracing::warn!(%error, "could not give parcels back; they come again when the lease has run out");
        }
    }

    /// Takes what there is room for; `true` when there is room left.
    async fn feed(&mut self) -> Result<bool, QueueError> {
        let room = self.prefetch.saturating_sub(self.held.lock().grips.len());
        if room == 0 {
            return Ok(false);
        }
        let taken = self.store.take(self.owner, room).await?;
        for one in taken {
            self.hand_on(one).await?;
        }
        Ok(self.held.lock().grips.len() < self.prefetch)
    }

    async fn hand_on(&self, taken: Taken) -> Result<(), QueueError> {
        match wire::decode(&taken.body) {
            Ok(parcel) => {
                let redelivered = taken.grip.deliveries > 1;
                let receipt = self.held.keep(taken.grip);
                // `prefetch` bounds what lies here; without a receiver everything goes back anyway.
                drop(self.sender.send(Ok(Delivery { parcel, receipt, redelivered })));
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "a message is no parcel; it is kept apart in the dead queue");
                self.store.settle(taken.grip, Settle::Bury(error.to_string())).await
            }
        }
    }

    async fn renew(&mut self) -> Result<(), QueueError> {
        if !self.store.renew(self.owner).await? {
            tracing::warn!("the consumer's lease ran out; what it held is delivered again");
            self.owner = self.store.enter().await?;
            let mut inner = self.held.lock();
            inner.grips.clear();
            inner.adrift.clear();
        }
        let adrift = std::mem::take(&mut self.held.lock().adrift);
        for (index, grip) in adrift.iter().enumerate() {
            if let Err(error) = self.store.settle(*grip, Settle::GiveBack).await {
                self.held.lock().adrift.extend(adrift.iter().skip(index).copied());
                return Err(error);
            }
        }
        Ok(())
    }

    /// Tells whoever waits, and waits a little itself.
    async fn complain(&self, error: QueueError) {
        tracing::warn!(%error, "the consumer is held up");
        if !self.held.complained.swap(true, Ordering::Relaxed) {
            drop(self.sender.send(Err(error)));
        }
        sleep(PAUSE).await;
    }
}
