//! What every request passes: the rate, the pause, and the target's own "not before".

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::port::{Answer, Micros, Throttle};
use haulier_core::tolerance::{Attempt, Breaker, BreakerState};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{Meter, Rate, Slots};

/// A rate that can be held: by a pause, or until an instant that the target asked for.
#[derive(Debug)]
pub struct Flow {
    rate: Rate,
    hold: watch::Sender<Hold>,
    meter: Arc<Meter>,
    /// What says whether the number of slots is what holds the flow.
    slots: Option<Slots>,
    breaker: Option<Mutex<Breaker>>,
    started: Instant,
    /// Requests that wait here, each with a slot.
    waiting: AtomicUsize,
}

/// One request that waits; whatever way its wait ends.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long the breaker of a flow leaves a target alone, where nothing else is said.
pub const OPEN_FOR: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    paused: bool,
    until: Option<Instant>,
    /// When the hold began that runs now.
    since: Option<Instant>,
    /// Whether refused credentials are why.
    refused: bool,
}

impl Hold {
    fn is_open(self) -> bool {
        !self.paused && self.until.is_none_or(|until| until <= Instant::now())
    }
}

impl Flow {
    /// Starts open, with this rate.
    #[must_use]
    pub fn new(per_second: Option<f64>) -> Self {
        Self::measured(per_second, Arc::default())
    }

