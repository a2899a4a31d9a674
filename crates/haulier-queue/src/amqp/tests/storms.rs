//! Connections that break, fall silent or are held up: nothing is lost, and nobody restarts anything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use haulier_core::port::{Queue, QueueError, Settle};
use haulier_testkit::contract::queue::{depth_becomes, next, numbers, parcel, parcels};
use haulier_testkit::proxy::{Mode, Proxy};

use super::until;
use crate::amqp::bench::Broker;
use crate::amqp::{Amqp, Options, Role};

/// Takes everything until the queue is empty, and gives the numbers in the order of their first coming.
async fn drain(broker: &Broker, distinct: usize) -> Vec<usize> {
    let queue = Amqp::open(broker.options(Role::Both)).await.unwrap();
    let consumer = queue.consumer(100).await.unwrap();
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    while seen.len() < distinct {
        let delivery = next(&*consumer).await;
        for number in numbers(&delivery.parcel) {
            if seen.insert(number) {
                order.push(number);
            }
        }
        consumer.settle(delivery.receipt, Settle::Done).await.unwrap();
    }
    order
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_reset_while_publishing_lose_nothing_and_keep_the_order() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    let queue =
        Arc::new(Amqp::open(Options { window: 16, ..broker.through(&proxy, Role::Both) }).await.unwrap());
    let publishing = {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move {
            for part in parcels(6000).chunks(500) {
                queue.publish(part).await.unwrap();
            }
        })
    };
    // A cut whenever some more have arrived: always in the middle of the work.
    let watcher = Amqp::open(broker.options(Role::Both)).await.unwrap();
    for cut in 1..=8_u64 {
        while watcher.waiting().await.unwrap().ready < cut * 500 && !publishing.is_finished() {}
        assert!(!publishing.is_finished(), "all was published before cut {cut}");
        proxy.cut().await;
    }
    tokio::time::timeout(Duration::from_secs(60), publishing).await.unwrap().unwrap();
    assert_eq!(drain(&broker, 6000).await, (0..6000).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_reset_while_consuming_lose_nothing() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    let queue = Amqp::open(broker.through(&proxy, Role::Both)).await.unwrap();
    queue.publish(&parcels(1000)).await.unwrap();
    let consumer = queue.consumer(20).await.unwrap();
    let mut settled = BTreeSet::new();
    let mut taken = 0;
    while settled.len() < 1000 {
        let delivery = next(&*consumer).await;
        taken += 1;
        if taken % 125 == 0 {
            proxy.cut().await;
        }
        // Settling goes on over the breaks; it is never an error, and never waits for what cannot come.
        let settling = consumer.settle(delivery.receipt, Settle::Done);
        tokio::time::timeout(Duration::from_secs(5), settling).await.unwrap().unwrap();
        settled.extend(numbers(&delivery.parcel));
    }
    // What was settled into a broken connection may come again; then the queue is empty.
    let direct = Amqp::open(broker.options(Role::Both)).await.unwrap();
    while direct.depth().await.map_or(true, |depth| !depth.is_empty()) {
        if let Ok(again) = tokio::time::timeout(Duration::from_millis(100), consumer.next()).await {
            consumer.settle(again.unwrap().receipt, Settle::Done).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publishing_connection_that_falls_silent_is_replaced() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    let options = Options {
        silence: Duration::from_secs(1),
        heartbeat: Duration::from_secs(60),
        ..broker.through(&proxy, Role::Both)
    };
    let queue = Amqp::open(options).await.unwrap();
    queue.publish(&parcels(1)).await.unwrap();
    proxy.strand();
    let since = Instant::now();
    queue.publish(&[parcel(1)]).await.unwrap();
    let waited = since.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(5)).contains(&waited), "{waited:?}");
    assert_eq!(drain(&broker, 2).await, [0, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consuming_connection_that_falls_silent_is_replaced_after_two_heartbeats() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    let options = Options { heartbeat: Duration::from_secs(1), ..broker.through(&proxy, Role::Both) };
    let queue = Amqp::open(options).await.unwrap();
    let consumer = queue.consumer(5).await.unwrap();
    proxy.strand();
    let direct = Amqp::open(broker.options(Role::Both)).await.unwrap();
    direct.publish(&parcels(1)).await.unwrap();
    let came = tokio::time::timeout(Duration::from_secs(8), next(&*consumer)).await.unwrap();
    assert_eq!(numbers(&came.parcel), [0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_for_a_while_is_waited_for() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    let queue = Arc::new(Amqp::open(broker.through(&proxy, Role::Both)).await.unwrap());
    let consumer = queue.consumer(5).await.unwrap();
    queue.publish(&parcels(1)).await.unwrap();
    let first = next(&*consumer).await;
    proxy.set(Mode::Refuse);
    proxy.cut().await;
    let publishing = {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.publish(&[parcel(1)]).await })
    };
    consumer.settle(first.receipt, Settle::Done).await.unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(2), consumer.next()).await.is_err());
    assert!(!publishing.is_finished());
    proxy.set(Mode::Forward);
    publishing.await.unwrap().unwrap();
    let came = [next(&*consumer).await, next(&*consumer).await];
    let mut came: Vec<_> = came.iter().flat_map(|delivery| numbers(&delivery.parcel)).collect();
    came.sort_unstable();
    assert_eq!(came, [0, 1], "the settlement was lost, so the first one comes again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_gives_up_at_its_deadline_and_a_later_one_succeeds() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    let options = Options { deadline: Duration::from_secs(1), ..broker.through(&proxy, Role::Both) };
    let queue = Amqp::open(options).await.unwrap();
    proxy.set(Mode::Refuse);
    let since = Instant::now();
    let refused = queue.publish(&parcels(1)).await;
    assert!(matches!(refused, Err(QueueError::Unreachable { .. })), "{refused:?}");
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    proxy.set(Mode::Forward);
    queue.publish(&[parcel(1)]).await.unwrap();
    assert_eq!(drain(&broker, 1).await, [1], "what was given up was not published behind the caller's back");
}

/// A frame of AMQP 0-9-1 that carries a method of the connection class.
fn connection_frame(method: u16, arguments: &[u8]) -> Vec<u8> {
    let mut payload = [10_u16.to_be_bytes(), method.to_be_bytes()].concat();
    payload.extend_from_slice(arguments);
    let size = u32::try_from(payload.len()).unwrap();
    [&[1, 0, 0], &size.to_be_bytes()[..], &payload, &[0xce]].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_publisher_waits_and_says_why_and_goes_on() {
    let broker = Broker::new();
    let proxy = Proxy::start(broker.at()).await.unwrap();
    let options = Options {
        patience: Duration::from_secs(1),
        // Blocked is not broken: neither of these may end the wait.
        silence: Duration::from_millis(400),
        deadline: Duration::from_millis(400),
        ..broker.through(&proxy, Role::Publish)
    };
    let queue = Arc::new(Amqp::open(options).await.unwrap());
    queue.publish(&parcels(1)).await.unwrap();
    let reason = b"low on memory";
    proxy.inject(&connection_frame(60, &[&[u8::try_from(reason.len()).unwrap()], &reason[..]].concat()));
    until("the block", || queue.blocked().is_some()).await;
    assert_eq!(queue.blocked().as_deref(), Some("low on memory"));

    let refused = queue.publish(&[parcel(1)]).await;
    assert_eq!(refused, Err(QueueError::Blocked { reason: "low on memory".to_owned() }));

    let publishing = {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.publish(&[parcel(2)]).await })
    };
    tokio::task::yield_now().await;
    proxy.inject(&connection_frame(61, &[]));
    publishing.await.unwrap().unwrap();
    assert_eq!(queue.blocked(), None);
    assert_eq!(drain(&broker, 2).await, [0, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_that_nobody_waits_for_any_more_still_arrives() {
    let broker = Broker::new();
    let queue = Amqp::open(broker.options(Role::Both)).await.unwrap();
    let all = parcels(300);
    let given_up = tokio::time::timeout(Duration::from_millis(1), queue.publish(&all)).await;
    assert!(given_up.is_err(), "it was done at once, so the test shows nothing");
    drop(queue);
    assert_eq!(drain(&broker, 300).await.len(), 300);
    let queue = Amqp::open(broker.options(Role::Both)).await.unwrap();
    depth_becomes(&queue, haulier_core::port::Depth::default()).await;
}
