//! The system's clock: the one place that asks it.

use haulier_core::port::Clock;

/// Tells the system's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others take")]
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}
