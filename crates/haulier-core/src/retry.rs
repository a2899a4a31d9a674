//! How long to wait before the next attempt.

use std::time::Duration;

/// When a transient failure is tried again, and when it is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Counted attempts before a record becomes a dead letter; at least 1.
    pub attempts: u32,
    /// Upper bound of the first wait.
    pub base: Duration,
    /// Upper bound of any wait of ours.
    pub cap: Duration,
    /// Upper bound of a wait that the target asks for.
    pub retry_after_cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            base: Duration::from_secs(1),
            cap: Duration::from_mins(1),
            retry_after_cap: Duration::from_mins(5),
        }
    }
}

impl RetryPolicy {
    /// The wait after attempt number `attempt` (counted from 1) failed.
    ///
    /// Full jitter: `roll * min(cap, base * 2^(attempt-1))` with `roll` in `[0, 1)`, which spreads a
    /// crowd of retries best (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    /// What the target asks for wins, clamped to `retry_after_cap`.
    #[must_use]
    pub fn wait(&self, attempt: u32, roll: f64, retry_after: Option<Duration>) -> Duration {
        if let Some(asked) = retry_after {
            return asked.min(self.retry_after_cap);
        }
        let doublings = attempt.saturating_sub(1).min(20);
        let bound = self.base.saturating_mul(1 << doublings).min(self.cap);
        bound.mul_f64(roll.clamp(0.0, 1.0))
    }

    /// Whether a record that has used `attempt` attempts is given up.
    #[must_use]
    pub fn exhausted(&self, attempt: u32) -> bool {
        attempt >= self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let waits: Vec<u64> = (1..9).map(|n| policy.wait(n, 1.0, None).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(policy.wait(u32::MAX, 1.0, None), policy.cap);
    }

    #[test]
    fn what_the_target_asks_for_wins_and_is_clamped() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(1, 0.5, Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(policy.wait(1, 0.5, Some(Duration::from_hours(9))), policy.retry_after_cap);
    }
}
