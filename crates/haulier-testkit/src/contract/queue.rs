//! What every queue adapter must do, tried on queues of their own.
//!
//! [`crate::queue_contract!`] turns each promise into a test.

#![expect(clippy::panic, reason = "a suite fails by panicking")]

mod fixture;
mod keeping;
mod moving;

use std::sync::Arc;

use async_trait::async_trait;
use haulier_core::port::{Consumer, Queue};

pub use fixture::{depth_becomes, next, numbers, parcel, parcels, settle};
pub use keeping::*;
pub use moving::*;

/// One fresh queue, and what an adapter's test can do with it.
#[async_trait]
pub trait Bench: Send + Sync {
    /// One more handle on the queue, as another process has.
    async fn open(&self) -> Arc<dyn Queue>;

    /// A consumer in a process that can be killed: it gives nothing back and renews nothing any more.
    async fn doomed(&self, prefetch: u16) -> Doomed;

    /// Puts bytes into the queue as a stranger would.
    async fn plant(&self, bytes: &[u8]);
}

/// A consumer, and what kills its process.
pub struct Doomed {
    /// The consumer; stays usable as an object.
    pub consumer: Box<dyn Consumer>,
    /// Kills the process that it is in.
    pub kill: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Doomed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Doomed").field("consumer", &self.consumer).finish_non_exhaustive()
    }
}

/// Makes one test of every promise. `$site` is an async function that takes a promise, as a closure from
/// `Arc<dyn Bench>` to a future, and runs it on a queue of its own.
#[macro_export]
macro_rules! queue_contract {
    ($site:path) => {
        $crate::queue_contract! { @tests $site:
            everything_in_a_parcel_survives_the_trip
            parcels_come_in_the_order_they_were_published
            what_was_published_outlives_the_publisher
            publishing_nothing_is_fine
            many_publishers_at_once_lose_nothing
            a_parcel_too_large_for_a_message_travels_in_parts
            a_record_too_large_for_a_message_is_refused_and_nothing_is_published
            two_consumers_never_share_a_parcel
            a_consumer_takes_no_more_than_its_prefetch
            waiting_for_a_parcel_may_be_given_up_at_any_time
            a_parcel_wakes_a_waiting_consumer
            a_first_delivery_is_not_flagged_and_a_second_is
            a_dropped_consumer_gives_everything_back
            what_a_dead_process_held_comes_to_another
            a_receipt_of_a_lost_delivery_settles_nothing
            a_delayed_parcel_comes_after_its_time
            a_long_delay_does_not_hold_up_a_short_one
            a_buried_parcel_is_kept_apart
            bytes_that_are_no_parcel_are_kept_apart
            the_depth_counts_what_is_unsettled_and_delayed
        }
    };
    (@tests $site:path: $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $site(|bench| async move {
                $crate::contract::queue::$promise(&*bench).await;
            })
            .await;
        }
    )*};
}
