//! What every request passes: the rate, the pause, and the target's own "not before".

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::port::{Answer, Throttle};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::{Meter, Rate};

/// A rate that can be held: by a pause, or until an instant that the target asked for.
#[derive(Debug)]
pub struct Flow {
    rate: Rate,
    hold: watch::Sender<Hold>,
    meter: Arc<Meter>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    paused: bool,
    until: Option<Instant>,
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
        Self { rate: Rate::new(per_second), hold: watch::Sender::new(Hold::default()), meter }
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
        let until = Instant::now() + wait;
        self.hold.send_modify(|hold| hold.until = Some(hold.until.map_or(until, |old| old.max(until))));
    }

    /// How long the target asked to be left alone, from now.
    #[must_use]
    pub fn held_for(&self) -> Option<Duration> {
        let until = self.hold.borrow().until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
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
        self.token().await;
        self.meter.passed();
    }

    fn answered(&self, answer: Answer) {
        self.meter.answered(answer);
    }
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
        // Eight tokens at 20 a second, one of which may be there already.
        assert!(start.elapsed() >= Duration::from_millis(300), "{:?}", start.elapsed());
    }
}
