//! A post: one notice on one channel, as the outbox keeps it.

use super::{Kind, PostState};
use crate::port::Micros;

/// A post to be kept; one that the outbox has under its key is not kept again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPost {
    /// What makes it one: the run, the change that it tells of, the notice, the audience, the channel.
    pub key: String,
    /// The notice's name in the plan.
    pub notice: String,
    /// What it says.
    pub kind: Kind,
    /// What it is about, as [`super::Subject`] shows itself.
    pub subject: String,
    /// The date that it tells, where it tells one.
    pub date: Option<Micros>,
    /// Its audience.
    pub audience: String,
    /// Its channel.
    pub channel: String,
    /// The addresses.
    pub to: Vec<String>,
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A post in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its number, in the order in which posts were kept.
    pub id: i64,
    /// What it is.
    pub what: NewPost,
    /// Where it is.
    pub state: PostState,
    /// When it was kept.
    pub at: Micros,
    /// When it came into its state.
    pub since: Micros,
    /// When it may be tried again, where it failed.
    pub due: Micros,
    /// How often it was handed to its channel.
    pub attempts: u32,
    /// What the channel, or a person, said last.
    pub said: Option<String>,
}
