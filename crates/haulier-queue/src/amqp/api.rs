//! The broker's management API: one question, how much a queue holds.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haulier_core::port::QueueError;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, HOST, HeaderValue};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::{Api, Options, tls};

const PATIENCE: Duration = Duration::from_secs(10);
/// Far more than the description of one queue.
const MOST: usize = 4 * 1024 * 1024;

/// Asks the API, over a connection for each question: it is asked once in a while.
pub(super) struct Client {
    base: String,
    host: String,
    port: u16,
    /// `None` on this machine only.
    tls: Option<TlsConnector>,
    /// What stands before the queue's name.
    path: String,
    authorization: HeaderValue,
}

/// Shows where it asks, and nothing of the credentials.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// How much one queue held when the broker last looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) total: u64,
    pub(super) unacknowledged: u64,
}

#[derive(Deserialize)]
struct Answer {
    messages: Option<u64>,
    messages_unacknowledged: Option<u64>,
}

impl Client {
    pub(super) fn new(api: &Api, options: &Options) -> Result<Self, QueueError> {
        let failed =
            |cause: String| QueueError::Failed { doing: "preparing to ask the management API", cause };
        let base = api.url.trim_end_matches('/').to_owned();
        let uri: Uri = base.parse().map_err(|_| failed("its address is no URL".to_owned()))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(failed("its address has no scheme or no host".to_owned()));
        };
        // An IPv6 address stands in brackets in a URL, and nowhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (tls, usual_port) = match scheme {
            "https" => (Some(TlsConnector::from(Arc::new(tls::client(&options.tls)?))), 443),
            "http" if is_loopback(&host) => (None, 80),
            _ => return Err(failed(format!("`{base}` would send the password in the clear; use https"))),
        };
        let pair = STANDARD.encode(format!("{}:{}", api.user, api.password.0));
        let mut authorization = HeaderValue::from_str(&format!("Basic {pair}"))
            .map_err(|_| failed("its credentials cannot be sent".to_owned()))?;
        authorization.set_sensitive(true);
        let path = format!("{}/api/queues/{}/", uri.path().trim_end_matches('/'), escaped(&options.vhost));
        Ok(Self { port: uri.port_u16().unwrap_or(usual_port), base, host, tls, path, authorization })
    }

    /// What a queue holds, by the broker's last statistics.
    pub(super) async fn counts(&self, queue: &str) -> Result<Counts, QueueError> {
        let path = format!("{}{}", self.path, escaped(queue));
        let (status, body) = match tokio::time::timeout(PATIENCE, self.get(&path)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(self.unreachable(format!("no answer within {} s", PATIENCE.as_secs()))),
        };
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(QueueError::Credentials {
                    at: self.base.clone(),
                    cause: format!("HTTP {}", status.as_u16()),
                });
            }
            StatusCode::NOT_FOUND => return Err(QueueError::Gone { queue: queue.to_owned() }),
            other => return Err(self.unreachable(format!("HTTP {}", other.as_u16()))),
        }
        let failed = |cause: &str| QueueError::Failed { doing: "counting messages", cause: cause.to_owned() };
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| failed("the management API's answer cannot be read"))?;
        match (answer.messages, answer.messages_unacknowledged) {
            (Some(total), Some(unacknowledged)) => Ok(Counts { total, unacknowledged }),
            _ => Err(failed("the broker has no statistics of the queue yet")),
        }
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, Bytes), QueueError> {
        let stream = TcpStream::connect((self.host.as_str(), self.port));
        let stream = stream.await.map_err(|error| self.unreachable(error.to_string()))?;
        let Some(tls) = &self.tls else { return self.ask(stream, path).await };
        let name = ServerName::try_from(self.host.clone())
            .map_err(|_| self.unreachable("its host name cannot be in a certificate".to_owned()))?;
        let stream = tls.connect(name, stream).await.map_err(|error| self.unreachable(error.to_string()))?;
        self.ask(stream, path).await
    }

    async fn ask(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        path: &str,
    ) -> Result<(StatusCode, Bytes), QueueError> {
        let broke = |error: hyper::Error| self.unreachable(error.to_string());
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broke)?;
        // Ends with the sender; an error shows in the answer.
        let connection = tokio::spawn(connection);
        let request = Request::get(path)
            .header(HOST, &self.host)
            .header(AUTHORIZATION, self.authorization.clone())
            .body(Empty::<Bytes>::new())
            .map_err(|error| self.unreachable(error.to_string()))?;
        let response = sender.send_request(request).await.map_err(broke)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST).collect().await;
        let body = body.map_err(|error| self.unreachable(error.to_string()))?;
        connection.abort();
        Ok((status, body.to_bytes()))
    }

    fn unreachable(&self, cause: String) -> QueueError {
        QueueError::Unreachable { at: self.base.clone(), cause }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A path segment.
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amqp::{Password, Role};

    fn client(url: &str) -> Result<Client, QueueError> {
        let api = Api { url: url.to_owned(), user: "u".to_owned(), password: Password("p".to_owned()) };
        Client::new(&api, &Options::new("q", Role::Both))
    }

    #[test]
    fn a_password_leaves_this_machine_only_encrypted() {
        for fine in
            ["http://127.0.0.1:15672/", "http://localhost:1", "http://[::1]:1", "https://rabbit.example"]
        {
            assert!(client(fine).is_ok(), "{fine}");
        }
        for bad in ["http://rabbit.example:15672", "http://127.0.0.1.example", "rabbit", ""] {
            assert!(client(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_virtual_host_is_one_path_segment() {
        assert_eq!(escaped("/"), "%2F");
        assert_eq!(escaped("a b.c/ä"), "a%20b.c%2F%C3%A4");
    }

    #[tokio::test]
    async fn an_api_that_is_not_there_is_unreachable() {
        let answer = client("http://127.0.0.1:1").unwrap().counts("q").await;
        assert!(matches!(answer, Err(QueueError::Unreachable { .. })), "{answer:?}");
    }
}
