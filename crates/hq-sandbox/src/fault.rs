//! Misbehaviour on purpose: delays, slots, refusals, cut and lost answers, a rate limit.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The fault switches. Zero is off.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// How long every request takes at least, within its slot.
    pub latency_ms: u64,
    /// How many requests are worked on at a time; the others queue in order.
    pub slots: u32,
    /// The share of requests that get 503 before anything is done.
    pub error_share: f64,
    /// The share of requests that are done and whose answer's body is cut in the middle.
    pub half_reply_share: f64,
    /// The share of requests that are done and whose connection is closed without an answer.
    pub lost_answer_share: f64,
    /// How many requests a second are let in, one second's worth at once; the others get 429 with `Retry-After`.
    pub rate_per_s: f64,
}

impl Faults {
    /// Says what is wrong with the values.
    pub fn check(&self) -> Result<(), &'static str> {
        let shares = [self.error_share, self.half_reply_share, self.lost_answer_share];
        if !shares.into_iter().all(|share| (0.0..=1.0).contains(&share)) {
            return Err("a share must be between 0 and 1");
        }
        if !(0.0..=1e9).contains(&self.rate_per_s) {
            return Err("rate_per_s must be between 0 and 1000000000");
        }
        Ok(())
    }
}

/// What becomes of an answer that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mishap {
    HalfReply,
    LostAnswer,
}

/// The switches as they stand, and what they need to work.
#[derive(Debug)]
pub(crate) struct Switches {
    state: Mutex<State>,
    draws: AtomicU64,
    seed: u64,
}

#[derive(Debug)]
struct State {
    faults: Faults,
    slots: Option<Arc<Semaphore>>,
    tokens: f64,
    filled: Instant,
}

impl Switches {
    pub(crate) fn new(faults: Faults, seed: u64) -> Self {
        let mut state = State { faults: Faults::default(), slots: None, tokens: 0.0, filled: Instant::now() };
        state.set(faults);
        Self { state: Mutex::new(state), draws: AtomicU64::new(0), seed }
    }

    pub(crate) fn faults(&self) -> Faults {
        self.locked(|state| state.faults.clone())
    }

    /// Sets all switches. Requests that hold or wait for a slot finish under the old number of slots.
    pub(crate) fn set(&self, faults: Faults) {
        self.locked(|state| state.set(faults));
    }

    /// Takes a token of the rate limit, or says how many seconds to wait.
    pub(crate) fn admit(&self) -> Result<(), u64> {
        self.locked(|state| state.admit(Instant::now()))
    }

    /// Waits for a slot, which is held until the permit is dropped.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let slots = self.locked(|state| state.slots.clone())?;
        // It is never closed.
        slots.acquire_owned().await.ok()
    }

    /// Takes as long as a request is to take.
    pub(crate) async fn linger(&self) {
        let latency = self.locked(|state| Duration::from_millis(state.faults.latency_ms));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }

    /// Whether this request gets 503.
    pub(crate) fn draw_error(&self) -> bool {
        let share = self.locked(|state| state.faults.error_share);
        share > 0.0 && self.draw() < share
    }

    /// What becomes of this answer.
    pub(crate) fn draw_mishap(&self) -> Option<Mishap> {
        let (lost, half) =
            self.locked(|state| (state.faults.lost_answer_share, state.faults.half_reply_share));
        if lost > 0.0 && self.draw() < lost {
            return Some(Mishap::LostAnswer);
        }
        (half > 0.0 && self.draw() < half).then_some(Mishap::HalfReply)
    }

    /// The next number in `[0, 1)`, by splitmix64.
    fn draw(&self) -> f64 {
        let step = self.draws.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut mixed = self.seed.wrapping_add(step.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or(u32::MAX);
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn set(&mut self, faults: Faults) {
        if faults.slots != self.faults.slots {
            self.slots = usize::try_from(faults.slots)
                .ok()
                .filter(|slots| *slots > 0)
                .map(|slots| Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))));
        }
        let was_off = self.faults.rate_per_s <= 0.0;
        self.faults = faults;
        self.tokens = if was_off { self.depth() } else { self.tokens.min(self.depth()) };
        self.filled = Instant::now();
    }

    fn depth(&self) -> f64 {
        self.faults.rate_per_s.max(1.0)
    }

    fn admit(&mut self, now: Instant) -> Result<(), u64> {
        let rate = self.faults.rate_per_s;
        if rate <= 0.0 {
            return Ok(());
        }
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = since.mul_add(rate, self.tokens).min(self.depth());
        self.filled = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64(((1.0 - self.tokens) / rate).min(3600.0)).as_secs() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_lets_in_one_seconds_worth_and_then_the_rate() {
        let switches = Switches::new(Faults { rate_per_s: 10.0, ..Faults::default() }, 1);
        let mut state = switches.state.into_inner().unwrap();
        let start = state.filled;
        let admitted = |state: &mut State, ms: u64| {
            (0..50).filter(|_| state.admit(start + Duration::from_millis(ms)).is_ok()).count()
        };
        assert_eq!(admitted(&mut state, 0), 10);
        assert_eq!(admitted(&mut state, 510), 5);
        assert_eq!(admitted(&mut state, 60_000), 10);
        assert_eq!(state.admit(start + Duration::from_mins(1)), Err(1));
    }

    #[test]
    fn draws_repeat_with_the_seed_and_keep_their_share() {
        let run = |seed| {
            let switches = Switches::new(Faults { error_share: 0.25, ..Faults::default() }, seed);
            (0..10_000).map(|_| switches.draw_error()).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).into_iter().filter(|hit| *hit).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
    }
}
