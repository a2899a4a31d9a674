//! Waits for a neighbour that does not answer, and says so.

use std::fmt::Display;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Repeats `call` while its error is passing, with a growing wait of at most ten seconds, until `stop`.
/// The last error is the answer when it is not passing, or when the stop came.
pub async fn patiently<T, E, F>(
    what: &str,
    stop: &CancellationToken,
    passing: impl Fn(&E) -> bool,
    mut call: impl FnMut() -> F,
) -> Result<T, E>
where
    E: Display,
    F: Future<Output = Result<T, E>>,
{
    let mut wait = Duration::from_millis(200);
    loop {
        let error = match call().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        if !passing(&error) || stop.is_cancelled() {
            return Err(error);
        }
        tracing::warn!(error = %error, wait_ms = wait.as_millis(), "{what} does not answer, trying again");
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return Err(error),
        }
        wait = (wait * 2).min(Duration::from_secs(10));
    }
}
