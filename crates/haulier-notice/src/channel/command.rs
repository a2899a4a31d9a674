//! A program that passes a post on.

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::notice::Post;
use tokio::io::AsyncWriteExt;

use super::{Channel, Delivery, PATIENCE, mark};

/// A program and its arguments, run without a shell. It gets the text on stdin and the rest in `HAULIER_NOTICE_*`; 0 means
/// that it went out, anything else that it did not.
#[derive(Debug, Clone)]
pub struct Command {
    argv: Vec<String>,
    patience: Duration,
}

impl Command {
    /// The program first.
    #[must_use]
    pub fn new(argv: Vec<String>) -> Self {
        Self { argv, patience: PATIENCE }
    }

    /// The same with less patience.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

#[async_trait]
impl Channel for Command {
    async fn deliver(&self, post: &Post) -> Delivery {
        let Some((program, args)) = self.argv.split_first() else {
            return Delivery::Refused("there is no command".to_owned());
        };
        let what = &post.what;
        let child = tokio::process::Command::new(program)
            .args(args)
            .env("HAULIER_NOTICE_KEY", &what.key)
            .env("HAULIER_NOTICE_ID", mark(post))
            .env("HAULIER_NOTICE_KIND", what.kind.as_str())
            .env("HAULIER_NOTICE_SUBJECT", &what.subject)
            .env("HAULIER_NOTICE_TITLE", &what.title)
            .env("HAULIER_NOTICE_TO", what.to.join(","))
            .env("HAULIER_NOTICE_ATTEMPT", post.attempts.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => return Delivery::Refused(format!("{program} cannot be run: {error}")),
        };
        let ended = tokio::time::timeout(self.patience, async {
            if let Some(mut stdin) = child.stdin.take() {
                // A program need not read it.
                let _unread = stdin.write_all(what.text.as_bytes()).await;
            }
            child.wait().await
        });
        match ended.await {
            Ok(Ok(status)) if status.success() => Delivery::Accepted(format!("{program} ended with 0")),
            Ok(Ok(status)) => match status.code() {
                Some(code) => Delivery::Refused(format!("{program} ended with {code}")),
                None => Delivery::Lost(format!("{program} was killed")),
            },
            Ok(Err(error)) => Delivery::Lost(format!("{program}: {error}")),
            Err(_) => Delivery::Lost(format!("{program} did not end within {} s", self.patience.as_secs())),
        }
    }

    async fn knows(&self, _: &Post) -> Option<bool> {
        None
    }
}
