//! Time: the only way to ask for it.

use std::fmt::Debug;

/// Microseconds since 1970-01-01T00:00:00Z, as ledgers store time.
pub type Micros = i64;

/// Tells the time. Durations are measured with a monotonic clock by those who need them.
pub trait Clock: Debug + Send + Sync {
    /// Wall-clock time now.
    fn now(&self) -> jiff::Timestamp;

    /// Wall-clock time now, as ledgers store it.
    fn micros(&self) -> Micros {
        self.now().as_microsecond()
    }
}
