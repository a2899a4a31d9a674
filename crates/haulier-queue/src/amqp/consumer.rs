//! The consuming side: a channel of its own for each consumer, made again when it breaks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use haulier_core::port::{Consumer, Delivery, QueueError, Receipt, Settle};
use lapin::Acker;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions,
};
use lapin::types::FieldTable;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use uuid::Uuid;

use super::Options;
use super::failure::classify;
use super::lane::Lane;
use super::link::{backoff, within};
use super::publisher::Publisher;
use super::topology::{Names, short};
use super::window::Outgoing;
use crate::task::detached;
use crate::wire;

/// An acknowledgement that cannot be written in this time has not been heard; the message comes again.
const ANSWER: Duration = Duration::from_secs(30);

/// What all consumers of a queue share.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) options: Arc<Options>,
    pub(super) names: Arc<Names>,
    pub(super) lane: Arc<Lane>,
    pub(super) publisher: Publisher,
}

/// Starts a consumer; the first channel is there when this returns.
pub(super) async fn open(source: Source, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
    let prefetch = prefetch.max(1);
    let running = subscribe(source.clone(), prefetch).await?;
    let flow = Flow { state: State::Up(Box::new(running)), corrupt: None };
    Ok(Box::new(Amqp { source, prefetch, held: Arc::default(), flow: tokio::sync::Mutex::new(flow) }))
}

#[derive(Debug)]
struct Amqp {
    source: Source,
    prefetch: u16,
    held: Arc<Mutex<Held>>,
    flow: tokio::sync::Mutex<Flow>,
}

/// Where deliveries come from. Kept between calls of `next`, so that a caller may drop one at any point.
#[derive(Debug)]
struct Flow {
    state: State,
    /// A message that is no parcel, until the dead queue has it.
    corrupt: Option<(Unsettled, String)>,
}

#[derive(Debug)]
enum State {
    Down { retry_at: Instant, failures: u32, since: Instant },
    Connecting { made: JoinHandle<Result<Running, QueueError>>, failures: u32, since: Instant },
    Up(Box<Running>),
}

#[derive(Debug)]
struct Running {
    connection: Arc<lapin::Connection>,
    channel: lapin::Channel,
    stream: lapin::Consumer,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    unsettled: HashMap<u64, Unsettled>,
}

/// One delivery that is not settled.
#[derive(Debug, Clone)]
struct Unsettled {
    acker: Acker,
    id: Option<Uuid>,
    body: Arc<Vec<u8>>,
}

#[async_trait]
impl Consumer for Amqp {
    async fn next(&self) -> Result<Delivery, QueueError> {
        let mut flow = self.flow.lock().await;
        loop {
            self.bury_corrupt(&mut flow).await?;
            let running = self.running(&mut flow.state).await?;
            let message = match running.stream.next().await {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    self.broke(
                        &mut flow.state,
                        classify(&self.source.options.at(), &self.source.names.main, &error),
                    )?;
                    continue;
                }
                None => {
                    let cause = "the broker ended the consumer".to_owned();
                    self.broke(
                        &mut flow.state,
                        QueueError::Unreachable { at: self.source.options.at(), cause },
                    )?;
                    continue;
                }
            };
            let id =
                message.properties.message_id().as_ref().and_then(|id| Uuid::try_parse(id.as_str()).ok());
            let one = Unsettled { acker: message.acker, id, body: Arc::new(message.data) };
            match wire::decode(&one.body) {
                Ok(parcel) => {
                    let receipt = self.keep(one);
                    return Ok(Delivery { parcel, receipt, redelivered: message.redelivered });
                }
                Err(error) => flow.corrupt = Some((one, error.to_string())),
            }
        }
    }

    async fn settle(&self, receipt: Receipt, how: Settle) -> Result<(), QueueError> {
        let Some(one) = self.lock().unsettled.remove(&receipt.0) else { return Ok(()) };
        let source = self.source.clone();
        detached("settling a parcel", async move { source.settle(&one, how).await }).await
    }
}

