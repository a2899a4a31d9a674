//! The port's contract suite over both adapters.

mod amqp;
mod embedded;

use std::sync::Arc;

use haulier_core::port::Clock;

/// The time.
#[derive(Debug)]
pub(crate) struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "the one clock of these tests")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(WallClock)
}
