//! How deliveries end: acknowledged, given back, or copied into another queue first.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{QueueError, Settle};
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use tokio::time::timeout;
use uuid::Uuid;

use super::Options;
use super::failure::classify;
use super::lane::{Lane, Line};
use super::publisher::Publisher;
use super::topology::Names;
use super::window::Outgoing;

/// How long a settlement may take to be written.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// How long a channel stays open after its last settlement: RabbitMQ hands settlements on to a quorum queue in its own
/// time, and forgets those that it still has in hand when the channel closes.
pub(super) const LINGER: Duration = Duration::from_secs(1);

/// What all consumers of a queue share.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    pub(super) options: Arc<Options>,
    pub(super) names: Arc<Names>,
    pub(super) lane: Arc<Lane>,
    pub(super) publisher: Publisher,
}

/// One delivery that is not settled.
#[derive(Debug, Clone)]
pub(super) struct Unsettled {
    pub(super) acker: Acker,
    pub(super) line: Arc<Line>,
    pub(super) id: Option<Uuid>,
    pub(super) body: Arc<Vec<u8>>,
}

impl Desk {
    /// Settles a delivery; one of a channel that is gone was given back already.
    pub(super) async fn settle(&self, one: &Unsettled, how: Settle) -> Result<(), QueueError> {
        if !one.acker.usable() || one.line.broken.is_cancelled() {
            return Ok(());
        }
        let copied = match how {
            Settle::Done => Ok(()),
            Settle::GiveBack => {
                one.line.give_back(&one.acker).await;
                return Ok(());
            }
            Settle::Delay(millis) => {
                // RabbitMQ keeps times of up to 2^32 - 1 ms.
                let expires = millis.min(u64::from(u32::MAX));
                self.copy(one, self.names.delay(millis), None, Some(expires)).await
            }
            Settle::Bury(reason) => self.copy(one, &self.names.dead, Some(reason), None).await,
        };
        match copied {
            Ok(()) => one.line.acknowledge(&one.acker).await,
            Err(_) => one.line.give_back(&one.acker).await,
        }
        copied
    }

    /// Puts a message that is no parcel into the dead queue. An error that passes leaves it as it is, to be tried again.
    pub(super) async fn keep_apart(&self, one: &Unsettled, reason: String) -> Result<(), QueueError> {
        tracing::warn!(reason, "a message is no parcel; it is kept apart in the dead queue");
        match self.copy(one, &self.names.dead, Some(reason), None).await {
            Ok(()) => one.line.acknowledge(&one.acker).await,
            Err(error) if error.is_passing() => return Err(error),
            // Without the right to publish there, the broker's own way to the dead queue is left.
            Err(_) => one.line.answered(one.acker.reject(BasicRejectOptions { requeue: false })).await,
        }
        Ok(())
    }

    /// Puts a copy into another queue of ours.
    async fn copy(
        &self,
        one: &Unsettled,
        queue: &str,
        reason: Option<String>,
        expires: Option<u64>,
    ) -> Result<(), QueueError> {
        let message = Outgoing {
            queue: queue.into(),
            id: one.id,
            body: Arc::clone(&one.body),
            reason: reason.map(Into::into),
            expires,
        };
        self.publisher.publish(vec![message]).await
    }

    /// The driver's error in the port's words; `None` where it gave none.
    pub(super) fn classify(&self, error: Option<&lapin::Error>) -> QueueError {
        match error {
            Some(error) => classify(&self.options.at(), &self.names.main, error),
            None => QueueError::Unreachable {
                at: self.options.at(),
                cause: "the broker ended the consumer, or the connection broke".to_owned(),
            },
        }
    }
}

impl Line {
    async fn acknowledge(&self, acker: &Acker) {
        self.answered(acker.ack(BasicAckOptions::default())).await;
    }

    /// Lets the broker deliver it again.
    pub(super) async fn give_back(&self, acker: &Acker) {
        self.answered(acker.nack(BasicNackOptions { requeue: true, multiple: false })).await;
    }

    /// Waits until a settlement is written. `Ok(false)` and an error mean that the broker did not hear it, and that the
    /// message comes again. A connection that cannot even be written to is given up, so that it does.
    async fn answered(&self, settling: impl Future<Output = lapin::Result<bool>>) {
        let heard = tokio::select! {
            biased;
            settled = timeout(ANSWER, settling) => {
                if settled.is_err() {
                    self.broken.cancel();
                }
                matches!(settled, Ok(Ok(true)))
            }
            () = self.broken.cancelled() => false,
        };
        if !heard {
            tracing::debug!("a settlement did not reach the broker; the message comes again");
        }
    }
}
