//! A running sandbox: the listener, its connections and its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::access::Access;
use crate::config::Config;
use crate::fault::{Faults, Switches};
use crate::journal::Journal;
use crate::pipeline::{HangUp, Shared};
use crate::route::router;
use crate::stats::{Counters, Stats};
use crate::store::Store;

/// How long open requests may take when the sandbox stops.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// A running sandbox. Dropping it stops it too, but waits for nothing.
pub struct Sandbox {
    address: SocketAddr,
    base_url: String,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    writer: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Opens the store and the port and begins to answer.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        config.faults.check().map_err(anyhow::Error::msg).context("reading the fault switches")?;
        anyhow::ensure!(!config.token.is_empty(), "the token is empty");
        let (store, writer) = Store::open(&config).await?;
        let shared = Arc::new(Shared {
            store,
            access: Access::new(&config),
            switches: Switches::new(config.faults.clone(), config.seed),
            counters: Counters::default(),
            journal: Journal::open(config.log.as_deref())?,
        });
        let listener = TcpListener::bind(&config.listen)
            .await
            .with_context(|| format!("listening on {}", config.listen))?;
        let address = listener.local_addr().context("asking for the own address")?;
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(accept(listener, router(Arc::clone(&shared)), stopped));
        let base_url = format!("http://{address}/api/v1");
        Ok(Self { address, base_url, shared, stop, serving, writer })
    }

    /// Where the API begins, such as `http://127.0.0.1:7700/api/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The address and the real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets all fault switches.
    pub fn set_faults(&self, faults: Faults) -> anyhow::Result<()> {
        faults.check().map_err(anyhow::Error::msg)?;
        self.shared.switches.set(faults);
        Ok(())
    }

    /// What it counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Takes no more connections, lets open requests end for a few seconds, and closes the store.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        self.serving.await.context("stopping the listener")?;
        self.shared.store.close();
        if let Some(writer) = self.writer {
            writer.await.context("closing the store")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(talk(stream, router.clone(), stopped.clone()));
                }
                // Too many open files, most likely: connections must end before more can come.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            // An error means that the sandbox was dropped.
            () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => break,
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_GRACE, all).await.is_err() {
        tracing::warn!("connections were cut because their requests did not end in time");
    }
}

async fn talk(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay could not be set");
    }
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = inner.call(request);
        async move {
            let Ok(response) = answer.await;
            // An error of the service closes the connection without a byte.
            if response.extensions().get::<HangUp>().is_some() {
                return Err(std::io::Error::other("hung up on purpose"));
            }
            Ok(response)
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let mut ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        // An error means that the sandbox was dropped.
        () = async { drop(stopped.wait_for(|stopped| *stopped).await) } => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        ended = Some(connection.await);
    }
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
