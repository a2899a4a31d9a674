//! The publishing side: one task that owns the connection, rebuilds it, and publishes again what nobody confirmed.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::{FuturesUnordered, StreamExt};
use haulier_core::port::QueueError;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, Event};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::Options;
use super::failure::classify;
use super::link::{backoff, connect, within};
use super::topology::short;
use super::window::{Flight, Job, Outgoing, Window};
use crate::wire::CONTENT_TYPE;

/// How often deadlines are looked at.
const TICK: std::time::Duration = std::time::Duration::from_millis(100);

/// The header that says why a message is in the dead queue.
pub(super) const REASON: &str = "x-haulier-reason";

/// Hands messages to the publishing task. The task ends when the last of these is gone and nothing is under way.
#[derive(Debug, Clone)]
pub(super) struct Publisher {
    jobs: mpsc::Sender<Job>,
    blocked: watch::Receiver<Option<String>>,
}

impl Publisher {
    /// Starts the task; it connects with the first message.
    pub(super) fn start(options: Arc<Options>) -> Self {
        let (jobs, inbox) = mpsc::channel(64);
        let (tell, blocked) = watch::channel(None);
        let window = Window::new(options.window, Instant::now());
        let task = Task { options, inbox, open: true, window, blocked: tell, trouble: None };
        tokio::spawn(task.run());
        Self { jobs, blocked }
    }

