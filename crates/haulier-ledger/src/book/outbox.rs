//! Notices on their way, and what people changed of the calendar.

use async_trait::async_trait;
use haulier_core::calendar::Change;
use haulier_core::notice::{NewPost, Post, PostEvent};
use haulier_core::port::{CalendarLog, LedgerError, Micros, Outbox};

use super::Book;
use crate::conn::Backend;
use crate::work::{Amend, DoubtPosts, KeepPosts, ReadAmendments, ReadPosts, SettlePost, TakePosts};

#[async_trait]
impl<B: Backend> Outbox for Book<B> {
    async fn post(&self, posts: &[NewPost], now: Micros) -> Result<u64, LedgerError> {
        if posts.is_empty() {
            return Ok(0);
        }
        self.backend.write(KeepPosts { posts: posts.to_vec(), now }).await
    }

    async fn take_posts(&self, now: Micros, limit: u32) -> Result<Vec<Post>, LedgerError> {
        self.backend.write(TakePosts { now, limit }).await
    }

    async fn settle_post(
        &self,
        id: i64,
        event: PostEvent,
        said: Option<&str>,
        now: Micros,
        due: Micros,
    ) -> Result<bool, LedgerError> {
        self.backend.write(SettlePost { id, event, said: said.map(str::to_owned), now, due }).await
    }

    async fn doubt_posts(&self, since: Micros, now: Micros) -> Result<u64, LedgerError> {
        self.backend.write(DoubtPosts { since, now }).await
    }

    async fn posts(&self) -> Result<Vec<Post>, LedgerError> {
        self.backend.read(ReadPosts).await
    }
}

#[async_trait]
impl<B: Backend> CalendarLog for Book<B> {
    async fn amend(&self, known: u64, change: &Change) -> Result<bool, LedgerError> {
        self.backend.write(Amend { known, change: change.clone() }).await
    }

    async fn amendments(&self) -> Result<Vec<Change>, LedgerError> {
        self.backend.read(ReadAmendments).await
    }
}
