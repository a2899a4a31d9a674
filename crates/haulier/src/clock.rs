//! The system's clock: the one place that asks it.

use haulier_core::port::Clock;

/// Tells the system's time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that all others take")]
    fn now(&self) -> jiff::Timestamp {
        wrong_by(jiff::Timestamp::now())
    }
}

/// For drills: the clock is wrong by as many seconds as the file that `HAULIER_CLOCK` names says at the moment.
#[cfg(feature = "drills")]
fn wrong_by(now: jiff::Timestamp) -> jiff::Timestamp {
    static FILE: std::sync::OnceLock<Option<std::ffi::OsString>> = std::sync::OnceLock::new();
    let Some(file) = FILE.get_or_init(|| std::env::var_os("HAULIER_CLOCK")) else { return now };
    let seconds = std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now)
}

#[cfg(not(feature = "drills"))]
fn wrong_by(now: jiff::Timestamp) -> jiff::Timestamp {
    now
}
