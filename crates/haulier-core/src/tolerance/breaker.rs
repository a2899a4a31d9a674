//! The circuit breaker: a target that mostly fails is left alone for a while.

use std::collections::VecDeque;
use std::time::Duration;

use crate::port::Micros;

/// How long attempts count.
const WINDOW: Micros = 5_000_000;
/// Fewer results open nothing.
const RESULTS: u64 = 10;
/// So many opens within [`OFTEN_WITHIN`] are a matter for a person.
const OFTEN: usize = 3;
const OFTEN_WITHIN: Micros = 600_000_000;

/// Opens when more than half of at least ten attempts within five seconds failed; then nothing goes out for a while, then
/// one probe does, whose outcome closes the breaker or opens it again. Nygard, "Release It!", names the pattern.
#[derive(Debug, Clone)]
pub struct Breaker {
    open_for: Micros,
    /// (second, attempts, failures), oldest first.
    seconds: VecDeque<(Micros, u64, u64)>,
    state: BreakerState,
    opened: VecDeque<Micros>,
    /// Since when it has not been closed.
    since: Option<Micros>,
}

/// Whether anything may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything may.
    Closed,
    /// Nothing may, until then.
    Open {
        /// When the probe goes out.
        until: Micros,
    },
    /// One probe is on its way; nothing else may. One of which nothing is heard is given up after the same time.
    Probing {
        /// When it left.
        since: Micros,
    },
}

impl Breaker {
    /// A closed breaker that stays open for so long.
    #[must_use]
    pub fn new(open_for: Duration) -> Self {
        let open_for = Micros::try_from(open_for.as_micros()).unwrap_or(Micros::MAX);
        Self {
            open_for,
            seconds: VecDeque::new(),
            state: BreakerState::Closed,
            opened: VecDeque::new(),
            since: None,
        }
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.state
    }

    /// Since when it has not been closed.
    #[must_use]
    pub fn open_since(&self) -> Option<Micros> {
        self.since
    }

    /// Whether it opened so often that a person should look.
    #[must_use]
    pub fn is_critical(&self, now: Micros) -> bool {
        self.opened.iter().filter(|at| now.saturating_sub(**at) <= OFTEN_WITHIN).count() >= OFTEN
    }

    /// Forgets how often it opened: a person was told, and it is his turn.
    pub fn forget_openings(&mut self) {
        self.opened.clear();
    }

    /// Asks to send one attempt. `Err` says when to ask again; the end of a probe may come earlier.
    pub fn admit(&mut self, now: Micros) -> Result<(), Micros> {
        let until = match self.state {
            BreakerState::Closed => return Ok(()),
            BreakerState::Open { until } => until,
            BreakerState::Probing { since } => since.saturating_add(self.open_for),
        };
        if now < until {
            return Err(until);
        }
        self.state = BreakerState::Probing { since: now };
        Ok(())
    }

    /// Notes how an attempt ended. Returns whether the state changed.
    pub fn note(&mut self, failed: bool, now: Micros) -> bool {
        let before = self.state;
        match (self.state, failed) {
            (BreakerState::Probing { .. }, true) => self.open(now),
            (BreakerState::Probing { .. }, false) => {
                self.state = BreakerState::Closed;
                self.since = None;
                self.seconds.clear();
            }
            // What was in flight when it opened says nothing new.
            (BreakerState::Open { .. }, _) => {}
            (BreakerState::Closed, _) => {
                self.count(failed, now);
                let (all, failures) =
                    self.seconds.iter().fold((0, 0), |(all, bad), (_, n, f)| (all + n, bad + f));
                if all >= RESULTS && failures * 2 > all {
                    self.open(now);
                }
            }
        }
        before != self.state
    }

    fn count(&mut self, failed: bool, now: Micros) {
        let second = now / 1_000_000;
        self.seconds.retain(|(at, ..)| (second - at) * 1_000_000 < WINDOW);
        match self.seconds.back_mut().filter(|(at, ..)| *at == second) {
            Some((_, all, failures)) => {
                *all += 1;
                *failures += u64::from(failed);
            }
            None => self.seconds.push_back((second, 1, u64::from(failed))),
        }
    }

    fn open(&mut self, now: Micros) {
        self.state = BreakerState::Open { until: now.saturating_add(self.open_for) };
        self.since.get_or_insert(now);
        self.seconds.clear();
        self.opened.retain(|at| now.saturating_sub(*at) <= OFTEN_WITHIN);
        self.opened.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    #[test]
    fn more_than_half_of_ten_open_it_and_one_probe_closes_it() {
        let mut breaker = Breaker::new(Duration::from_secs(30));
        (0..9).for_each(|_| {
            breaker.note(true, 0);
        });
        assert_eq!(breaker.state(), BreakerState::Closed, "nine results are too few");
        breaker.note(true, 0);
        assert_eq!(breaker.admit(29 * SECOND), Err(30 * SECOND));
        assert_eq!(breaker.admit(30 * SECOND), Ok(()));
        assert_eq!(breaker.admit(30 * SECOND), Err(60 * SECOND), "one probe only");
        breaker.note(false, 31 * SECOND);
        assert_eq!(breaker.admit(31 * SECOND), Ok(()));
    }

    #[test]
    fn half_is_not_enough_and_old_failures_do_not_count() {
        let mut breaker = Breaker::new(Duration::from_secs(30));
        for n in 0..100 {
            breaker.note(n % 2 == 0 && n > 0, 0);
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        let mut breaker = Breaker::new(Duration::from_secs(30));
        for second in 0..20 {
            breaker.note(true, second * SECOND);
        }
        assert_eq!(breaker.state(), BreakerState::Closed, "one failure a second is five in the window");
    }

    #[test]
    fn a_failed_probe_opens_again_and_three_opens_are_critical() {
        let mut breaker = opened_once();
        assert!(!breaker.is_critical(SECOND));
        for at in [31 * SECOND, 62 * SECOND] {
            assert_eq!(breaker.admit(at), Ok(()));
            breaker.note(true, at);
        }
        assert!(breaker.is_critical(62 * SECOND));
        assert!(!breaker.is_critical(700 * SECOND));
        breaker.forget_openings();
        assert!(!breaker.is_critical(62 * SECOND), "three more, once a person was told");
        breaker.admit(100 * SECOND).unwrap();
        assert_eq!(breaker.admit(130 * SECOND), Ok(()), "a probe of which nothing was heard is given up");
    }

    fn opened_once() -> Breaker {
        let mut breaker = Breaker::new(Duration::from_secs(30));
        for _ in 0..10 {
            breaker.note(true, SECOND);
        }
        assert_eq!(breaker.state(), BreakerState::Open { until: 31 * SECOND });
        breaker
    }
}
