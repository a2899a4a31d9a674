//! One connection, driven by the task that uses it: no second task has to be woken for a request.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response};
use tokio::time::Instant;

use super::Reply;

/// The body of a request.
pub(super) type Payload = Full<Bytes>;

type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// An HTTP/1.1 connection.
pub(super) struct Connection {
    sender: SendRequest<Payload>,
    driver: Driver,
    closed: bool,
    idle_since: Instant,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("closed", &self.closed).finish_non_exhaustive()
    }
}

/// Why a request has no reply.
#[derive(Debug)]
pub(super) enum Broken {
    /// Not a byte of the request left: it can go over another connection.
    Unsent,
    /// It may have arrived; the reason.
    Lost(String),
}

impl Connection {
    pub(super) fn new(sender: SendRequest<Payload>, driver: Driver) -> Self {
        Self { sender, driver, closed: false, idle_since: Instant::now() }
    }

    /// Sends the request and reads the whole reply, which may have `limit` bytes. A request that did not leave is put
    /// back.
    pub(super) async fn exchange(
        &mut self,
        request: &mut Option<Request<Payload>>,
        limit: usize,
    ) -> Result<Reply, Broken> {
        // The peer may have closed it meanwhile.
        if self.is_over().await {
            return Err(Broken::Unsent);
        }
        let Some(taken) = request.take() else {
            return Err(Broken::Lost("the request was sent already".to_owned()));
        };
        let reply = {
            let sending = pin!(self.sender.try_send_request(taken));
            drive(&mut self.driver, &mut self.closed, sending).await
        };
        match reply {
            Some(Ok(response)) => self.read(response, limit).await.map_err(Broken::Lost),
            Some(Err(mut error)) => {
                *request = error.take_message();
                Err(if request.is_some() { Broken::Unsent } else { Broken::Lost(words(error.error())) })
            }
            None => Err(Broken::Lost("the connection ended before the reply".to_owned())),
        }
    }

    async fn read(&mut self, response: Response<Incoming>, limit: usize) -> Result<Reply, String> {
        let (head, mut body) = response.into_parts();
        let too_long = || format!("the reply is longer than {limit} bytes");
        if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(too_long());
        }
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while !body.is_end_stream() {
            let frame = drive(&mut self.driver, &mut self.closed, pin!(body.frame())).await;
            let frame = match frame {
                Some(Some(Ok(frame))) => frame,
                Some(None) => break,
                Some(Some(Err(error))) => return Err(words(&error)),
                None => return Err("the connection ended within the reply".to_owned()),
            };
            let Ok(data) = frame.into_data() else { continue };
            if first.len() + all.len() + data.len() > limit {
                return Err(too_long());
            }
            if first.is_empty() && all.is_empty() {
                first = data;
            } else {
                if all.is_empty() {
                    all.extend_from_slice(&std::mem::take(&mut first));
                }
                all.extend_from_slice(&data);
            }
        }
        let body = if all.is_empty() { first } else { all.freeze() };
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Whether it can take no further request. Leaves a good one ready for the next.
    pub(super) async fn is_over(&mut self) -> bool {
        if !self.closed {
            self.closed = poll_fn(|context| Poll::Ready(self.driver.as_mut().poll(context).is_ready())).await;
        }
        self.closed || !self.sender.is_ready()
    }

    /// Notes that nobody uses it from now on.
    pub(super) fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    pub(super) fn is_stale(&self, idle: Duration) -> bool {
        self.idle_since.elapsed() >= idle
    }
}

/// Polls `work` and the connection together; `None` when the connection ends and the work can never be done.
async fn drive<F: Future>(
    driver: &mut Driver,
    closed: &mut bool,
    mut work: Pin<&mut F>,
) -> Option<F::Output> {
    poll_fn(move |context: &mut Context<'_>| {
        if let Poll::Ready(done) = work.as_mut().poll(context) {
            return Poll::Ready(Some(done));
        }
        if !*closed {
            *closed = driver.as_mut().poll(context).is_ready();
        }
        match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if *closed => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The error with its causes. None of them holds an address or a body.
fn words(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text
}
