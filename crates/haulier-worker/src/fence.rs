//! The fence that stops a process which cannot say that it is alive.

use std::sync::{Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

/// Open while the process can say that it is alive. When it closes, everything in hand is dropped, because others may
/// hold the claims by then; a new one opens with the next sign of life.
#[derive(Debug)]
pub(crate) struct Fence(Mutex<CancellationToken>);

impl Fence {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(CancellationToken::new()))
    }

    /// The token of the open fence; cancelled when it closes.
    pub(crate) fn token(&self) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn close(&self) {
        self.token().cancel();
    }

    pub(crate) fn reopen(&self) {
        let mut token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if token.is_cancelled() {
            *token = CancellationToken::new();
        }
    }
}
