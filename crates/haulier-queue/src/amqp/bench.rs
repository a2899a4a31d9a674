//! The tests' broker, with a queue of its own for each test.

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use haulier_testkit::proxy::Proxy;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeleteOptions};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

use super::topology::Names;
use super::{Api, Options, Password, Role};

/// A queue on the broker that `HAULIER_TEST_AMQP_URL` names.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) queue: String,
    url: String,
    /// What was made over the management API, and is to be deleted.
    made: Mutex<Vec<String>>,
}

/// Deletes all that the test made, also when it failed.
impl Drop for Broker {
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            let sweeping = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(self.sweep());
            });
            drop(sweeping.join());
        });
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `scripts/services.sh start` and `. target/services/env`")
    })
}

impl Broker {
    pub(crate) fn new() -> Self {
        Self {
            queue: format!("test-{}", Uuid::now_v7()),
            url: variable("HAULIER_TEST_AMQP_URL"),
            made: Mutex::default(),
        }
    }

    fn uri(&self) -> AMQPUri {
        self.url.parse().unwrap()
    }

    pub(crate) fn at(&self) -> String {
        let authority = self.uri().authority;
        format!("{}:{}", authority.host, authority.port)
    }

    pub(crate) fn options(&self, role: Role) -> Options {
        let uri = self.uri();
        let api: hyper::Uri = variable("HAULIER_TEST_AMQP_API_URL").parse().unwrap();
        let authority = api.authority().unwrap().as_str();
        let (pair, host) = authority.split_once('@').unwrap();
        let (user, password) = pair.split_once(':').unwrap();
        Options {
            host: uri.authority.host,
            port: uri.authority.port,
            vhost: uri.vhost,
            user: uri.authority.userinfo.username,
            password: Password(uri.authority.userinfo.password),
            api: Some(Api {
                url: format!("{}://{host}", api.scheme_str().unwrap()),
                user: user.to_owned(),
                password: Password(password.to_owned()),
            }),
            client: "haulier test".to_owned(),
            ..Options::new(&self.queue, role)
        }
    }

    /// The same broker behind a proxy.
    pub(crate) fn through(&self, proxy: &Proxy, role: Role) -> Options {
        Options { host: proxy.at().ip().to_string(), port: proxy.at().port(), ..self.options(role) }
    }

    /// A channel past the adapter.
    pub(crate) async fn channel(&self) -> (Connection, Channel) {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await;
        let connection = connection.expect("no broker: run `scripts/services.sh start`");
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// Puts bytes into the queue, which must be there.
    pub(crate) async fn publish_raw(&self, bytes: &[u8]) {
        if !self.exists().await {
            drop(super::open(self.options(Role::Both)).await.unwrap());
        }
        let (_connection, channel) = self.channel().await;
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let queue = self.queue.as_str().into();
        let sent = channel.basic_publish("".into(), queue, options, bytes, BasicProperties::default()).await;
        assert_eq!(sent.unwrap().await.unwrap(), Confirmation::Ack(None));
    }

    async fn exists(&self) -> bool {
        let (connection, _channel) = self.channel().await;
        let options = self.options(Role::Both);
        super::topology::count(&connection, &options, &self.queue).await.unwrap().is_some()
    }

    /// Makes a user with the password `pass` and the rights to configure, write and read.
    pub(crate) async fn user(&self, name: &str, [configure, write, read]: [&str; 3]) {
        let path = format!("/api/users/{name}");
        self.manage("PUT", &path, &json!({ "password": "pass", "tags": "" })).await;
        self.made.lock().unwrap().push(path);
        let rights = json!({ "configure": configure, "write": write, "read": read });
        self.manage("PUT", &format!("/api/permissions/%2f/{name}"), &rights).await;
    }

    /// Bounds the queue by a policy, as an operator might, and waits until it is in force.
    pub(crate) async fn bound(&self, length: usize) {
        let policy = json!({
            "pattern": format!("^{}$", self.queue), "definition": { "max-length": length }, "apply-to": "queues",
        });
        let path = format!("/api/policies/%2f/{}", self.queue);
        self.manage("PUT", &path, &policy).await;
        self.made.lock().unwrap().push(path);
        let path = format!("/api/queues/%2f/{}", self.queue);
        let in_force = async {
            while !self.manage("GET", &path, &json!({})).await.contains("\"max-length\":") {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), in_force).await.expect("a policy in force");
    }

    /// One request to the management API, over a connection of its own.
    async fn manage(&self, method: &str, path: &str, body: &serde_json::Value) -> String {
        let api = self.options(Role::Both).api.unwrap();
        let host = api.url.trim_start_matches("http://");
        let pair = STANDARD.encode(format!("{}:{}", api.user, api.password.0));
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {host}\r\nauthorization: Basic {pair}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "{method} {path}: {answer}");
        answer
    }

    /// Deletes one queue, as an operator might.
    pub(crate) async fn delete(&self, queue: &str) {
        let (_connection, channel) = self.channel().await;
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    async fn sweep(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        for path in made {
            self.manage("DELETE", &path, &json!({})).await;
        }
        for queue in Names::new(&self.queue).unwrap().all() {
            self.delete(queue).await;
        }
    }
}
