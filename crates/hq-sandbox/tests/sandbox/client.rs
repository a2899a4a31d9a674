//! A client that sees every byte: one connection a request, read to its end.

use std::net::SocketAddr;

use hq_sandbox::{Config, Sandbox};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const TOKEN: &str = "the-token";

/// A sandbox and the way to ask it.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    pub(crate) client: Client,
}

/// Asks one address, with one token.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(Config::in_memory(TOKEN)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let sandbox = Sandbox::start(config).await.unwrap();
        let client = Client { address: sandbox.address(), token: Some(TOKEN.to_owned()) };
        Self { sandbox, client }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {} {text}", self.status))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// Asks with a JSON body and takes the whole answer, which must come.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.ask_with(method, path, body, &[]).await
    }

    pub(crate) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        extra: &[(&str, &str)],
    ) -> Answer {
        let mut headers = extra.to_vec();
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let answer = self.send(method, path, &headers, body.as_bytes()).await.expect("an answer");
        let promised = answer.header("content-length").map_or(0, |text| text.parse().unwrap());
        assert_eq!(answer.body.len(), promised, "{method} {path}: the body was cut");
        answer
    }

    /// Sends exactly this and takes what comes, a cut body too; `None` when not one byte comes.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Option<Answer> {
        let path = if path.starts_with("/api") || path.starts_with("/_") || path.starts_with("/openapi") {
            path.to_owned()
        } else {
            format!("/api/v1{path}")
        };
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), format!("host: {}", self.address)];
        lines.push("connection: close".to_owned());
        lines.extend(self.token.iter().map(|token| format!("authorization: Bearer {token}")));
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(format!("content-length: {}\r\n\r\n", body.len()));
        let head = lines.join("\r\n");
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        // The other side may close before it has read all of it.
        drop(stream.write_all(&bytes).await);
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        parse(&answer)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.ask("PUT", path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.ask("PATCH", path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None).await
    }

    /// Creates something that must be new, and gives its id.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> String {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.json());
        answer.json()["id"].as_str().unwrap().to_owned()
    }
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    if bytes.is_empty() {
        return None;
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Some(Answer { status, headers: lines.map(pair).collect(), body: bytes[end + 4..].to_vec() })
}

/// Percent-encodes a text for a path or a query.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// An account's body.
pub(crate) fn account(external_id: &str) -> Value {
    serde_json::json!({
        "external_id": external_id, "name": "Größe & Söhne", "email": "info@example.com", "plan": "pro",
        "active": false, "credit": "-12.50", "created_at": "2024-02-29T20:30:00.123456Z",
    })
}

/// A project's body.
pub(crate) fn project(account_id: &str, name: &str) -> Value {
    serde_json::json!({
        "account_id": account_id, "name": name, "budget": "1000.00", "status": "active",
        "created_at": "2024-03-30T20:30:00+05:45",
    })
}

/// A user's body.
pub(crate) fn user(account_id: &str, email: &str) -> Value {
    serde_json::json!({
        "account_id": account_id, "email": email, "full_name": "’t Hooft", "created_at": "2024-03-30T20:30:00Z",
    })
}
