//! The outbox and the calendar's changes: what was told, and what people changed of the dates.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{LedgerError, Micros};
use crate::calendar::Change;
use crate::notice::{NewPost, Post, PostEvent};

/// Notices on their way. Whatever calls for one is durable itself, so posts are worked out from it anew after a crash: a
/// post is kept once under its key, however often it is asked for.
#[async_trait]
pub trait Outbox: Debug + Send + Sync {
    /// Keeps posts that are not there yet. Returns how many were new.
    async fn post(&self, posts: &[NewPost], now: Micros) -> Result<u64, LedgerError>;

    /// Takes posts that are due, oldest first, at most `limit`: each is `Sending` and one attempt older when this returns,
    /// and nobody else gets it.
    async fn take_posts(&self, now: Micros, limit: u32) -> Result<Vec<Post>, LedgerError>;

    /// Notes what became of a post, with what was said; one that failed is due again at `due`. `false`, and nothing is
    /// kept, where the event is not lawful in the state that the post has by now.
    async fn settle_post(
        &self,
        id: i64,
        event: PostEvent,
        said: Option<&str>,
        now: Micros,
        due: Micros,
    ) -> Result<bool, LedgerError>;

    /// Posts that have been `Sending` since before `since`: their sender died, and nobody knows whether they went out. They
    /// become doubtful. Returns how many.
    async fn doubt_posts(&self, since: Micros, now: Micros) -> Result<u64, LedgerError>;

    /// All posts, in the order in which they were kept.
    async fn posts(&self) -> Result<Vec<Post>, LedgerError>;
}

/// What people changed of the calendar.
#[async_trait]
pub trait CalendarLog: Debug + Send + Sync {
    /// Keeps a change, only while the newest version is `known`: somebody who changed it meanwhile makes the answer
    /// `false`. Its version is the one after `known`.
    async fn amend(&self, known: u64, change: &Change) -> Result<bool, LedgerError>;

    /// All changes, oldest first.
    async fn amendments(&self) -> Result<Vec<Change>, LedgerError>;
}
