//! What only a broker can do to us, tried on a real one, mostly through a proxy that misbehaves.

mod refusals;
mod rights;
mod storms;

use std::time::{Duration, Instant};

/// Waits until something is so.
async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut beat = tokio::time::interval(Duration::from_millis(10));
    while !so() {
        assert!(Instant::now() < deadline, "{what} did not come about");
        beat.tick().await;
    }
}
