//! The consuming side: a channel of its own for each consumer, made again when it breaks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use haulier_core::port::{Consumer, Delivery, QueueError, Receipt, Settle};
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::FieldTable;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uuid::Uuid;

use super::lane::Line;
use super::link::{backoff, within};
use super::settling::{ANSWER, Desk, LINGER, Unsettled};
use super::topology::short;
use crate::task::detached;
use crate::wire;

/// Starts a consumer; the first channel is there when this returns.
pub(super) async fn open(desk: Desk, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
    let prefetch = prefetch.max(1);
    let running = subscribe(desk.clone(), prefetch).await?;
    let flow = Flow { state: State::Up(Box::new(running)), corrupt: None };
    Ok(Box::new(Amqp { desk, prefetch, held: Mutex::default(), flow: tokio::sync::Mutex::new(flow) }))
}

#[derive(Debug)]
struct Amqp {
    desk: Desk,
    prefetch: u16,
    held: Mutex<Held>,
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
    Down(Outage, Instant),
    Connecting(Outage, JoinHandle<Result<Running, QueueError>>),
    Up(Box<Running>),
}

/// Since when there is no channel, or since when the caller was last told, and how often one was tried for.
#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    failures: u32,
}

#[derive(Debug)]
struct Running {
    line: Arc<Line>,
    channel: lapin::Channel,
    stream: lapin::Consumer,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    unsettled: HashMap<u64, Unsettled>,
}

#[async_trait]
impl Consumer for Amqp {
    async fn next(&self) -> Result<Delivery, QueueError> {
        let mut flow = self.flow.lock().await;
        loop {
            if let Some((one, reason)) = flow.corrupt.clone() {
                let desk = self.desk.clone();
                detached("keeping a message apart", async move { desk.keep_apart(&one, reason).await })
                    .await?;
                flow.corrupt = None;
            }
            let running = self.running(&mut flow.state).await?;
            let message = match running.message().await {
                Ok(message) => message,
                Err(error) => {
                    self.broke(&mut flow.state, self.desk.classify(error.as_ref()))?;
                    continue;
                }
            };
            let id =
                message.properties.message_id().as_ref().and_then(|id| Uuid::try_parse(id.as_str()).ok());
            let line = Arc::clone(&running.line);
            let one = Unsettled { acker: message.acker, line, id, body: Arc::new(message.data) };
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
        let desk = self.desk.clone();
        detached("settling a parcel", async move { desk.settle(&one, how).await }).await
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

    /// The channel, connecting as long as it takes; an outage as long as the deadline is told.
    async fn running<'a>(&self, state: &'a mut State) -> Result<&'a mut Running, QueueError> {
        loop {
            match state {
                State::Up(_) => break,
                State::Down(outage, retry_at) => {
                    sleep_until(*retry_at).await;
                    let connecting = tokio::spawn(subscribe(self.desk.clone(), self.prefetch));
                    *state = State::Connecting(*outage, connecting);
                }
                State::Connecting(outage, connecting) => match connected(connecting).await {
                    Ok(running) => *state = State::Up(Box::new(running)),
                    Err(error) => {
                        let mut outage = Outage { failures: outage.failures + 1, ..*outage };
                        let tell =
                            outage.since.elapsed() >= self.desk.options.deadline || !error.is_passing();
                        if tell {
                            outage.since = Instant::now();
                        }
                        *state = State::Down(outage, Instant::now() + backoff(outage.failures));
                        if tell {
                            return Err(error);
                        }
                        tracing::warn!(%error, "consuming is interrupted; connecting again");
                    }
                },
            }
        }
        match state {
            State::Up(running) => Ok(running),
            State::Down(..) | State::Connecting(..) => {
                Err(QueueError::Failed { doing: "consuming", cause: "there is no channel".to_owned() })
            }
        }
    }

    /// Takes leave of a broken channel. What it delivered comes again, so its receipts mean nothing any more.
    fn broke(&self, state: &mut State, error: QueueError) -> Result<(), QueueError> {
        *state = State::Down(Outage { since: Instant::now(), failures: 0 }, Instant::now() + backoff(0));
        self.lock().unsettled.clear();
        if !error.is_passing() {
            return Err(error);
        }
        tracing::warn!(%error, "consuming is interrupted; connecting again");
        Ok(())
    }
}

impl Drop for Amqp {
    /// Gives back what is not settled, at once, and closes the channel a little later.
    fn drop(&mut self) {
        let down = State::Down(Outage { since: Instant::now(), failures: 0 }, Instant::now());
        let state = std::mem::replace(&mut self.flow.get_mut().state, down);
        let unsettled = std::mem::take(&mut self.lock().unsettled);
        if let State::Up(running) = state
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(running.leave(unsettled.into_values().collect()));
        }
    }
}

impl Running {
    /// The next message; `None` as the error when there will be none and nobody says why.
    async fn message(&mut self) -> Result<lapin::message::Delivery, Option<lapin::Error>> {
        tokio::select! {
            biased;
            message = self.stream.next() => match message {
                Some(Ok(message)) => Ok(message),
                Some(Err(error)) => Err(Some(error)),
                None => Err(None),
            },
            () = self.line.broken.cancelled() => Err(None),
        }
    }

    async fn leave(mut self: Box<Self>, unsettled: Vec<Unsettled>) {
        let line = Arc::clone(&self.line);
        let leaving = async {
            self.channel.basic_cancel(self.stream.tag(), BasicCancelOptions::default()).await?;
            let ahead: Vec<_> = std::iter::from_fn(|| self.stream.next().now_or_never()??.ok()).collect();
            for acker in
                unsettled.iter().map(|one| &one.acker).chain(ahead.iter().map(|message| &message.acker))
            {
                line.give_back(acker).await;
            }
            sleep(LINGER).await;
            self.channel.close(200, "done".into()).await
        };
        tokio::select! {
            left = timeout(ANSWER, leaving) => drop(left),
            () = line.broken.cancelled() => {}
        }
    }
}

async fn connected(connecting: &mut JoinHandle<Result<Running, QueueError>>) -> Result<Running, QueueError> {
    match connecting.await {
        Ok(result) => result,
        Err(error) => Err(QueueError::Failed { doing: "opening a consumer", cause: error.to_string() }),
    }
}

async fn subscribe(desk: Desk, prefetch: u16) -> Result<Running, QueueError> {
    let line = desk.lane.line().await?;
    let made = async {
        let channel = within(&desk.options, line.connection.create_channel()).await?;
        // Before the consumer: without it the broker pushes the whole queue into this process.
        within(&desk.options, channel.basic_qos(prefetch, BasicQosOptions::default())).await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consuming = channel.basic_consume(short(&desk.names.main), "".into(), options, arguments);
        let stream = within(&desk.options, consuming).await?;
        Ok(Running { line: Arc::clone(&line), channel, stream })
    };
    let made = made.await;
    if let Err(QueueError::Unreachable { .. }) = &made {
        line.broken.cancel();
    }
    made
}
