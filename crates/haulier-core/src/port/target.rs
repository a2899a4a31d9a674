//! The target port: pushes records through the target's API and lists what it holds.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::plan::Entity;
use crate::{Failure, Outcome, Record, TargetId};

/// Lets requests through, one token each: the rate limit, the pause, and the target's own `Retry-After` live behind it.
#[async_trait]
pub trait Throttle: Debug + Send + Sync {
    /// Waits until one more request may leave. Cancel safe: a dropped wait takes no token.
    async fn pass(&self);

    /// Hears how a request that passed has ended.
    fn answered(&self, answer: Answer) {
        let _ = answer;
    }
}

/// How one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// From leaving to the last byte of the answer, or to giving up.
    pub took: Duration,
    /// The HTTP status; `None` without a complete answer.
    pub status: Option<u16>,
    /// How long the target asked to wait.
    pub retry_after: Option<Duration>,
}

/// One record to push.
#[derive(Debug, Clone, Copy)]
pub struct Push<'a> {
    /// Its entity, with the push program.
    pub entity: &'a Entity,
    /// The record.
    pub record: &'a Record,
    /// Target ids of the referenced records, in the order of the entity's `refs`; `None` is NULL.
    pub refs: &'a [Option<TargetId>],
    /// The target id from the id map, when it landed before: update, do not create.
    pub known: Option<&'a TargetId>,
    /// An earlier attempt may have been stored: look up before anything is created.
    pub unsure: bool,
    /// What makes the request's identity: constant over retries and restarts, other for other content.
    pub idempotency_key: &'a str,
}

/// A target system.
#[async_trait]
pub trait Target: Debug + Send + Sync {
    /// Pushes one record through the entity's program. A refusal is an outcome, not an error. Dropping the call leaves
    /// the outcome unknown.
    async fn push(&self, push: Push<'_>, throttle: &dyn Throttle) -> Outcome;

    /// Pushes many records of one entity whose program is bulk, one outcome each, in order.
    async fn push_many(&self, pushes: &[Push<'_>], throttle: &dyn Throttle) -> Vec<Outcome>;

    /// Whether the target answers and takes the credentials. Writes nothing.
    async fn check(&self) -> Result<(), Failure>;

    /// Whether the entity's lookup can be trusted: a key that cannot exist must find nothing. Writes nothing.
    async fn check_lookup(&self, entity: &Entity) -> Result<(), Failure>;

    /// The record as the target holds it now, as a JSON object; `None` where it is not there. By its own path where the
    /// program has one that can be read, else by the lookup. Writes nothing.
    async fn read(&self, push: Push<'_>, throttle: &dyn Throttle) -> Result<Option<String>, Failure>;

    /// One page of the entity's list.
    async fn page(&self, request: PageRequest<'_>, throttle: &dyn Throttle) -> Result<TargetPage, Failure>;
}

/// Which page to read.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<'a> {
    /// The entity, with its listing.
    pub entity: &'a Entity,
    /// Which of its lists: 0 is the listing's own path, then those of `also`.
    pub list: usize,
    /// `None` for the first page.
    pub at: Option<&'a PageToken>,
}

/// Where the next page starts: an offset, a page number, a cursor or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(pub String);

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPage {
    /// The items, as JSON texts.
    pub items: Vec<String>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<PageToken>,
    /// With the first page: where all others start, if every page holds as many items as this one. They may be asked for at
    /// once; empty where the shape of the list, or a target that tells no total, does not let them.
    pub further: Vec<PageToken>,
    /// The total, where the target tells one.
    pub total: Option<u64>,
}
