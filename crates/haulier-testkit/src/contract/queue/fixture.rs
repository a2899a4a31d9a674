//! Parcels to send, and waits that end.

use std::time::Duration;

use haulier_core::port::{Consumer, Delivery, Depth, Queue, Receipt, Settle};
use haulier_core::{Digest, EntityName, Parcel, Record, RunId, SourceKey, TenantKey};

/// Longer than any broker's statistics and leases take; a test that waits so long has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A parcel of one record with this number as its key.
#[must_use]
pub fn parcel(number: usize) -> Parcel {
    Parcel {
        run: RunId::new("r-contract"),
        entity: entity(),
        epoch: 1,
        records: vec![record(number, format!("{{\"n\":{number}}}"))],
    }
}

/// Parcels numbered from 0.
#[must_use]
pub fn parcels(count: usize) -> Vec<Parcel> {
    (0..count).map(parcel).collect()
}

/// The numbers of a parcel's records.
#[must_use]
pub fn numbers(parcel: &Parcel) -> Vec<usize> {
    let number = |record: &Record| match record.key.as_str().parse() {
        Ok(number) => number,
        Err(_) => panic!("`{}` is none of the suite's keys", record.key),
    };
    parcel.records.iter().map(number).collect()
}

/// The next delivery.
///
/// # Panics
/// When none comes, or an error.
pub async fn next(consumer: &dyn Consumer) -> Delivery {
    match tokio::time::timeout(PATIENCE, consumer.next()).await {
        Ok(Ok(delivery)) => delivery,
        Ok(Err(error)) => panic!("no delivery: {error}"),
        Err(_) => panic!("no delivery within {PATIENCE:?}"),
    }
}

/// Settles.
///
/// # Panics
/// When it cannot.
pub async fn settle(consumer: &dyn Consumer, receipt: Receipt, how: Settle) {
    if let Err(error) = consumer.settle(receipt, how).await {
        panic!("not settled: {error}");
    }
}

/// Waits until the queue says that it holds just this much.
///
/// # Panics
/// When it does not come to say so.
pub async fn depth_becomes(queue: &dyn Queue, wanted: Depth) {
    let mut last = None;
    let reached = async {
        let mut beat = tokio::time::interval(Duration::from_millis(100));
        while last != Some(Ok(wanted)) {
            beat.tick().await;
            last = Some(queue.depth().await);
        }
    };
    if tokio::time::timeout(PATIENCE, reached).await.is_err() {
        panic!("the depth is {last:?} and should be {wanted:?}");
    }
}

pub(super) async fn publish(queue: &dyn Queue, parcels: &[Parcel]) {
    if let Err(error) = queue.publish(parcels).await {
        panic!("not published: {error}");
    }
}

pub(super) async fn consumer(queue: &dyn Queue, prefetch: u16) -> Box<dyn Consumer> {
    match queue.consumer(prefetch).await {
        Ok(consumer) => consumer,
        Err(error) => panic!("no consumer: {error}"),
    }
}

/// Takes and settles so many parcels, and gives their records' numbers in the order they came.
pub(super) async fn drain(consumer: &dyn Consumer, count: usize) -> Vec<usize> {
    let mut came = Vec::new();
    while came.len() < count {
        let delivery = next(consumer).await;
        came.extend(numbers(&delivery.parcel));
        settle(consumer, delivery.receipt, Settle::Done).await;
    }
    came
}

/// Shows that nothing is to be had: what must not come would come at once.
pub(super) async fn nothing_comes(consumer: &dyn Consumer) {
    if let Ok(unwanted) = tokio::time::timeout(Duration::from_millis(300), consumer.next()).await {
        panic!("{unwanted:?} should not have come");
    }
}

pub(super) fn record(number: usize, body: String) -> Record {
    Record {
        key: SourceKey::from_canonical(&number.to_string()),
        tenant: Some(TenantKey::new("t")),
        generation: 1,
        hash: Digest([u8::try_from(number % 251).unwrap_or(0); 16]),
        body,
        vars: Vec::new(),
        refs: Vec::new(),
    }
}

pub(super) fn entity() -> EntityName {
    match EntityName::new("account") {
        Ok(name) => name,
        Err(error) => panic!("{error}"),
    }
}
