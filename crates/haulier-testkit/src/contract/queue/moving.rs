//! Promises about the way from a publisher to a consumer.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Depth, QueueError, Settle};
use haulier_core::{Digest, Parcel, Record, RunId, SourceKey, TenantKey};

use super::Bench;
use super::fixture::{
    consumer, depth_becomes, drain, entity, next, nothing_comes, numbers, parcel, parcels, publish, record,
    settle,
};

const MIB: usize = 1024 * 1024;

/// Nothing is lost, rounded, escaped twice or reordered on the way.
pub async fn everything_in_a_parcel_survives_the_trip(bench: &dyn Bench) {
    let queue = bench.open().await;
    let odd = "a|b\\c \"quoted\" \u{0} \n ü 日本 \u{1F600} \u{7f}\u{80}";
    // As the producer writes keys: without NUL, which not every ledger takes.
    let key = SourceKey::from_parts(&[odd]);
    let sent = Parcel {
        run: RunId::new(key.as_str()),
        entity: entity(),
        epoch: u64::MAX,
        records: vec![
            Record {
                key: SourceKey::from_parts(&[odd, "2"]),
                tenant: Some(TenantKey::new(key.as_str())),
                generation: i64::MIN,
                hash: Digest(*b"0123456789abcdef"),
                body:
                    "{\"price\":1.500,\"big\":123456789012345678901234567890,\"e\":1e-7,\"t\":\"\\u00fc\\n\"}"
                        .to_owned(),
                vars: vec![odd.to_owned(), String::new()],
                refs: vec![None, Some(SourceKey::from_canonical("")), Some(key)],
            },
            Record { tenant: None, generation: i64::MAX, ..record(1, "{}".to_owned()) },
        ],
    };
    publish(&*queue, std::slice::from_ref(&sent)).await;
    let consumer = consumer(&*queue, 1).await;
    let delivery = next(&*consumer).await;
    assert_eq!(delivery.parcel, sent);
    settle(&*consumer, delivery.receipt, Settle::Done).await;
}

/// A single consumer sees the order of publishing, within a call and from call to call.
pub async fn parcels_come_in_the_order_they_were_published(bench: &dyn Bench) {
    let queue = bench.open().await;
    let all = parcels(700);
    for part in all.chunks(250) {
        publish(&*queue, part).await;
    }
    let consumer = consumer(&*queue, 20).await;
    assert_eq!(drain(&*consumer, 700).await, (0..700).collect::<Vec<_>>());
}

/// `publish` returns when the queue has it, and needs the publisher no longer.
pub async fn what_was_published_outlives_the_publisher(bench: &dyn Bench) {
    let publisher = bench.open().await;
    publish(&*publisher, &parcels(10)).await;
    drop(publisher);
    let queue = bench.open().await;
    let consumer = consumer(&*queue, 10).await;
    assert_eq!(drain(&*consumer, 10).await, (0..10).collect::<Vec<_>>());
}

/// No parcels, and a parcel without records, are no error and no message.
pub async fn publishing_nothing_is_fine(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &[]).await;
    publish(&*queue, &[Parcel { records: Vec::new(), ..parcel(0) }]).await;
    depth_becomes(&*queue, Depth::default()).await;
}

/// Publishers in several tasks and over several handles get everything through, each in its own order.
pub async fn many_publishers_at_once_lose_nothing(bench: &dyn Bench) {
    let handles = [bench.open().await, bench.open().await];
    let tasks: Vec<_> = (0..8_usize)
        .map(|task| {
            let queue = Arc::clone(&handles[task % 2]);
            tokio::spawn(async move {
                for part in 0..5 {
                    let from = task * 100 + part * 20;
                    publish(&*queue, &(from..from + 20).map(parcel).collect::<Vec<_>>()).await;
                }
            })
        })
        .collect();
    for task in tasks {
        if let Err(error) = task.await {
            panic!("{error}");
        }
    }
    let consumer = consumer(&*handles[0], 50).await;
    let came = drain(&*consumer, 800).await;
    for task in 0..8 {
        let own: Vec<_> = came.iter().copied().filter(|number| number / 100 == task).collect();
        assert_eq!(own, (task * 100..task * 100 + 100).collect::<Vec<_>>());
    }
}

