//! Promises about deliveries: given back, delayed, buried, lost, counted.

use std::time::{Duration, Instant};

use haulier_core::port::{Depth, Receipt, Settle};

use super::fixture::{
    consumer, depth_becomes, drain, next, nothing_comes, numbers, parcels, publish, settle,
};
use super::{Bench, Doomed};

/// The flag says that it may have been seen before.
pub async fn a_first_delivery_is_not_flagged_and_a_second_is(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(1)).await;
    let consumer = consumer(&*queue, 1).await;
    let first = next(&*consumer).await;
    assert!(!first.redelivered);
    settle(&*consumer, first.receipt, Settle::GiveBack).await;
    let second = next(&*consumer).await;
    assert!(second.redelivered);
    settle(&*consumer, second.receipt, Settle::Done).await;
    depth_becomes(&*queue, Depth::default()).await;
}

/// What it delivered and what it had taken ahead, at once and in order.
pub async fn a_dropped_consumer_gives_everything_back(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(6)).await;
    let first = consumer(&*queue, 4).await;
    let (_one, two) = (next(&*first).await, next(&*first).await);
    settle(&*first, two.receipt, Settle::Done).await;
    drop(first);
    let second = consumer(&*queue, 10).await;
    let Ok(mut came) = tokio::time::timeout(Duration::from_secs(3), drain(&*second, 5)).await else {
        panic!("what a dropped consumer held did not come back within 3 s")
    };
    came.sort_unstable();
    assert_eq!(came, [0, 2, 3, 4, 5]);
    depth_becomes(&*queue, Depth::default()).await;
}

/// A process that died without a word holds nothing for long.
pub async fn what_a_dead_process_held_comes_to_another(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(5)).await;
    let Doomed { consumer: doomed, kill } = bench.doomed(3).await;
    let held = next(&*doomed).await;
    assert_eq!(numbers(&held.parcel), [0]);
    kill();
    let other = consumer(&*queue, 10).await;
    let mut came = Vec::new();
    while came.len() < 5 {
        let delivery = next(&*other).await;
        if numbers(&delivery.parcel) == [0] {
            assert!(delivery.redelivered);
        }
        came.extend(numbers(&delivery.parcel));
        settle(&*other, delivery.receipt, Settle::Done).await;
    }
    came.sort_unstable();
    assert_eq!(came, [0, 1, 2, 3, 4]);
    depth_becomes(&*queue, Depth::default()).await;
}

/// Settling late is no error, and takes nothing from the one who has it now.
pub async fn a_receipt_of_a_lost_delivery_settles_nothing(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(1)).await;
    let Doomed { consumer: doomed, kill } = bench.doomed(1).await;
    let lost = next(&*doomed).await;
    kill();
    let other = consumer(&*queue, 1).await;
    let mine = next(&*other).await;
    settle(&*doomed, lost.receipt, Settle::Done).await;
    settle(&*doomed, Receipt(u64::MAX), Settle::Done).await;
    settle(&*other, Receipt(u64::MAX), Settle::Bury("nothing".to_owned())).await;
    settle(&*other, mine.receipt, Settle::GiveBack).await;
    assert_eq!(drain(&*other, 1).await, [0]);
    depth_becomes(&*queue, Depth::default()).await;
}

/// Not before, and not much later.
pub async fn a_delayed_parcel_comes_after_its_time(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(2)).await;
    let consumer = consumer(&*queue, 1).await;
    let first = next(&*consumer).await;
    let since = Instant::now();
    settle(&*consumer, first.receipt, Settle::Delay(700)).await;
    assert_eq!(drain(&*consumer, 2).await, [1, 0]);
    let waited = since.elapsed();
    assert!((Duration::from_millis(700)..Duration::from_secs(6)).contains(&waited), "{waited:?}");
    depth_becomes(&*queue, Depth::default()).await;
}

/// Each waits for its own time.
pub async fn a_long_delay_does_not_hold_up_a_short_one(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(2)).await;
    let consumer = consumer(&*queue, 2).await;
    for millis in [600_000, 100] {
        let delivery = next(&*consumer).await;
        settle(&*consumer, delivery.receipt, Settle::Delay(millis)).await;
    }
    assert_eq!(drain(&*consumer, 1).await, [1]);
    depth_becomes(&*queue, Depth { delayed: 1, ..Depth::default() }).await;
}

/// It is counted as dead and delivered to nobody.
pub async fn a_buried_parcel_is_kept_apart(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(2)).await;
    let first = consumer(&*queue, 1).await;
    let delivery = next(&*first).await;
    settle(&*first, delivery.receipt, Settle::Bury("its \"colour\" is\nno colour: ü".to_owned())).await;
    assert_eq!(drain(&*first, 1).await, [1]);
    drop(first);
    let second = consumer(&*queue, 5).await;
    nothing_comes(&*second).await;
    depth_becomes(&*queue, Depth { dead: 1, ..Depth::default() }).await;
}

/// A stranger's message is not delivered, not lost, and in nobody's way.
pub async fn bytes_that_are_no_parcel_are_kept_apart(bench: &dyn Bench) {
    let queue = bench.open().await;
    let strangers: [&[u8]; 4] = [b"", b"\xff\x00\xfe", b"{\"haulier\":99}", b"{\"haulier\":1,\"run\":\"r\"}"];
    for bytes in strangers {
        bench.plant(bytes).await;
    }
    publish(&*queue, &parcels(1)).await;
    let consumer = consumer(&*queue, 1).await;
    assert_eq!(drain(&*consumer, 1).await, [0]);
    depth_becomes(&*queue, Depth { dead: 4, ..Depth::default() }).await;
}

/// Every message is in exactly one of the four counts.
pub async fn the_depth_counts_what_is_unsettled_and_delayed(bench: &dyn Bench) {
    let queue = bench.open().await;
    publish(&*queue, &parcels(6)).await;
    depth_becomes(&*queue, Depth { ready: 6, ..Depth::default() }).await;
    let consumer = consumer(&*queue, 3).await;
    let (one, two, three) = (next(&*consumer).await, next(&*consumer).await, next(&*consumer).await);
    depth_becomes(&*queue, Depth { ready: 3, unsettled: 3, ..Depth::default() }).await;
    settle(&*consumer, one.receipt, Settle::Delay(3_600_000)).await;
    settle(&*consumer, two.receipt, Settle::Bury("for the test".to_owned())).await;
    depth_becomes(&*queue, Depth { ready: 1, unsettled: 3, delayed: 1, dead: 1 }).await;
    settle(&*consumer, three.receipt, Settle::Done).await;
    drop(consumer);
    depth_becomes(&*queue, Depth { ready: 3, unsettled: 0, delayed: 1, dead: 1 }).await;
}
