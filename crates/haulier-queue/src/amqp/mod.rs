//! The AMQP adapter: quorum queues on RabbitMQ.
//!
//! Publishing and consuming have a connection each, and each is watched and rebuilt here; the driver's own recovery
//! is off. A message counts as published only when the broker has confirmed it and has not sent it back.

mod api;
#[cfg(test)]
pub(crate) mod bench;
mod consumer;
mod depth;
mod failure;
mod lane;
mod link;
mod options;
mod publisher;
mod settling;
mod tls;
mod topology;
mod window;

use std::sync::Arc;

use async_trait::async_trait;
use haulier_core::Parcel;
use haulier_core::port::{Consumer, Depth, Queue, QueueError};

use crate::wire;
use lane::Lane;
use publisher::Publisher;
use topology::Names;
use window::Outgoing;

pub use depth::Waiting;
pub use options::{Api, Options, Password, Role, Tls};

/// Connects once, so that wrong settings show at once, and prepares the queues as the role allows.
pub async fn open(options: Options) -> Result<Arc<dyn Queue>, QueueError> {
    Ok(Arc::new(Amqp::open(options).await?))
}

/// A queue on a broker. Its inherent methods are for whoever knows that it is one.
#[derive(Debug)]
pub struct Amqp {
    options: Arc<Options>,
    names: Arc<Names>,
    lane: Arc<Lane>,
    publisher: Publisher,
    api: Option<api::Client>,
}

impl Amqp {
    /// What [`open`] does, without forgetting what kind of queue it is.
    pub async fn open(options: Options) -> Result<Self, QueueError> {
        let names = Arc::new(Names::new(&options.queue)?);
        if options.max_bytes > wire::MAX_BYTES {
            let cause = format!("messages may have {} bytes at most", wire::MAX_BYTES);
            return Err(QueueError::Failed { doing: "reading the queue's settings", cause });
        }
        let api = options.api.as_ref().map(|api| api::Client::new(api, &options)).transpose()?;
        let options = Arc::new(options);
        let connection = link::connect(&options, "preparing").await?;
        topology::prepare(&connection, &options, &names).await?;
        drop(link::within(&options, connection.close(200, "done".into())).await);
        let lane = Arc::new(Lane::new(Arc::clone(&options)));
        let publisher = Publisher::start(Arc::clone(&options));
        Ok(Self { options, names, lane, publisher, api })
    }

    /// What waits in the queues, exact at this moment, without the management API. Says nothing about deliveries
    /// that are not settled: a queue is empty only by [`Queue::depth`], or when the ledger says so too.
    pub async fn waiting(&self) -> Result<Waiting, QueueError> {
        depth::waiting(&self.lane, &self.options, &self.names).await
    }
}

#[async_trait]
impl Queue for Amqp {
    async fn publish(&self, parcels: &[Parcel]) -> Result<(), QueueError> {
        let queue: Arc<str> = self.names.main.as_str().into();
        let messages: Vec<_> = wire::pack(parcels, self.options.max_bytes)?
            .into_iter()
            .map(|message| Outgoing {
                queue: Arc::clone(&queue),
                id: Some(message.id),
                body: Arc::new(message.body),
                reason: None,
                expires: None,
            })
            .collect();
        if messages.is_empty() {
            return Ok(());
        }
        self.publisher.publish(messages).await
    }

    async fn consumer(&self, prefetch: u16) -> Result<Box<dyn Consumer>, QueueError> {
        let desk = settling::Desk {
            options: Arc::clone(&self.options),
            names: Arc::clone(&self.names),
            lane: Arc::clone(&self.lane),
            publisher: self.publisher.clone(),
        };
        consumer::open(desk, prefetch).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        let Some(api) = &self.api else {
            return Err(QueueError::Failed {
                doing: "counting messages",
                cause: "only the management API counts unsettled messages: set `api_url` in the site file"
                    .to_owned(),
            });
        };
        depth::depth(api, &self.lane, &self.options, &self.names).await
    }

    async fn ready(&self) -> Result<u64, QueueError> {
        depth::ready(&self.lane, &self.options, &self.names).await
    }

    fn blocked(&self) -> Option<String> {
        self.publisher.blocked()
    }
}

#[cfg(test)]
mod tests;