/// The queue cuts a parcel rather than failing; no record is cut.
pub async fn a_parcel_too_large_for_a_message_travels_in_parts(bench: &dyn Bench) {
    let queue = bench.open().await;
    let body = |number: usize| format!("{{\"n\":{number},\"text\":\"{}\"}}", "x".repeat(3 * MIB));
    let large = Parcel { records: (0..5).map(|number| record(number, body(number))).collect(), ..parcel(0) };
    publish(&*queue, std::slice::from_ref(&large)).await;
    let consumer = consumer(&*queue, 2).await;
    let mut came = Vec::new();
    let mut deliveries = 0;
    while came.len() < 5 {
        let delivery = next(&*consumer).await;
        deliveries += 1;
        came.extend(delivery.parcel.records);
        settle(&*consumer, delivery.receipt, Settle::Done).await;
    }
    assert!(deliveries > 1);
    assert!(came == large.records, "the records that came are not those that were sent");
}

/// The caller learns both sizes, and can put the record apart.
pub async fn a_record_too_large_for_a_message_is_refused_and_nothing_is_published(bench: &dyn Bench) {
    let queue = bench.open().await;
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(9 * MIB));
    let too_large = Parcel { records: vec![record(1, body)], ..parcel(1) };
    let refused = queue.publish(&[parcel(0), too_large]).await;
    assert!(
        matches!(refused, Err(QueueError::TooLarge { bytes, limit }) if bytes > 9 * MIB && limit <= 8 * MIB),
        "{refused:?}"
    );
    publish(&*queue, &[parcel(2)]).await;
    let consumer = consumer(&*queue, 10).await;
    assert_eq!(drain(&*consumer, 1).await, [2]);
    nothing_comes(&*consumer).await;
}

/// Over two handles, every parcel comes to one consumer only.
pub async fn two_consumers_never_share_a_parcel(bench: &dyn Bench) {
    let (one, two) = (bench.open().await, bench.open().await);
    let (left, right) = (consumer(&*one, 3).await, consumer(&*two, 3).await);
    publish(&*one, &parcels(300)).await;
    let mut came = Vec::new();
    while came.len() < 300 {
        let (from, delivery) = tokio::select! {
            delivery = next(&*left) => (&left, delivery),
            delivery = next(&*right) => (&right, delivery),
        };
        came.extend(numbers(&delivery.parcel));
        settle(&**from, delivery.receipt, Settle::Done).await;
    }
    came.sort_unstable();
    assert_eq!(came, (0..300).collect::<Vec<_>>());
    nothing_comes(&*left).await;
}

/// The rest stays for others, until something is settled.
pub async fn a_consumer_takes_no_more_than_its_prefetch(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(5)).await;
    let greedy = consumer(&*queue, 3).await;
    let first = next(&*greedy).await;
    let _second = next(&*greedy).await;
    let _third = next(&*greedy).await;
    nothing_comes(&*greedy).await;
    let other = consumer(&*queue, 1).await;
    assert_eq!(numbers(&next(&*other).await.parcel), [3]);
    settle(&*greedy, first.receipt, Settle::Done).await;
    assert_eq!(numbers(&next(&*greedy).await.parcel), [4]);
}

/// `next` is cancel safe: nothing that it had begun to take is lost.
pub async fn waiting_for_a_parcel_may_be_given_up_at_any_time(bench: &dyn Bench) {
    let queue = bench.open().await;
    let consumer = consumer(&*queue, 4).await;
    publish(&*queue, &parcels(100)).await;
    let mut came = Vec::new();
    let mut patience = Duration::ZERO;
    while came.len() < 100 {
        // From no patience at all up to a little, over and over.
        patience = if patience > Duration::from_millis(3) {
            Duration::ZERO
        } else {
            patience + Duration::from_micros(70)
        };
        if let Ok(delivery) = tokio::time::timeout(patience, next(&*consumer)).await {
            came.extend(numbers(&delivery.parcel));
            settle(&*consumer, delivery.receipt, Settle::Done).await;
        }
    }
    assert_eq!(came, (0..100).collect::<Vec<_>>());
}

/// A consumer that was there first hears of a parcel from another handle soon.
pub async fn a_parcel_wakes_a_waiting_consumer(bench: &dyn Bench) {
    let (one, two) = (bench.open().await, bench.open().await);
    let waiting = consumer(&*one, 1).await;
    nothing_comes(&*waiting).await;
    publish(&*two, &parcels(1)).await;
    let Ok(delivery) = tokio::time::timeout(Duration::from_secs(2), next(&*waiting)).await else {
        panic!("a waiting consumer was not woken within 2 s")
    };
    assert_eq!(numbers(&delivery.parcel), [0]);
}
