//! Tokens at a rate that can change while others wait for one.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{Mutex, watch};

/// At most so many tokens a second, given out evenly and in the order of asking.
///
/// A burst is at most a twentieth of a second's worth and one token, also right after a change: a fresh limiter starts spent.
/// The one token makes up for waking late, which else would cost a share of every token: 2 ms of 30 ms at 33/s. That keeps a
/// set rate within 2 % over ten seconds and never near two seconds' worth in one.
#[derive(Debug)]
pub struct Rate {
    limiter: watch::Sender<Option<Set>>,
    // Only the first in line sleeps; without this all sleepers wake together and the order is luck.
    line: Mutex<()>,
}

/// A limiter and what it was made for.
#[derive(Debug, Clone)]
struct Set {
    limiter: Arc<DefaultDirectRateLimiter>,
    per_second: f64,
}

impl Rate {
    /// Starts with `per_second` tokens a second; `None` lets everything through.
    #[must_use]
    pub fn new(per_second: Option<f64>) -> Self {
        Self { limiter: watch::Sender::new(limiter(per_second)), line: Mutex::new(()) }
    }

    /// Changes the rate at once, also for those who wait.
    pub fn set(&self, per_second: Option<f64>) {
        let same = |old: f64, new: f64| old.to_bits() == new.to_bits();
        if match (self.per_second(), per_second) {
            (Some(old), Some(new)) => !same(old, new),
            (old, new) => old.is_some() != new.is_some(),
        } {
            self.limiter.send_replace(limiter(per_second));
        }
    }

    /// The rate now.
    #[must_use]
    pub fn per_second(&self) -> Option<f64> {
        self.limiter.borrow().as_ref().map(|set| set.per_second)
    }

    /// Waits for `tokens` tokens, one after the other. Cancel safe up to the token being waited for.
    pub async fn take(&self, tokens: usize) {
        if self.limiter.borrow().is_none() {
            return;
        }
        let _first_in_line = self.line.lock().await;
        for _ in 0..tokens {
            self.take_one().await;
        }
    }

    async fn take_one(&self) {
        let mut changes = self.limiter.subscribe();
        loop {
            let Some(set) = changes.borrow_and_update().clone() else { return };
            let wait = match set.limiter.check() {
                Ok(()) => return,
                Err(not_until) => not_until.wait_time_from(DefaultClock::default().now()),
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = changes.changed() => if changed.is_err() { return },
            }
        }
    }
}

fn limiter(per_second: Option<f64>) -> Option<Set> {
    let per_second = per_second.filter(|rate| rate.is_finite() && *rate > 0.0)?;
    let quota = Quota::with_period(Duration::from_secs_f64(1.0 / per_second))?;
    let limiter = RateLimiter::direct(quota.allow_burst(burst(per_second)));
    // A fresh limiter would grant its burst at once, on top of what the old one granted.
    while limiter.check().is_ok() {}
    Some(Set { limiter: Arc::new(limiter), per_second })
}

fn burst(per_second: f64) -> NonZeroU32 {
    // Below 2/s two tokens would be more than a second's worth, and waking late costs next to nothing.
    let late = if per_second < 2.0 { 0.0 } else { 1.0 };
    let worth = (per_second / 20.0).floor().clamp(1.0, 100_000.0) + late;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 100001")]
    NonZeroU32::new(worth as u32).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_burst_is_a_twentieth_of_a_second() {
        let bursts = [0.5, 1.9, 2.0, 33.3, 100.0, 2000.0].map(|rate| burst(rate).get());
        assert_eq!(bursts, [1, 1, 2, 2, 6, 101], "and one token for waking late");
    }

    #[test]
    fn a_fresh_limiter_has_nothing_to_give() {
        let set = limiter(Some(1.0)).unwrap();
        assert!(set.limiter.check().is_err());
        assert!(limiter(None).is_none());
        assert!(limiter(Some(f64::NAN)).is_none());
    }

    #[tokio::test]
    async fn a_raised_rate_wakes_who_waits() {
        let rate = Arc::new(Rate::new(Some(0.001)));
        let waiter = tokio::spawn({
            let rate = Arc::clone(&rate);
            async move { rate.take(1).await }
        });
        tokio::task::yield_now().await;
        rate.set(None);
        tokio::time::timeout(Duration::from_secs(5), waiter).await.unwrap().unwrap();
    }
}
