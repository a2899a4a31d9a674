//! What the broker refuses, and what is done about messages that nobody can handle.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use haulier_core::port::{Queue, QueueError, Settle};
use haulier_testkit::contract::queue::{depth_becomes, next, numbers, parcel, parcels};
use haulier_testkit::proxy::{Mode, Proxy};
use lapin::options::{BasicGetOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use crate::amqp::bench::Broker;
use crate::amqp::publisher::REASON;
use crate::amqp::{Amqp, Options, Password, Role, open};

#[tokio::test]
async fn a_port_where_nobody_listens_is_unreachable_at_once() {
    let options = Options { port: 1, ..Options::new("q", Role::Both) };
    let since = Instant::now();
    let refused = open(options).await.map(drop);
    assert!(
        matches!(&refused, Err(QueueError::Unreachable { at, .. }) if at == "127.0.0.1:1"),
        "{refused:?}"
    );
    assert!(since.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_broker_that_says_nothing_is_unreachable() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    proxy.set(Mode::BlackHole);
    let refused =
        tokio::time::timeout(Duration::from_secs(15), open(broker.through(&proxy, Role::Both))).await;
    let refused = refused.unwrap().map(drop);
    assert!(matches!(refused, Err(QueueError::Unreachable { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated_to_anybody() {
    let broker = Broker::new();
    let options = Options { password: Password("hunter2".to_owned()), ..broker.options(Role::Both) };
    assert!(!format!("{options:?}").contains("hunter2"));
    let refused = open(options).await.map(drop);
    assert!(matches!(refused, Err(QueueError::Credentials { .. })), "{refused:?}");
    assert!(!format!("{refused:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_virtual_host_that_is_not_there_is_refused() {
    let options = Options { vhost: "no-such-host".to_owned(), ..Broker::new().options(Role::Both) };
    let refused = open(options).await.map(drop);
    assert!(matches!(refused, Err(QueueError::Credentials { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_queue_of_another_kind_is_a_mismatch_and_stays_as_it_is() {
    let broker = Broker::new();
    let (_connection, channel) = broker.channel().await;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(broker.queue.as_str().into(), durable, FieldTable::default()).await.unwrap();
    broker.publish_raw(b"theirs").await;
    let refused = open(broker.options(Role::Both)).await.map(drop);
    let Err(QueueError::Mismatch { queue, problem }) = refused else { panic!("{refused:?}") };
    assert_eq!(queue, broker.queue);
    // The broker names the first difference that it meets.
    assert_eq!(problem, "its `x-dead-letter-exchange` is missing, and haulier declares empty");
    let left =
        channel.basic_get(broker.queue.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap();
    assert_eq!(left.unwrap().delivery.data, b"theirs");
    let (connection, _channel) = broker.channel().await;
    let made = super::super::topology::count(&connection, &broker.options(Role::Both), &broker.queue).await;
    assert_eq!(made, Ok(Some(0)));
}

#[tokio::test]
async fn a_queue_with_another_delivery_limit_is_a_mismatch_that_names_both() {
    let broker = Broker::new();
    drop(open(Options { delivery_limit: 7, ..broker.options(Role::Both) }).await.unwrap());
    let refused = open(broker.options(Role::Both)).await.map(drop);
    let Err(QueueError::Mismatch { problem, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(problem, "its `x-delivery-limit` is `7`, and haulier declares `50`");
    drop(open(broker.options(Role::Consume)).await.unwrap());
}

#[tokio::test]
async fn a_worker_that_comes_before_the_producer_is_told_so() {
    let broker = Broker::new();
    let refused = open(broker.options(Role::Consume)).await.map(drop);
    assert_eq!(refused, Err(QueueError::Gone { queue: format!("{}.dead", broker.queue) }));
}

#[tokio::test]
async fn messages_for_the_dead_queue_keep_their_bytes_and_get_a_reason() {
    let broker = Broker::new();
    let queue = Amqp::open(broker.options(Role::Both)).await.unwrap();
    broker.publish_raw(b"{\"haulier\":2,\xff").await;
    queue.publish(&parcels(1)).await.unwrap();
    let consumer = queue.consumer(1).await.unwrap();
    let parcel = next(&*consumer).await;
    let bytes = crate::wire::encode(&parcel.parcel).unwrap();
    consumer.settle(parcel.receipt, Settle::Bury("no such colour".to_owned())).await.unwrap();
    let (_connection, channel) = broker.channel().await;
    for (expected, word) in [(&b"{\"haulier\":2,\xff"[..], "no JSON"), (&bytes, "no such colour")] {
        let dead = format!("{}.dead", broker.queue);
        let got = channel.basic_get(dead.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap();
        let got = got.expect("a dead message").delivery;
        assert_eq!(got.data, expected);
        assert_eq!(*got.properties.delivery_mode(), Some(2));
        let headers = got.properties.headers().as_ref().unwrap();
        let Some(AMQPValue::LongString(reason)) = headers.inner().get(REASON) else { panic!("{headers:?}") };
        assert!(String::from_utf8_lossy(reason.as_bytes()).contains(word));
    }
}

#[tokio::test]
async fn a_parcel_that_is_given_back_too_often_ends_in_the_dead_queue() {
    let broker = Broker::new();
    let queue = Amqp::open(Options { delivery_limit: 3, ..broker.options(Role::Both) }).await.unwrap();
    queue.publish(&parcels(2)).await.unwrap();
    let consumer = queue.consumer(1).await.unwrap();
    for _ in 0..4 {
        let delivery = next(&*consumer).await;
        assert_eq!(numbers(&delivery.parcel), [0]);
        consumer.settle(delivery.receipt, Settle::GiveBack).await.unwrap();
    }
    let other = next(&*consumer).await;
    assert_eq!(numbers(&other.parcel), [1]);
    consumer.settle(other.receipt, Settle::Done).await.unwrap();
    depth_becomes(&queue, haulier_core::port::Depth { dead: 1, ..Default::default() }).await;
}

#[tokio::test]
async fn a_queue_that_is_full_for_now_is_waited_for() {
    let broker = Broker::new();
    let queue = Arc::new(Amqp::open(broker.options(Role::Both)).await.unwrap());
    broker.bound(5).await;
    let mut publishing = {
        let queue = Arc::clone(&queue);
        // The broker refuses once it has noticed, which takes it a moment.
        tokio::spawn(async move {
            for part in parcels(200).chunks(10) {
                queue.publish(part).await.unwrap();
            }
        })
    };
    // Nobody consumes yet, so this ends only if the queue never refuses.
    assert!(
        tokio::time::timeout(Duration::from_secs(2), &mut publishing).await.is_err(),
        "the queue was never full"
    );
    let consumer = queue.consumer(1).await.unwrap();
    let mut came = BTreeSet::new();
    while came.len() < 200 {
        let delivery = next(&*consumer).await;
        came.extend(numbers(&delivery.parcel));
        consumer.settle(delivery.receipt, Settle::Done).await.unwrap();
    }
    publishing.await.unwrap();
}

#[tokio::test]
async fn a_queue_that_stays_full_blocks() {
    let broker = Broker::new();
    let queue =
        Amqp::open(Options { deadline: Duration::from_secs(1), ..broker.options(Role::Both) }).await.unwrap();
    broker.bound(5).await;
    let mut refused = Ok(());
    for part in parcels(200).chunks(10) {
        refused = queue.publish(part).await;
        if refused.is_err() {
            break;
        }
    }
    assert!(matches!(refused, Err(QueueError::Blocked { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_queue_deleted_under_the_publisher_is_gone_and_is_not_made_again() {
    let broker = Broker::new();
    let queue = Amqp::open(broker.options(Role::Both)).await.unwrap();
    queue.publish(&parcels(1)).await.unwrap();
    broker.delete(&broker.queue).await;
    let gone = Err(QueueError::Gone { queue: broker.queue.clone() });
    assert_eq!(queue.publish(&parcels(300)).await, gone);
    assert_eq!(queue.publish(&[parcel(1)]).await, gone);
    assert_eq!(queue.waiting().await.map(drop), gone);
}

#[tokio::test]
async fn a_queue_deleted_under_the_consumer_is_gone() {
    let broker = Broker::new();
    let queue = Amqp::open(broker.options(Role::Both)).await.unwrap();
    let consumer = queue.consumer(1).await.unwrap();
    broker.delete(&broker.queue).await;
    let told = tokio::time::timeout(Duration::from_secs(5), consumer.next()).await.unwrap().map(drop);
    assert_eq!(told, Err(QueueError::Gone { queue: broker.queue.clone() }));
}

#[tokio::test]
async fn without_the_management_api_the_depth_is_not_guessed() {
    let broker = Broker::new();
    let queue = Amqp::open(Options { api: None, ..broker.options(Role::Both) }).await.unwrap();
    let refused = queue.depth().await;
    assert!(
        matches!(&refused, Err(QueueError::Failed { cause, .. }) if cause.contains("api_url")),
        "{refused:?}"
    );
    queue.publish(&parcels(3)).await.unwrap();
    let waiting = queue.waiting().await.unwrap();
    assert_eq!((waiting.ready, waiting.delayed, waiting.dead), (3, 0, 0));
}
