//! An answer that breaks off.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Frame, SizeHint};

/// A body that promises its whole length, sends half of it and breaks off.
pub(crate) struct CutBody {
    promised: usize,
    rest: Option<Bytes>,
    flushed: bool,
}

impl CutBody {
    pub(crate) fn new(whole: Bytes) -> Self {
        Self { promised: whole.len(), rest: Some(whole), flushed: false }
    }
}

impl hyper::body::Body for CutBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Some(whole) = self.rest.take() {
            return Poll::Ready(Some(Ok(Frame::data(whole.slice(..whole.len() / 2)))));
        }
        if !self.flushed {
            // One turn for the connection to send what it has, before the error drops it.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("cut on purpose"))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.promised).unwrap_or(u64::MAX))
    }
}
