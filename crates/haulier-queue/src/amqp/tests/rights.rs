//! The least that each user must be allowed, as the README says.

use haulier_core::port::{Depth, Queue, QueueError, Settle};
use haulier_testkit::contract::queue::{next, numbers, parcels};

use super::super::bench::Broker;
use crate::amqp::{Amqp, Options, Password, Role, Waiting, open};

#[tokio::test]
async fn a_producer_and_a_worker_get_by_with_the_least_rights() {
    let broker = Broker::new();
    let name = &broker.queue;
    let producer = format!("{name}-producer");
    let worker = format!("{name}-worker");
    let ours = format!("^{name}(\\.dead|\\.delay\\..+)?$");
    broker.user(&producer, [&ours, &format!("{ours}|^amq\\.default$"), &ours]).await;
    broker.user(&worker, ["^$", "^amq\\.default$", &format!("^{name}$")]).await;
    let as_user = |user: &str, role| Options {
        user: user.to_owned(),
        password: Password("pass".to_owned()),
        ..broker.options(role)
    };

    let publishing = Amqp::open(as_user(&producer, Role::Publish)).await.unwrap();
    publishing.publish(&parcels(4)).await.unwrap();
    broker.publish_raw(b"stranger").await;

    let working = Amqp::open(as_user(&worker, Role::Consume)).await.unwrap();
    let consumer = working.consumer(10).await.unwrap();
    let ways = [Settle::Done, Settle::Bury("no".to_owned()), Settle::Delay(3_600_000), Settle::GiveBack];
    for (number, how) in ways.into_iter().enumerate() {
        let delivery = next(&*consumer).await;
        assert_eq!(numbers(&delivery.parcel), [number]);
        consumer.settle(delivery.receipt, how).await.unwrap();
    }
    let again = next(&*consumer).await;
    assert_eq!(numbers(&again.parcel), [3]);
    consumer.settle(again.receipt, Settle::Done).await.unwrap();
    let only_the_stranger =
        tokio::time::timeout(std::time::Duration::from_millis(300), consumer.next()).await;
    assert!(only_the_stranger.is_err());
    assert_eq!(working.waiting().await.unwrap(), Waiting { ready: 0, delayed: 1, dead: 2 });
    haulier_testkit::contract::queue::depth_becomes(
        &working,
        Depth { delayed: 1, dead: 2, ..Depth::default() },
    )
    .await;

    let refused = open(as_user(&worker, Role::Publish)).await.map(drop);
    assert!(matches!(refused, Err(QueueError::Credentials { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_worker_that_may_not_publish_leaves_strangers_to_the_broker() {
    let broker = Broker::new();
    let name = &broker.queue;
    let reader = format!("{name}-reader");
    drop(Amqp::open(broker.options(Role::Both)).await.unwrap());
    broker.user(&reader, ["^$", "^$", &format!("^{name}$")]).await;
    broker.publish_raw(b"stranger").await;
    let options = Options {
        user: reader.clone(),
        password: Password("pass".to_owned()),
        ..broker.options(Role::Consume)
    };
    let working = Amqp::open(options).await.unwrap();
    let consumer = working.consumer(1).await.unwrap();
    assert!(tokio::time::timeout(std::time::Duration::from_secs(1), consumer.next()).await.is_err());
    assert_eq!(working.waiting().await.unwrap(), Waiting { ready: 0, delayed: 0, dead: 1 });
}
