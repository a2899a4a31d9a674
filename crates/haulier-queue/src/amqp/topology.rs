//! The queues that haulier uses, and how they are declared.
//!
//! | queue | is for |
//! |---|---|
//! | `NAME` | parcels |
//! | `NAME.dead` | what nobody can handle, with the reason |
//! | `NAME.delay.short`, `.medium`, `.long` | parcels that wait for their time, then go back to `NAME` |

use haulier_core::port::QueueError;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection};

use super::Options;
use super::failure::is_missing;
use super::link::within;

/// A queue only frees the message at its head, so each delay queue holds delays of about the same length: nothing
/// waits behind a much longer one. In milliseconds, with the suffix; the last one takes all the rest.
const DELAYS: [(u64, &str); 3] =
    [(1_000, ".delay.short"), (30_000, ".delay.medium"), (u64::MAX, ".delay.long")];

/// Room for the longest suffix within AMQP's 255 bytes.
const LONGEST_NAME: usize = 230;

/// The queues' names.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) main: String,
    pub(super) dead: String,
    pub(super) delays: [String; 3],
}

impl Names {
    pub(super) fn new(queue: &str) -> Result<Self, QueueError> {
        let fine = (1..=LONGEST_NAME).contains(&queue.len()) && !queue.starts_with("amq.");
        if !fine {
            return Err(QueueError::Mismatch {
                queue: queue.to_owned(),
                problem: format!("a name has 1 to {LONGEST_NAME} bytes and does not start with `amq.`"),
            });
        }
        Ok(Self {
            main: queue.to_owned(),
            dead: format!("{queue}.dead"),
            delays: DELAYS.map(|(_, suffix)| format!("{queue}{suffix}")),
        })
    }

    /// The delay queue for a wait of so many milliseconds.
    pub(super) fn delay(&self, millis: u64) -> &str {
        let fits = DELAYS.iter().zip(&self.delays).find(|((longest, _), _)| millis <= *longest);
        fits.map_or(&self.main, |(_, name)| name)
    }

    /// Every queue; one that another sends on to comes before it.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        [&self.dead, &self.main].into_iter().chain(&self.delays).map(String::as_str)
    }

    /// Dead letters go through the default exchange, at least once, and never vanish for want of room.
    fn arguments(&self, queue: &str, delivery_limit: u32) -> FieldTable {
        let mut arguments = FieldTable::default();
        let mut text = |key: &str, value: &str| {
            arguments.insert(key.into(), AMQPValue::LongString(value.into()));
        };
        text("x-queue-type", "quorum");
        text("x-overflow", "reject-publish");
        if queue != self.dead {
            text("x-dead-letter-exchange", "");
            text("x-dead-letter-routing-key", if queue == self.main { &self.dead } else { &self.main });
            text("x-dead-letter-strategy", "at-least-once");
        }
        if queue == self.main {
            arguments.insert(
                "x-delivery-limit".into(),
                AMQPValue::LongInt(i32::try_from(delivery_limit).unwrap_or(i32::MAX)),
            );
        }
        arguments
    }
}

/// Looks at every queue first; whoever may declare makes the missing ones and compares the others. Deletes nothing.
pub(super) async fn prepare(
    connection: &Connection,
    options: &Options,
    names: &Names,
) -> Result<(), QueueError> {
    for queue in names.all() {
        // An error closes its channel, so each question has one of its own.
        let missing = count(connection, options, queue).await?.is_none();
        if missing && !options.role.declares() {
            return Err(QueueError::Gone { queue: queue.to_owned() });
        }
        if options.role.declares() {
            let channel = within(options, connection.create_channel()).await?;
            let arguments = names.arguments(queue, options.delivery_limit);
            let declare = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
            within(options, channel.queue_declare(short(queue), declare, arguments))
                .await
                .map_err(|error| about(error, queue))?;
            close(&channel).await;
        }
    }
    Ok(())
}

/// How many messages of a queue wait for a consumer; `None` when there is no such queue.
pub(super) async fn count(
    connection: &Connection,
    options: &Options,
    queue: &str,
) -> Result<Option<u64>, QueueError> {
    let channel = within(options, connection.create_channel()).await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let asked = async {
        match channel.queue_declare(short(queue), passive, FieldTable::default()).await {
            Ok(found) => Ok(Some(u64::from(found.message_count()))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let answer = within(options, asked).await.map_err(|error| about(error, queue))?;
    close(&channel).await;
    Ok(answer)
}

/// A name that was checked to be short enough.
pub(super) fn short(queue: &str) -> ShortString {
    ShortString::try_new(queue).unwrap_or_default()
}

async fn close(channel: &Channel) {
    if channel.status().connected() {
        drop(channel.close(200, "done".into()).await);
    }
}

/// Names the queue that the question was about.
fn about(error: QueueError, name: &str) -> QueueError {
    match error {
        QueueError::Mismatch { problem, .. } => QueueError::Mismatch { queue: name.to_owned(), problem },
        QueueError::Gone { .. } => QueueError::Gone { queue: name.to_owned() },
        other @ (QueueError::Unreachable { .. }
        | QueueError::Credentials { .. }
        | QueueError::Blocked { .. }
        | QueueError::TooLarge { .. }
        | QueueError::Failed { .. }) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_waits_among_delays_of_its_own_length() {
        let names = Names::new("q").unwrap();
        assert_eq!(names.delay(0), "q.delay.short");
        assert_eq!(names.delay(1_001), "q.delay.medium");
        assert_eq!(names.delay(u64::MAX), "q.delay.long");
    }

    #[test]
    fn a_name_that_amqp_cannot_carry_is_refused() {
        for bad in ["", "amq.x", &"x".repeat(231)] {
            assert!(matches!(Names::new(bad), Err(QueueError::Mismatch { .. })), "{bad}");
        }
    }
}