    /// Starts open, with this rate; what passes is counted here.
    #[must_use]
    pub fn measured(per_second: Option<f64>, meter: Arc<Meter>) -> Self {
        let (rate, hold) = (Rate::new(per_second), watch::Sender::new(Hold::default()));
        Self {
            rate,
            hold,
            meter,
            slots: None,
            breaker: None,
            started: Instant::now(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The same, told whether all slots were out when a request ended.
    #[must_use]
    pub fn with_slots(mut self, slots: Slots) -> Self {
        self.slots = Some(slots);
        self
    }

    /// The same, closed for so long when most of what is sent fails.
    #[must_use]
    pub fn with_breaker(mut self, open_for: Duration) -> Self {
        self.breaker = Some(Mutex::new(Breaker::new(open_for)));
        self
    }

    /// The breaker's state, whether it opened so often that a person should look, and for how long it has not been closed.
    #[must_use]
    pub fn breaker(&self) -> Option<(BreakerState, bool, Micros)> {
        let (breaker, now) = (lock(self.breaker.as_ref()?), self.now());
        let open_for = breaker.open_since().map_or(0, |since| now.saturating_sub(since));
        Some((breaker.state(), breaker.is_critical(now), open_for))
    }

    /// Forgets how often the breaker opened, once a person was told.
    pub fn forget_openings(&self) {
        if let Some(breaker) = &self.breaker {
            lock(breaker).forget_openings();
        }
    }

    /// How long nothing is sent from now, for how long it has been so, and whether refused credentials are why.
    #[must_use]
    pub fn held(&self) -> Option<(Duration, Micros, bool)> {
        let hold = *self.hold.borrow();
        let left = hold.until?.saturating_duration_since(Instant::now());
        let since = hold.since.map_or(0, |since| Micros::try_from(since.elapsed().as_micros()).unwrap_or(0));
        (!left.is_zero()).then_some((left, since, hold.refused))
    }

    /// Time as the breaker counts it: it stands still with tokio's.
    fn now(&self) -> Micros {
        Micros::try_from(self.started.elapsed().as_micros()).unwrap_or(Micros::MAX)
    }

    /// Waits until the breaker lets one more go.
    async fn admitted(&self) {
        let Some(breaker) = &self.breaker else { return };
        let mut changes = self.hold.subscribe();
        loop {
            changes.borrow_and_update();
            let refused = lock(breaker).admit(self.now());
            let Err(until) = refused else { return };
            let wait = Duration::from_micros(u64::try_from(until.saturating_sub(self.now())).unwrap_or(0));
            tokio::select! {
                () = tokio::time::sleep(wait.max(Duration::from_millis(1))) => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }

    /// The rate, to change it.
    #[must_use]
    pub fn rate(&self) -> &Rate {
        &self.rate
    }

    /// Stops or lets through; nothing under way is touched.
    pub fn pause(&self, paused: bool) {
        self.hold.send_if_modified(|hold| std::mem::replace(&mut hold.paused, paused) != paused);
    }

    /// Lets nothing through for so long; a longer hold that runs already stays.
    pub fn hold_for(&self, wait: Duration) {
        self.hold_because(wait, false);
    }

    /// The same, because the target refuses the credentials.
    pub fn hold_refused(&self, wait: Duration) {
        self.hold_because(wait, true);
    }

    fn hold_because(&self, wait: Duration, refused: bool) {
        let until = Instant::now() + wait;
        self.hold.send_modify(|hold| {
            if hold.until.is_none_or(|until| until <= Instant::now()) {
                hold.since = Some(Instant::now());
                hold.refused = false;
            }
            hold.refused |= refused;
            hold.until = Some(hold.until.map_or(until, |old| old.max(until)));
        });
    }

    /// How long the target asked to be left alone, from now.
    #[must_use]
    pub fn held_for(&self) -> Option<Duration> {
        let until = self.hold.borrow().until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// How many wait here to send a request.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Waits for `tokens` tokens, one after the other. Cancel safe up to the token being waited for.
    pub async fn take(&self, tokens: usize) {
        self.open().await;
        if self.rate.per_second().is_none() {
            return;
        }
        for _ in 0..tokens {
            self.token().await;
        }
    }

    /// A token that was waited for while the flow was held is spent: who wait together must not leave together.
    async fn token(&self) {
        loop {
            self.open().await;
            self.rate.take(1).await;
            if self.hold.borrow().is_open() {
                return;
            }
        }
    }

    /// Waits until nothing is held.
    pub async fn open(&self) {
        let mut changes = self.hold.subscribe();
        loop {
            let hold = *changes.borrow_and_update();
            let wait = hold.until.map(|until| until.saturating_duration_since(Instant::now()));
            match wait {
                _ if hold.paused => {
                    if changes.changed().await.is_err() {
                        return;
                    }
                }
                Some(wait) if !wait.is_zero() => {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        changed = changes.changed() => if changed.is_err() { return },
                    }
                }
                Some(_) | None => return,
            }
        }
    }
}

#[async_trait]
impl Throttle for Flow {
    async fn pass(&self) {
        let _waiting = Waiting::begin(&self.waiting);
        self.token().await;
        // Last, so that the one probe that it lets go leaves at once.
        self.admitted().await;
        self.meter.passed();
    }

    fn answered(&self, answer: Answer) {
        // Who waits for the rate has a slot, too; then it is the rate that holds the flow.
        let saturated = self
            .slots
            .as_ref()
            .is_some_and(|slots| slots.out().saturating_sub(self.waiting()) >= slots.limit());
        let attempt = Attempt::of(answer.status, answer.retry_after.is_some(), answer.took);
        self.meter.answered(answer, attempt, saturated);
        if let Some(breaker) = &self.breaker {
            let changed = lock(breaker).note(attempt == Attempt::Failed, self.now());
            if changed {
                self.hold.send_modify(|_| ());
            }
        }
    }
}

fn lock(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hold_delays_and_ends_by_itself() {
        let flow = Flow::new(None);
        flow.hold_for(Duration::from_secs(7));
        flow.hold_for(Duration::from_secs(3));
        assert_eq!(flow.held_for(), Some(Duration::from_secs(7)));
        let start = Instant::now();
        flow.pass().await;
        assert!(start.elapsed() >= Duration::from_secs(7));
        assert_eq!(flow.held_for(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_mostly_fails_is_left_alone_and_then_probed_by_one() {
        let flow = Arc::new(Flow::new(None).with_breaker(OPEN_FOR));
        let end = |status| {
            flow.answered(Answer { took: Duration::from_millis(9), status, retry_after: None });
        };
        for _ in 0..10 {
            flow.pass().await;
            end(Some(500));
        }
        let start = Instant::now();
        let passing: Vec<_> = (0..3)
            .map(|_| {
                let flow = Arc::clone(&flow);
                tokio::spawn(async move { flow.pass().await })
            })
            .collect();
        let passed = || passing.iter().filter(|one| one.is_finished()).count();
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert_eq!(passed(), 0);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(passed(), 1, "one probe");
        assert!(matches!(flow.breaker(), Some((BreakerState::Probing { .. }, false, 30_000_000..))));
        end(Some(200));
        for one in passing {
            one.await.unwrap();
        }
        assert!(start.elapsed() < Duration::from_secs(40));
        assert_eq!(flow.breaker(), Some((BreakerState::Closed, false, 0)));
    }

    #[tokio::test]
    async fn a_pause_lasts_until_it_is_lifted() {
        let flow = Arc::new(Flow::new(None));
        flow.pause(true);
        let passing = tokio::spawn({
            let flow = Arc::clone(&flow);
            async move { flow.pass().await }
        });
        tokio::task::yield_now().await;
        assert!(!passing.is_finished());
        flow.pause(false);
        tokio::time::timeout(Duration::from_secs(5), passing).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn those_who_waited_for_the_end_of_a_pause_leave_at_the_rate() {
        let flow = Arc::new(Flow::new(Some(20.0)));
        flow.pause(true);
        let passing: Vec<_> = (0..8)
            .map(|_| {
                let flow = Arc::clone(&flow);
                tokio::spawn(async move { flow.pass().await })
            })
            .collect();
        tokio::task::yield_now().await;
        // More than one token of the limiter's own is there by now, and no more than one may be used at once.
        let start = std::time::Instant::now();
        flow.pause(false);
        for one in passing {
            tokio::time::timeout(Duration::from_secs(5), one).await.unwrap().unwrap();
        }
        // Eight tokens at 20 a second, two of which may be there already.
        assert!(start.elapsed() >= Duration::from_millis(280), "{:?}", start.elapsed());
    }
}
