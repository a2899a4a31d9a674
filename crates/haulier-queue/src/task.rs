//! Work that outlives its caller.

use haulier_core::port::QueueError;

/// Runs to its end even when the caller stops waiting: what was begun must not be left half-way.
pub(crate) async fn detached<T: Send + 'static>(
    doing: &'static str,
    work: impl Future<Output = Result<T, QueueError>> + Send + 'static,
) -> Result<T, QueueError> {
    match tokio::spawn(work).await {
        Ok(result) => result,
        Err(error) => Err(QueueError::Failed { doing, cause: error.to_string() }),
    }
}
