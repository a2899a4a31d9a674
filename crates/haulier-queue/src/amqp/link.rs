//! One connection. The driver's own recovery stays off: after a TCP reset it can wait for ever, without an error.

use std::time::Duration;

use haulier_core::port::QueueError;
use lapin::tcp::{AMQPUriTcpExt, RustlsConnector};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{Connection, ConnectionProperties};

use super::failure::classify;
use super::{Options, Tls, tls};

/// How long the broker may take to greet us, and for any answer on a new channel.
pub(super) const GREETING: Duration = Duration::from_secs(10);

/// Connects, once. `purpose` stands in the broker's list of connections.
pub(super) async fn connect(options: &Options, purpose: &str) -> Result<Connection, QueueError> {
    let uri = AMQPUri {
        // TLS is added below: the driver would believe this machine's authorities beside those that are named.
        scheme: AMQPScheme::AMQP,
        authority: AMQPAuthority {
            userinfo: AMQPUserInfo { username: options.user.clone(), password: options.password.0.clone() },
            host: options.host.clone(),
            port: options.port,
        },
        vhost: options.vhost.clone(),
        query: AMQPQueryString {
            heartbeat: Some(u16::try_from(options.heartbeat.as_secs()).unwrap_or(u16::MAX)),
            ..AMQPQueryString::default()
        },
    };
    let name = format!("{} ({purpose}) {}", options.client, options.queue);
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    let tls = match &options.tls {
        Tls::Off => None,
        Tls::System | Tls::Authorities(_) => Some(RustlsConnector::from(tls::client(&options.tls)?)),
    };
    let runtime = lapin::runtime::default_runtime().map_err(|error| refused(options, &error))?;
    let connecting = Connection::connector(
        uri,
        runtime,
        async move |uri, runtime| {
            let stream = AMQPUriTcpExt::connect_async(&uri, &runtime).await?;
            Ok(match &tls {
                None => stream,
                Some(tls) => stream.into_rustls(tls, &uri.authority.host).await?,
            })
        },
        properties,
    );
    within(options, connecting).await
}

/// Waits for an answer of the broker, but not for ever.
pub(super) async fn within<T>(
    options: &Options,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, QueueError> {
    match tokio::time::timeout(GREETING, answer).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(refused(options, &error)),
        Err(_) => Err(QueueError::Unreachable {
            at: options.at(),
            cause: format!("no answer within {} s", GREETING.as_secs()),
        }),
    }
}

fn refused(options: &Options, error: &lapin::Error) -> QueueError {
    classify(&options.at(), &options.queue, error)
}

/// A wait that grows with the failures in a row, and is spread so that a crowd does not come back at once.
pub(super) fn backoff(failures: u32) -> Duration {
    use std::hash::{BuildHasher, Hasher};
    let bound = Duration::from_millis(100).saturating_mul(1 << failures.min(6));
    let random = std::hash::RandomState::new().build_hasher().finish() % 1000;
    bound / 2 + bound.mul_f64(f64::from(u32::try_from(random).unwrap_or(0)) / 2000.0)
}
