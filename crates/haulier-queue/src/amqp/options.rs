//! How a broker is reached and used.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::wire;

/// How the broker is reached, and how the queue is declared.
#[derive(Debug, Clone)]
pub struct Options {
    /// The broker's host.
    pub host: String,
    /// Its port: 5672, or 5671 with TLS.
    pub port: u16,
    /// The virtual host; `/` is RabbitMQ's default one.
    pub vhost: String,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: Password,
    /// Whether and how the connection is encrypted.
    pub tls: Tls,
    /// The queue's name. `NAME.dead` and `NAME.delay.*` belong to it.
    pub queue: String,
    /// What this process does, which decides what it needs to be allowed.
    pub role: Role,
    /// Deliveries of one message before the broker itself puts it into the dead queue. A safety net far above what
    /// haulier needs; attempts are counted in the ledger.
    pub delivery_limit: u32,
    /// The heartbeat; a silent broker is noticed after twice as long.
    pub heartbeat: Duration,
    /// The management API, without which nobody can count unsettled messages.
    pub api: Option<Api>,
    /// What the broker lists the connection as.
    pub client: String,
    /// The largest message; a parcel over it travels in parts.
    pub max_bytes: usize,
    /// Messages that may be on their way to the broker without its confirm.
    pub window: usize,
    /// How long a publish goes on trying without any progress.
    pub deadline: Duration,
    /// How long a publish waits while the broker blocks publishers.
    pub patience: Duration,
    /// How long the broker may leave messages unconfirmed before the connection is given up.
    pub silence: Duration,
}

impl Options {
    /// The usual settings for a queue on a broker on this machine.
    #[must_use]
    pub fn new(queue: impl Into<String>, role: Role) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 5672,
            vhost: "/".to_owned(),
            user: "guest".to_owned(),
            password: Password("guest".to_owned()),
            tls: Tls::Off,
            queue: queue.into(),
            role,
            delivery_limit: 50,
            heartbeat: Duration::from_secs(10),
            api: None,
            client: "haulier".to_owned(),
            max_bytes: wire::DEFAULT_MAX_BYTES,
            window: 256,
            deadline: Duration::from_mins(1),
            patience: Duration::from_secs(30),
            silence: Duration::from_secs(30),
        }
    }

    /// Host and port, as errors name them.
    pub(super) fn at(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A password, which no log shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// How the connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for a broker on this machine.
    Off,
    /// By certificates that this system trusts.
    System,
    /// By certificates of the authorities in this PEM file, and no others.
    Authorities(PathBuf),
}

/// What a process does with the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Publishes, and declares the queues.
    Publish,
    /// Consumes; declares nothing.
    Consume,
    /// Both.
    Both,
}

impl Role {
    pub(super) fn declares(self) -> bool {
        match self {
            Self::Publish | Self::Both => true,
            Self::Consume => false,
        }
    }
}

/// Where the management API is. Its user needs the tag `monitoring`, or `management` and rights on the queues.
#[derive(Debug, Clone)]
pub struct Api {
    /// Such as `http://127.0.0.1:15672`; unencrypted on this machine only.
    pub url: String,
    /// The user.
    pub user: String,
    /// The user's password.
    pub password: Password,
}