    /// Publishes in order and waits for every confirm. Dropping the call recalls nothing.
    pub(super) async fn publish(&self, messages: Vec<Outgoing>) -> Result<(), QueueError> {
        let ended =
            || QueueError::Failed { doing: "publishing", cause: "the publishing task has ended".to_owned() };
        let (reply, answer) = oneshot::channel();
        let job = Job { messages, reply, since: Instant::now() };
        self.jobs.send(job).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// The broker's reason, while it blocks publishers.
    pub(super) fn blocked(&self) -> Option<String> {
        self.blocked.borrow().clone()
    }
}

type Flying = FuturesUnordered<BoxFuture<'static, (Flight, lapin::Result<Confirmation>)>>;

struct Task {
    options: Arc<Options>,
    inbox: mpsc::Receiver<Job>,
    /// Whether anybody can still send a job.
    open: bool,
    window: Window,
    blocked: watch::Sender<Option<String>>,
    /// What was in the way last; what a caller whose patience ends is told.
    trouble: Option<QueueError>,
}

impl Task {
    async fn run(mut self) {
        let mut failures = 0;
        while self.open || self.window.has_jobs() {
            if !self.window.has_jobs() {
                match self.inbox.recv().await {
                    Some(job) => self.window.admit(job),
                    None => return,
                }
            }
            let before = Instant::now();
            let error = match self.connect().await {
                Ok((connection, channel)) => match self.serve(&connection, &channel).await {
                    Ok(()) => {
                        drop(timeout(TICK * 20, connection.close(200, "done".into())).await);
                        return;
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            self.blocked.send_replace(None);
            self.window.lost();
            // A connection over which anything got through was a good one.
            failures = if self.window.progressed_since(before) { 0 } else { failures + 1 };
            self.pause(error, failures).await;
        }
    }

    /// Tells those who cannot be helped, and waits before the next connection.
    async fn pause(&mut self, error: QueueError, failures: u32) {
        if !error.is_passing() {
            self.window.fail_all(&error);
            return;
        }
        tracing::warn!(%error, "publishing is interrupted; connecting again");
        self.trouble = Some(error);
        let until = Instant::now() + backoff(failures);
        // Once nobody waits any more, the next to come is worth a try at once.
        while self.window.has_jobs() && Instant::now() < until {
            while let Ok(job) = self.inbox.try_recv() {
                self.window.admit(job);
            }
            self.expire(None);
            sleep(TICK.min(until.saturating_duration_since(Instant::now()))).await;
        }
    }

    async fn connect(&self) -> Result<(Connection, Channel), QueueError> {
        let connection = connect(&self.options, "publishing").await?;
        let channel = within(&self.options, connection.create_channel()).await?;
        within(&self.options, channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok((connection, channel))
    }

    /// Publishes until the connection breaks (an error) or nobody needs it any more.
    async fn serve(&mut self, connection: &Connection, channel: &Channel) -> Result<(), QueueError> {
        let mut flying = Flying::new();
        let ended = self.publish(connection, channel, &mut flying).await;
        // What was confirmed before the break need not go out again.
        while let Some(Some((flight, answer))) = flying.next().now_or_never() {
            if let Ok(Confirmation::Ack(None)) = answer {
                self.window.landed(flight, Instant::now());
            }
        }
        ended
    }

    async fn publish(
        &mut self,
        connection: &Connection,
        channel: &Channel,
        flying: &mut Flying,
    ) -> Result<(), QueueError> {
        // The driver keeps events only for listeners that are there; one is the limit, as they share the events out.
        let mut events = std::pin::pin!(connection.events_listener());
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut blocked: Option<(String, Instant)> = None;
        let mut hold_until: Option<Instant> = None;
        while self.open || self.window.has_jobs() {
            let now = Instant::now();
            if blocked.is_none() && hold_until.is_none_or(|until| until <= now) {
                hold_until = None;
                self.launch(channel, flying);
            }
            tokio::select! {
                job = self.inbox.recv(), if self.open => match job {
                    Some(job) => self.window.admit(job),
                    None => self.open = false,
                },
                Some((flight, answer)) = flying.next(), if !flying.is_empty() => {
                    if let Verdict::NotNow = self.settle(flight, answer)? {
                        hold_until = Some(now + backoff(1));
                    }
                }
                event = events.next() => blocked = self.hear(event, blocked)?,
                _ = tick.tick() => self.look_round(blocked.as_ref())?,
            }
        }
        Ok(())
    }

    /// Sends whatever fits. Each future is polled once at once: that is when the driver queues the message up, so
    /// messages leave in this order.
    fn launch(&mut self, channel: &Channel, flying: &Flying) {
        while let Some((flight, message)) = self.window.launch(Instant::now()) {
            let mut sending = send(channel.clone(), flight, message).boxed();
            match (&mut sending).now_or_never() {
                Some(answer) => flying.push(std::future::ready(answer).boxed()),
                None => flying.push(sending),
            }
        }
    }

    fn settle(&mut self, flight: Flight, answer: lapin::Result<Confirmation>) -> Result<Verdict, QueueError> {
        match answer {
            Ok(Confirmation::Ack(None)) => {
                self.trouble = None;
                self.window.landed(flight, Instant::now());
                Ok(Verdict::Held)
            }
            // An acknowledgement of what came back: the broker kept nothing.
            Ok(Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_))) => {
                self.window.refused(flight, |queue| QueueError::Gone { queue: queue.to_owned() });
                Ok(Verdict::Held)
            }
            Ok(Confirmation::Nack(None)) => {
                let reason = "it refuses to store messages for now".to_owned();
                self.trouble = Some(QueueError::Blocked { reason });
                self.window.again(flight, Instant::now());
                Ok(Verdict::NotNow)
            }
            Ok(Confirmation::NotRequested) => Err(self.unreachable("it does not confirm messages")),
            Err(error) => Err(classify(&self.options.at(), &self.options.queue, &error)),
        }
    }

    fn hear(
        &mut self,
        event: Option<Event>,
        blocked: Option<(String, Instant)>,
    ) -> Result<Option<(String, Instant)>, QueueError> {
        match event {
            Some(Event::ConnectionBlocked(reason)) => {
                tracing::warn!(reason, "the broker blocks publishers");
                self.blocked.send_replace(Some(reason.clone()));
                Ok(Some((reason, Instant::now())))
            }
            Some(Event::ConnectionUnblocked) => {
                tracing::info!("the broker takes messages again");
                self.blocked.send_replace(None);
                self.window.excuse(Instant::now());
                Ok(None)
            }
            Some(Event::Error(error)) => Err(classify(&self.options.at(), &self.options.queue, &error)),
            Some(_) => Ok(blocked),
            None => Err(self.unreachable("the connection has ended")),
        }
    }

    fn look_round(&mut self, blocked: Option<&(String, Instant)>) -> Result<(), QueueError> {
        self.expire(blocked);
        if blocked.is_none() && self.window.silence(Instant::now()) >= self.options.silence {
            let seconds = self.options.silence.as_secs();
            return Err(self.unreachable(&format!("it has confirmed nothing for {seconds} s")));
        }
        Ok(())
    }

    fn expire(&mut self, blocked: Option<&(String, Instant)>) {
        let now = Instant::now();
        if let Some((reason, since)) = blocked {
            let error = QueueError::Blocked { reason: reason.clone() };
            self.window.expire_since(*since, self.options.patience, now, &error);
            return;
        }
        let error = match &self.trouble {
            Some(error) => error.clone(),
            None => self.unreachable("it does not confirm messages in time"),
        };
        self.window.expire(self.options.deadline, now, &error);
    }

    fn unreachable(&self, cause: &str) -> QueueError {
        QueueError::Unreachable { at: self.options.at(), cause: cause.to_owned() }
    }
}

enum Verdict {
    /// Settled one way or the other.
    Held,
    /// The broker wants less for a moment.
    NotNow,
}

async fn send(channel: Channel, flight: Flight, message: Outgoing) -> (Flight, lapin::Result<Confirmation>) {
    // Without `mandatory` the broker would confirm a message for a queue that is gone, and drop it.
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let queue = short(&message.queue);
    let sent = channel.basic_publish("".into(), queue, mandatory, &message.body, properties(&message)).await;
    let answer = match sent {
        Ok(confirm) => confirm.await,
        Err(error) => Err(error),
    };
    (flight, answer)
}

fn properties(message: &Outgoing) -> BasicProperties {
    const PERSISTENT: u8 = 2;
    let mut properties =
        BasicProperties::default().with_delivery_mode(PERSISTENT).with_content_type(CONTENT_TYPE.into());
    if let Some(id) = message.id {
        properties = properties.with_message_id(id.to_string().into());
    }
    if let Some(reason) = &message.reason {
        let mut headers = FieldTable::default();
        headers.insert(REASON.into(), AMQPValue::LongString(reason.as_bytes().to_vec().into()));
        properties = properties.with_headers(headers);
    }
    if let Some(millis) = message.expires {
        properties = properties.with_expiration(millis.to_string().into());
    }
    properties
}
