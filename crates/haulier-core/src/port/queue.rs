//! The queue port: carries parcels durably; the ledger, not the queue, says what has landed.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::Parcel;

/// A durable queue of parcels.
#[async_trait]
pub trait Queue: Debug + Send + Sync {
    /// Publishes in order and returns once the broker holds all of them durably. An error means that nobody knows
    /// which of them it holds: publish all again. Dropping the call does not cancel what is under way.
    async fn publish(&self, parcels: &[Parcel]) -> Result<(), QueueError>;

    /// A consumer with at most `prefetch` unsettled deliveries.
    async fn consumer(&self, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError>;

    /// What the queue holds now, unsettled deliveries included. Never guesses: what cannot be read is an error.
    async fn depth(&self) -> Result<Depth, QueueError>;

    /// How many parcels wait for a consumer now. Cheaper than the whole depth where the broker makes a difference.
    async fn ready(&self) -> Result<u64, QueueError> {
        Ok(self.depth().await?.ready)
    }

    /// Why the broker holds publishers back, while it does.
    fn blocked(&self) -> Option<String> {
        None
    }
}

/// Takes deliveries. Dropping it gives back everything unsettled.
#[async_trait]
pub trait Consumer: Debug + Send + Sync {
    /// The next delivery; waits for one. Cancel safe. A message that is no parcel goes to the dead queue
    /// with its bytes and is not returned.
    async fn next(&self) -> Result<Delivery, QueueError>;

    /// Settles one delivery. Settling what was given back meanwhile is not an error: it will come again.
    async fn settle(&self, receipt: Receipt, how: Settle) -> Result<(), QueueError>;
}

/// A parcel on its way.
#[derive(Debug)]
pub struct Delivery {
    /// What came.
    pub parcel: Parcel,
    /// What settles it.
    pub receipt: Receipt,
    /// Whether the broker says that it was delivered before. Not an attempt count.
    pub redelivered: bool,
}

/// Settles one delivery; moved, so that none is settled twice.
#[derive(Debug)]
pub struct Receipt(pub u64);

/// How a delivery ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// Its outcome is in the ledger: forget it.
    Done,
    /// Not done: deliver it again, to anybody.
    GiveBack,
    /// Deliver it again after so many milliseconds.
    Delay(u64),
    /// Keep it apart in the dead queue, with this reason.
    Bury(String),
}

/// What the queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Waiting for a consumer.
    pub ready: u64,
    /// Delivered and not settled.
    pub unsettled: u64,
    /// Waiting for their time.
    pub delayed: u64,
    /// In the dead queue.
    pub dead: u64,
}

impl Depth {
    /// Whether nothing is on its way; dead ones are apart.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ready == 0 && self.unsettled == 0 && self.delayed == 0
    }
}

/// Why the queue did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// No connection, or it broke; a later call may succeed.
    #[error("the queue at {at} cannot be reached: {cause}")]
    Unreachable {
        /// Host and port, or file.
        at: String,
        /// The driver's words.
        cause: String,
    },
    /// The broker refuses the user.
    #[error("the queue at {at} refuses the credentials: {cause}")]
    Credentials {
        /// Host and port.
        at: String,
        /// The broker's words.
        cause: String,
    },
    /// The queue exists with other arguments, or is of a newer version.
    #[error("the queue `{queue}` is not as haulier declares it: {problem}")]
    Mismatch {
        /// The queue.
        queue: String,
        /// The difference.
        problem: String,
    },
    /// The broker holds publishers back (memory or disk alarm).
    #[error("the broker blocks publishers: {reason}")]
    Blocked {
        /// The broker's reason.
        reason: String,
    },
    /// The queue is not there: nobody declared it yet, or somebody deleted it.
    #[error("the queue `{queue}` does not exist")]
    Gone {
        /// The queue.
        queue: String,
    },
    /// A parcel is too large for the broker.
    #[error("a parcel of {bytes} bytes is over the limit of {limit} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Anything else.
    #[error("the queue failed while {doing}: {cause}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        cause: String,
    },
}

impl QueueError {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Blocked { .. } | Self::Failed { .. } => true,
            Self::Credentials { .. } | Self::Mismatch { .. } | Self::Gone { .. } | Self::TooLarge { .. } => {
                false
            }
        }
    }
}
