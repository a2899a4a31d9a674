//! What is to be published, what is on its way, and who waits for it: bookkeeping without any I/O.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use haulier_core::port::QueueError;
use tokio::sync::oneshot;
use uuid::Uuid;

/// Bytes that may be on their way, whatever the number of messages.
const MAX_FLYING_BYTES: usize = 32 * 1024 * 1024;

/// One message for one queue.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) queue: Arc<str>,
    pub(super) id: Option<Uuid>,
    pub(super) body: Arc<Vec<u8>>,
    /// Why it is kept apart.
    pub(super) reason: Option<Arc<str>>,
    /// After how many milliseconds it leaves the queue.
    pub(super) expires: Option<u64>,
}

/// One call of publish.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) messages: Vec<Outgoing>,
    pub(super) reply: oneshot::Sender<Result<(), QueueError>>,
    pub(super) since: Instant,
}

/// The number of a message, given when it is admitted: it keeps its place however often it goes out.
pub(super) type Flight = u64;

#[derive(Debug)]
pub(super) struct Window {
    most: usize,
    next_job: u64,
    next_flight: Flight,
    jobs: HashMap<u64, Waiter>,
    waiting: BTreeMap<Flight, Item>,
    flying: BTreeMap<Flight, Item>,
    bytes: usize,
    /// When the broker last took a message.
    progressed: Instant,
    /// When it last said anything about one, or had nothing to say.
    heard: Instant,
}

#[derive(Debug)]
struct Waiter {
    left: usize,
    reply: oneshot::Sender<Result<(), QueueError>>,
    since: Instant,
}

#[derive(Debug)]
struct Item {
    job: u64,
    message: Outgoing,
}

impl Window {
    pub(super) fn new(most: usize, now: Instant) -> Self {
        Self {
            most: most.max(1),
            next_job: 0,
            next_flight: 0,
            jobs: HashMap::new(),
            waiting: BTreeMap::new(),
            flying: BTreeMap::new(),
            bytes: 0,
            progressed: now,
            heard: now,
        }
    }

    pub(super) fn admit(&mut self, job: Job) {
        let id = self.next_job;
        self.next_job += 1;
        let left = job.messages.len();
        if left == 0 {
            drop(job.reply.send(Ok(())));
            return;
        }
        for message in job.messages {
            self.waiting.insert(self.next_flight, Item { job: id, message });
            self.next_flight += 1;
        }
        self.jobs.insert(id, Waiter { left, reply: job.reply, since: job.since });
    }

    /// The next message that may go out.
    pub(super) fn launch(&mut self, now: Instant) -> Option<(Flight, Outgoing)> {
        let next = self.waiting.first_entry()?;
        let size = next.get().message.body.len();
        if self.flying.len() >= self.most || (!self.flying.is_empty() && self.bytes + size > MAX_FLYING_BYTES)
        {
            return None;
        }
        if self.flying.is_empty() {
            self.heard = now;
        }
        let (flight, item) = next.remove_entry();
        let message = item.message.clone();
        self.bytes += size;
        self.flying.insert(flight, item);
        Some((flight, message))
    }

    /// The broker holds it.
    pub(super) fn landed(&mut self, flight: Flight, now: Instant) {
        self.excuse(now);
        let Some(item) = self.take(flight) else { return };
        let Some(job) = self.jobs.get_mut(&item.job) else { return };
        job.left -= 1;
        if job.left == 0
            && let Some(job) = self.jobs.remove(&item.job)
        {
            drop(job.reply.send(Ok(())));
        }
    }

    /// It cannot go out: its whole job fails. Its queue is what the error is about.
    pub(super) fn refused(&mut self, flight: Flight, error: impl FnOnce(&str) -> QueueError) {
        let Some(item) = self.take(flight) else { return };
        let error = error(&item.message.queue);
        self.fail(|id, _| id == item.job, &error);
    }

    /// The broker did not take it; it goes out again, before all that came later.
    pub(super) fn again(&mut self, flight: Flight, now: Instant) {
        self.heard = now;
        if let Some(item) = self.take(flight)
            && self.jobs.contains_key(&item.job)
        {
            self.waiting.insert(flight, item);
        }
    }

    /// The connection is gone: nobody knows what arrived, so everything on its way goes out again, in order.
    pub(super) fn lost(&mut self) {
        self.bytes = 0;
        let jobs = &self.jobs;
        let again =
            std::mem::take(&mut self.flying).into_iter().filter(|(_, item)| jobs.contains_key(&item.job));
        self.waiting.extend(again);
    }

    /// Fails the jobs that began before `limit` ago, where nothing at all has moved since then either.
    pub(super) fn expire(&mut self, limit: Duration, now: Instant, error: &QueueError) {
        let progressed = self.progressed;
        self.fail(|_, since| now.saturating_duration_since(since.max(progressed)) >= limit, error);
    }

    /// Fails the jobs that have waited for `limit` since `from`, or since they began.
    pub(super) fn expire_since(&mut self, from: Instant, limit: Duration, now: Instant, error: &QueueError) {
        self.fail(|_, since| now.saturating_duration_since(since.max(from)) >= limit, error);
    }

    pub(super) fn fail_all(&mut self, error: &QueueError) {
        self.fail(|_, _| true, error);
    }

    /// How long the broker has confirmed nothing although something is on its way.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        if self.flying.is_empty() { Duration::ZERO } else { now.saturating_duration_since(self.heard) }
    }

    /// Starts to count anew: the time up to now says nothing.
    pub(super) fn excuse(&mut self, now: Instant) {
        self.progressed = now;
        self.heard = now;
    }

    /// Whether the broker has taken anything since then.
    pub(super) fn progressed_since(&self, then: Instant) -> bool {
        self.progressed > then
    }

    pub(super) fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    fn take(&mut self, flight: Flight) -> Option<Item> {
        let item = self.flying.remove(&flight)?;
        self.bytes -= item.message.body.len();
        Some(item)
    }

    fn fail(&mut self, which: impl Fn(u64, Instant) -> bool, error: &QueueError) {
        let failed = self.jobs.extract_if(|id, job| which(*id, job.since));
        for (_, job) in failed {
            drop(job.reply.send(Err(error.clone())));
        }
        let jobs = &self.jobs;
        self.waiting.retain(|_, item| jobs.contains_key(&item.job));
    }
}

#[cfg(test)]
mod tests;