impl Amqp {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, one: Unsettled) -> Receipt {
        let mut held = self.lock();
        held.next += 1;
        let receipt = held.next;
        held.unsettled.insert(receipt, one);
        Receipt(receipt)
    }

    /// The stream, connecting as long as it takes, or until the publish deadline has passed without one.
    async fn running<'a>(&self, state: &'a mut State) -> Result<&'a mut Running, QueueError> {
        loop {
            match state {
                State::Up(_) => break,
                State::Down { retry_at, failures, since } => {
                    sleep_until(*retry_at).await;
                    let made = tokio::spawn(subscribe(self.source.clone(), self.prefetch));
                    *state = State::Connecting { made, failures: *failures, since: *since };
                }
                State::Connecting { made, failures, since } => {
                    let made = made.await.unwrap_or_else(|error| {
                        Err(QueueError::Failed { doing: "opening a consumer", cause: error.to_string() })
                    });
                    match made {
                        Ok(running) => *state = State::Up(Box::new(running)),
                        Err(error) => {
                            let (failures, since) = (*failures + 1, *since);
                            let retry_at = Instant::now() + backoff(failures);
                            let waited = since.elapsed() >= self.source.options.deadline;
                            let since = if waited { Instant::now() } else { since };
                            *state = State::Down { retry_at, failures, since };
                            if waited || !error.is_passing() {
                                return Err(error);
                            }
                            tracing::warn!(%error, "consuming is interrupted; connecting again");
                        }
                    }
                }
            }
        }
        match state {
            State::Up(running) => Ok(running),
            State::Down { .. } | State::Connecting { .. } => {
                Err(QueueError::Failed { doing: "consuming", cause: "there is no connection".to_owned() })
            }
        }
    }

    /// Takes leave of a broken channel. What it delivered comes again, so its receipts mean nothing any more.
    fn broke(&self, state: &mut State, error: QueueError) -> Result<(), QueueError> {
        let now = Instant::now();
        let down = State::Down { retry_at: now + backoff(0), failures: 0, since: now };
        if let State::Up(running) = std::mem::replace(state, down) {
            self.source.lane.discard(&running.connection);
        }
        self.lock().unsettled.clear();
        if error.is_passing() {
            tracing::warn!(%error, "consuming is interrupted; connecting again");
            return Ok(());
        }
        Err(error)
    }

    async fn bury_corrupt(&self, flow: &mut Flow) -> Result<(), QueueError> {
        let Some((one, reason)) = flow.corrupt.clone() else { return Ok(()) };
        tracing::warn!(reason, "a message is no parcel; it is kept apart in the dead queue");
        let source = self.source.clone();
        detached("keeping a message apart", async move {
            match source.copy(&one, &source.names.dead, Some(reason), None).await {
                Ok(()) => answered(one.acker.ack(BasicAckOptions::default())).await,
                Err(error) if error.is_passing() => return Err(error),
                // Without the right to publish there, the broker's own way to the dead queue is left.
                Err(_) => answered(one.acker.reject(BasicRejectOptions { requeue: false })).await,
            }
            Ok(())
        })
        .await?;
        flow.corrupt = None;
        Ok(())
    }
}

impl Drop for Amqp {
    /// Closes the channel, which gives back all that it delivered.
    fn drop(&mut self) {
        let now = Instant::now();
        let down = State::Down { retry_at: now, failures: 0, since: now };
        if let State::Up(running) = std::mem::replace(&mut self.flow.get_mut().state, down)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(async move {
                drop(timeout(ANSWER, running.channel.close(200, "done".into())).await);
            });
        }
    }
}

impl Source {
    async fn settle(&self, one: &Unsettled, how: Settle) -> Result<(), QueueError> {
        if !one.acker.usable() {
            return Ok(());
        }
        let copied = match how {
            Settle::Done => Ok(()),
            Settle::GiveBack => {
                self.give_back(one).await;
                return Ok(());
            }
            Settle::Delay(millis) => {
                // RabbitMQ keeps times of up to 2^32 - 1 ms.
                let expires = millis.min(u64::from(u32::MAX));
                self.copy(one, self.names.delay(millis), None, Some(expires)).await
            }
            Settle::Bury(reason) => self.copy(one, &self.names.dead, Some(reason), None).await,
        };
        match copied {
            Ok(()) => answered(one.acker.ack(BasicAckOptions::default())).await,
            Err(_) => self.give_back(one).await,
        }
        copied
    }

    async fn give_back(&self, one: &Unsettled) {
        answered(one.acker.nack(BasicNackOptions { requeue: true, multiple: false })).await;
    }

    /// Puts a copy into another queue of ours.
    async fn copy(
        &self,
        one: &Unsettled,
        queue: &str,
        reason: Option<String>,
        expires: Option<u64>,
    ) -> Result<(), QueueError> {
        let message = Outgoing {
            queue: queue.into(),
            id: one.id,
            body: Arc::clone(&one.body),
            reason: reason.map(Into::into),
            expires,
        };
        self.publisher.publish(vec![message]).await
    }
}

/// `Ok(false)`, an error and silence all mean that the broker did not hear it, and that the message comes again.
async fn answered(settling: impl Future<Output = lapin::Result<bool>>) {
    if !matches!(timeout(ANSWER, settling).await, Ok(Ok(true))) {
        tracing::debug!("a settlement did not reach the broker; the message comes again");
    }
}

async fn subscribe(source: Source, prefetch: u16) -> Result<Running, QueueError> {
    let connection = source.lane.connection().await?;
    let made = async {
        let channel = within(&source.options, connection.create_channel()).await?;
        // Before the consumer: without it the broker pushes the whole queue into this process.
        within(&source.options, channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consuming = channel.basic_consume(short(&source.names.main), "".into(), options, arguments);
        let stream = within(&source.options, consuming).await?;
        Ok(Running { connection: Arc::clone(&connection), channel, stream })
    };
    let made = made.await;
    if made.is_err() {
        source.lane.discard(&connection);
    }
    made
}
