//! Ways on which a notice reaches people.

mod command;
mod file;
mod relay;
mod smtp;
mod webhook;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::notice::Post;

pub use command::Command;
pub use file::File;
pub use relay::Relay;
pub use smtp::{Security, Smtp, SmtpOptions};
pub use webhook::Webhook;

/// What one handing over may take. A sender that holds a post for much longer is taken for dead.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a post that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// The channel took it, with its words.
    Accepted(String),
    /// It was handed to a person, who confirms.
    Handed(String),
    /// It did not go out, with the reason; it may be tried again.
    Refused(String),
    /// Nobody knows whether it went out.
    Lost(String),
}

/// A way on which a notice reaches people.
#[async_trait]
pub trait Channel: Debug + Send + Sync {
    /// Hands a post over. A dropped call may or may not have sent it. What it answers holds no secret.
    async fn deliver(&self, post: &Post) -> Delivery;

    /// Whether a post went out, where the channel can tell.
    async fn knows(&self, post: &Post) -> Option<bool>;
}

/// A name for a post that every attempt has in common, and that fits into a header.
fn mark(post: &Post) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(post.what.key.as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A post as programs read it.
fn json(post: &Post) -> serde_json::Value {
    let what = &post.what;
    serde_json::json!({
        "key": what.key, "notice": what.notice, "kind": what.kind.as_str(), "subject": what.subject,
        "audience": what.audience, "to": what.to, "title": what.title, "text": what.text,
    })
}
