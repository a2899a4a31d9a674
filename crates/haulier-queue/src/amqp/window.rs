//! What is to be published, what is on its way, and who waits for it: bookkeeping without any I/O.

use std::collections::{BTreeMap, HashMap, VecDeque};
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

/// A message in the air is known by its number; numbers grow, so they keep the order.
pub(super) type Flight = u64;

#[derive(Debug)]
pub(super) struct Window {
    most: usize,
    next_job: u64,
    next_flight: Flight,
    jobs: HashMap<u64, Waiter>,
    waiting: VecDeque<Item>,
    flying: BTreeMap<Flight, Item>,
    bytes: usize,
    progressed: Instant,
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
            waiting: VecDeque::new(),
            flying: BTreeMap::new(),
            bytes: 0,
            progressed: now,
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
        self.waiting.extend(job.messages.into_iter().map(|message| Item { job: id, message }));
        self.jobs.insert(id, Waiter { left, reply: job.reply, since: job.since });
    }

    /// The next message that may go out.
    pub(super) fn launch(&mut self, now: Instant) -> Option<(Flight, Outgoing)> {
        let full = self.flying.len() >= self.most
            || (!self.flying.is_empty()
                && self.bytes + self.waiting.front()?.message.body.len() > MAX_FLYING_BYTES);
        if full {
            return None;
        }
        let item = self.waiting.pop_front()?;
        if self.flying.is_empty() {
            self.progressed = now;
        }
        let flight = self.next_flight;
        self.next_flight += 1;
        let message = item.message.clone();
        self.bytes += message.body.len();
        self.flying.insert(flight, item);
        Some((flight, message))
    }

    /// The broker holds it.
    pub(super) fn landed(&mut self, flight: Flight, now: Instant) {
        self.progressed = now;
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

    /// The broker did not take it; it goes out again, before all others.
    pub(super) fn again(&mut self, flight: Flight) {
        if let Some(item) = self.take(flight)
            && self.jobs.contains_key(&item.job)
        {
            self.waiting.push_front(item);
        }
    }

    /// The connection is gone: nobody knows what arrived, so everything on its way goes out again, in order.
    pub(super) fn lost(&mut self) {
        self.bytes = 0;
        for (_, item) in std::mem::take(&mut self.flying).into_iter().rev() {
            if self.jobs.contains_key(&item.job) {
                self.waiting.push_front(item);
            }
        }
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
        if self.flying.is_empty() { Duration::ZERO } else { now.saturating_duration_since(self.progressed) }
    }

    /// While nothing could be confirmed, silence means nothing.
    pub(super) fn excuse_silence(&mut self, now: Instant) {
        self.progressed = now;
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
        self.waiting.retain(|item| jobs.contains_key(&item.job));
    }
}

#[cfg(test)]
mod tests;
