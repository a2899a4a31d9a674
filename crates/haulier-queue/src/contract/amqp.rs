//! The suite on a RabbitMQ.

use std::sync::Arc;

use async_trait::async_trait;
use haulier_core::port::Queue;
use haulier_testkit::contract::queue::{Bench, Doomed};
use haulier_testkit::proxy::{Mode, Proxy};

use crate::amqp::bench::Broker;
use crate::amqp::{Role, open};

haulier_testkit::queue_contract!(on_a_broker);

async fn on_a_broker<F: Future<Output = ()>>(promise: impl FnOnce(Arc<dyn Bench>) -> F) {
    let broker = Arc::new(Broker::new());
    promise(Arc::clone(&broker) as Arc<dyn Bench>).await;
}

#[async_trait]
impl Bench for Broker {
    async fn open(&self) -> Arc<dyn Queue> {
        open(self.options(Role::Both)).await.unwrap()
    }

    /// The process is all that is behind a proxy, which resets its connections and lets none through again.
    async fn doomed(&self, prefetch: u16) -> Doomed {
        let proxy = Proxy::start(self.at()).await.unwrap();
        let queue = open(self.through(&proxy, Role::Both)).await.unwrap();
        let consumer = queue.consumer(prefetch).await.unwrap();
        let kill = Box::new(move || {
            proxy.set(Mode::Refuse);
            tokio::spawn(async move { proxy.cut().await });
        });
        Doomed { consumer, kill }
    }

    async fn plant(&self, bytes: &[u8]) {
        self.publish_raw(bytes).await;
    }
}
