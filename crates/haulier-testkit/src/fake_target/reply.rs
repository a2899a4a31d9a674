//! What the target answers, and how it breaks.

use std::time::Duration;

use tokio::sync::watch;

/// A scripted reply.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) fault: Fault,
}

/// How a reply goes wrong. The request has always been taken in and logged before.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It does not.
    None,
    /// The connection is closed instead of a reply: the answer is lost.
    Cut,
    /// The connection is reset (RST) instead of a reply.
    Reset,
    /// Half of the body is sent, then the connection is closed.
    HalfBody,
    /// The head promises one byte more than the body has; the connection is closed after it.
    WrongLength,
    /// The reply is sent whole, then the connection is closed without a word, as servers do with idle ones.
    CloseAfter,
    /// The reply is sent whole with `Connection: close`.
    SayClose,
    /// The body is sent in chunks, without a length.
    Chunked,
    /// The reply is sent byte by byte, with this pause.
    Drip(Duration),
    /// The body begins as it should, and goes on for as long as anybody listens.
    Endless,
    /// The reply waits for the gate.
    Hold(Gate),
}

/// Holds replies until the test opens it.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Gate {
    /// Lets all replies through, those that wait and those to come.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn pass(&self) {
        let mut state = self.0.subscribe();
        // The gate itself is held by this reply, so the wait ends by opening only.
        drop(state.wait_for(|open| *open).await);
    }
}

impl Reply {
    /// A reply with a media type.
    #[must_use]
    pub fn new(status: u16, media_type: &str, body: &str) -> Self {
        let headers = if body.is_empty() && media_type.is_empty() {
            Vec::new()
        } else {
            vec![("Content-Type".to_owned(), media_type.to_owned())]
        };
        Self { status, headers, body: body.as_bytes().to_vec(), fault: Fault::None }
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, body: &str) -> Self {
        Self::new(status, "application/json", body)
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self::new(status, "text/plain", body)
    }

    /// A status without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self::new(status, "", "")
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, broken.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = fault;
        self
    }
}
