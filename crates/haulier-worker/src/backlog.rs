//! Records that were taken and wait to be sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use haulier_throttle::Slots;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Work is taken ahead for so long: a claim and its commit take a part of it.
const AHEAD: Duration = Duration::from_millis(100);

/// Records that were taken and not yet started. New parcels are taken only while it is small, so that other processes
/// get theirs and a stop has little to give back.
#[derive(Debug)]
pub(crate) struct Backlog {
    records: AtomicUsize,
    shrank: Notify,
    pace: Mutex<Pace>,
}

/// How many records were started in the last [`AHEAD`].
#[derive(Debug)]
struct Pace {
    since: Instant,
    started: usize,
    last: usize,
}

impl Default for Backlog {
    fn default() -> Self {
        let pace = Pace { since: Instant::now(), started: 0, last: 0 };
        Self { records: AtomicUsize::new(0), shrank: Notify::new(), pace: Mutex::new(pace) }
    }
}

impl Backlog {
    pub(crate) fn add(&self, records: usize) {
        self.records.fetch_add(records, Ordering::Relaxed);
    }

    fn start(&self, records: usize) {
        self.pace().start(records);
        self.remove(records);
    }

    fn remove(&self, records: usize) {
        self.records.fetch_sub(records, Ordering::Relaxed);
        self.shrank.notify_one();
    }

    /// Waits until there is less than what `slots` need: two rounds, so that none waits for a claim, and at least
    /// [`AHEAD`]'s worth.
    pub(crate) async fn has_room(&self, slots: &Slots) {
        let room = || (2 * slots.limit()).max(self.pace().last).max(1);
        while self.records.load(Ordering::Relaxed) >= room() {
            // A raised limit is seen within a quarter of a second, a shrunk backlog at once.
            let _timed_out = tokio::time::timeout(Duration::from_millis(250), self.shrank.notified()).await;
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn start(&mut self, records: usize) {
        self.started += records;
        let windows = self.since.elapsed().as_millis() / AHEAD.as_millis();
        if windows > 0 {
            self.last = self.started / usize::try_from(windows).unwrap_or(usize::MAX);
            self.started = 0;
            self.since = Instant::now();
        }
    }
}

/// The parcel's part of the process's backlog; given back whatever way the parcel ends.
#[derive(Debug)]
pub(crate) struct BacklogShare<'a> {
    backlog: &'a Backlog,
    records: usize,
}

impl<'a> BacklogShare<'a> {
    pub(crate) fn new(backlog: &'a Backlog, records: usize) -> Self {
        Self { backlog, records }
    }

    /// Notes that so many are on their way.
    pub(crate) fn started(&mut self, records: usize) {
        let records = records.min(self.records);
        self.records -= records;
        self.backlog.start(records);
    }

    /// Notes that so many come back without having been sent.
    pub(crate) fn returned(&mut self, records: usize) {
        self.records += records;
        self.backlog.add(records);
    }
}

impl Drop for BacklogShare<'_> {
    fn drop(&mut self) {
        self.backlog.remove(self.records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn has_room(backlog: &Backlog, slots: usize) -> bool {
        tokio::time::timeout(Duration::from_millis(1), backlog.has_room(&Slots::new(slots))).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn two_rounds_of_the_slots_are_taken_ahead() {
        let backlog = Backlog::default();
        backlog.add(7);
        assert!(has_room(&backlog, 4).await);
        backlog.add(1);
        assert!(!has_room(&backlog, 4).await);
        // Without a slot one record is enough to wait for.
        assert!(!has_room(&backlog, 0).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fast_target_is_fed_for_a_tenth_of_a_second() {
        let backlog = Backlog::default();
        backlog.add(500);
        let mut share = BacklogShare::new(&backlog, 500);
        tokio::time::advance(AHEAD).await;
        share.started(100);
        assert!(!has_room(&backlog, 4).await, "400 wait, and 100 are started in a tenth of a second");
        share.started(301);
        assert!(has_room(&backlog, 4).await);
        // A target that has become slow is fed by its slots again.
        tokio::time::advance(100 * AHEAD).await;
        share.started(1);
        assert!(!has_room(&backlog, 4).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_parcel_gives_back_was_not_sent() {
        let backlog = Backlog::default();
        backlog.add(50);
        let share = BacklogShare::new(&backlog, 50);
        tokio::time::advance(AHEAD).await;
        drop(share);
        backlog.add(20);
        assert!(!has_room(&backlog, 4).await);
    }
}
