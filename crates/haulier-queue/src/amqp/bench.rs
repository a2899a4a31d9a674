//! The tests' broker, with a queue of its own for each test.

use haulier_testkit::proxy::Proxy;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeleteOptions};
use lapin::uri::AMQPUri;
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use uuid::Uuid;

use super::topology::Names;
use super::{Api, Options, Password, Role};

/// A queue on the broker that `HAULIER_TEST_AMQP_URL` names.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) queue: String,
    url: String,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `scripts/services.sh start` and `. target/services/env`")
    })
}

impl Broker {
    pub(crate) fn new() -> Self {
        Self { queue: format!("test-{}", Uuid::now_v7()), url: variable("HAULIER_TEST_AMQP_URL") }
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

    /// Deletes one queue, as an operator might.
    pub(crate) async fn delete(&self, queue: &str) {
        let (_connection, channel) = self.channel().await;
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }

    /// Deletes all that the test made.
    pub(crate) async fn sweep(&self) {
        let names = Names::new(&self.queue).unwrap();
        for queue in names.all() {
            self.delete(queue).await;
        }
    }
}
