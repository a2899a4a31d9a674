//! The fence that stops a process which others may take for dead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::ProcessId;
use haulier_core::port::{Answer, Clock, Micros, Throttle};
use haulier_throttle::Flow;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Open while the process can say that it is alive. When it closes, everything in hand is dropped, because others may
/// hold the claims by then; the process goes on under another name, whose claims are its own again.
#[derive(Debug)]
pub(crate) struct Fence {
    life: watch::Sender<Life>,
    /// How long a sign of life is good for; others take over a little later.
    good_for: Duration,
    clock: Arc<dyn Clock>,
    process: ProcessId,
}

#[derive(Debug, Clone)]
struct Life {
    number: u32,
    hold: Hold,
    /// Until when it may send; `None` before its first sign of life.
    until: Option<Until>,
}

/// By both clocks: the one stands still while the machine sleeps, the other one may be set.
#[derive(Debug, Clone, Copy)]
struct Until {
    instant: Instant,
    time: Micros,
}

/// What a parcel is worked on under: the name that its claims carry, and the token that ends it.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) process: ProcessId,
    pub(crate) dropped: CancellationToken,
}

impl Fence {
    pub(crate) fn new(process: ProcessId, silent_after: Duration, clock: Arc<dyn Clock>) -> Self {
        let hold = Hold { process: process.clone(), dropped: CancellationToken::new() };
        let life = Life { number: 1, hold, until: None };
        Self { life: watch::Sender::new(life), good_for: silent_after.mul_f64(0.8), clock, process }
    }

    /// Waits until the process is known to be alive.
    pub(crate) async fn hold(&self) -> Hold {
        let mut watched = self.life.subscribe();
        match watched.wait_for(|life| life.until.is_some()).await {
            Ok(life) => life.hold.clone(),
            // It would mean that the sender, which is ours, had gone.
            Err(_) => self.life.borrow().hold.clone(),
        }
    }

    /// The name that the next sign of life carries.
    pub(crate) fn process(&self) -> ProcessId {
        self.life.borrow().hold.process.clone()
    }

    /// A sign of life under this name, begun then, was taken.
    pub(crate) fn beaten(&self, process: &ProcessId, instant: Instant, time: Micros) {
        let good_for = Micros::try_from(self.good_for.as_micros()).unwrap_or(Micros::MAX);
        self.life.send_if_modified(|life| {
            let same = life.hold.process == *process;
            if same {
                let until = Until { instant: instant + self.good_for, time: time.saturating_add(good_for) };
                life.until = Some(until);
            }
            same
        });
    }

    /// Whether what is held under this life may still be sent. Closes the fence when the time is over.
    pub(crate) fn stands(&self, hold: &Hold) -> bool {
        self.close_if_late();
        !hold.dropped.is_cancelled()
    }

    /// Ends a life whose last sign is too old. Returns whether it did.
    pub(crate) fn close_if_late(&self) -> bool {
        let (now, time) = (Instant::now(), self.clock.micros());
        self.life.send_if_modified(|life| {
            let late = life.until.is_some_and(|until| until.instant <= now || until.time <= time);
            if late {
                life.hold.dropped.cancel();
                life.number += 1;
                let process = ProcessId::new(format!("{}.{}", self.process, life.number));
                life.hold = Hold { process, dropped: CancellationToken::new() };
                life.until = None;
            }
            late
        })
    }

    /// When to look whether the time is over.
    pub(crate) fn next_look(&self) -> Instant {
        self.life.borrow().until.map_or_else(|| Instant::now() + self.good_for, |until| until.instant)
    }
}

/// The flow, with a look at the fence behind it: whoever waited long for the rate must not send what is not his any more.
#[derive(Debug)]
pub(crate) struct Fenced<'a> {
    pub(crate) flow: &'a Flow,
    pub(crate) fence: &'a Fence,
    pub(crate) hold: &'a Hold,
    /// Set with the first request that leaves.
    pub(crate) begun: &'a AtomicBool,
}

#[async_trait]
impl Throttle for Fenced<'_> {
    async fn pass(&self) {
        self.flow.pass().await;
        if !self.fence.stands(self.hold) {
            // The token ends all that waits here.
            std::future::pending::<()>().await;
        }
        self.begun.store(true, Ordering::Relaxed);
    }

    fn answered(&self, answer: Answer) {
        self.flow.answered(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicI64;

    #[derive(Debug, Default)]
    struct SetClock(AtomicI64);

    impl Clock for SetClock {
        fn now(&self) -> jiff::Timestamp {
            jiff::Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap()
        }
    }

    fn fence() -> (Fence, Arc<SetClock>) {
        let clock = Arc::new(SetClock::default());
        (
            Fence::new(ProcessId::new("p"), Duration::from_secs(10), Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
        )
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_held_before_the_first_sign_of_life() {
        let (fence, _) = fence();
        assert!(tokio::time::timeout(Duration::from_mins(1), fence.hold()).await.is_err());
        fence.beaten(&ProcessId::new("p"), Instant::now(), 0);
        assert_eq!(fence.hold().await.process.as_str(), "p");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_process_sends_nothing_more_and_goes_on_under_another_name() {
        let (fence, _) = fence();
        fence.beaten(&ProcessId::new("p"), Instant::now(), 0);
        let held = fence.hold().await;
        tokio::time::advance(Duration::from_secs(7)).await;
        assert!(fence.stands(&held));
        tokio::time::advance(Duration::from_secs(1)).await;
        let flow = Flow::new(None);
        let begun = AtomicBool::new(false);
        let fenced = Fenced { flow: &flow, fence: &fence, hold: &held, begun: &begun };
        assert!(tokio::time::timeout(Duration::from_mins(1), fenced.pass()).await.is_err());
        assert!(held.dropped.is_cancelled() && !begun.load(Ordering::Relaxed));
        // A late answer to an old sign of life does not bring it back.
        fence.beaten(&ProcessId::new("p"), Instant::now(), 0);
        assert!(tokio::time::timeout(Duration::from_secs(1), fence.hold()).await.is_err());
        fence.beaten(&ProcessId::new("p.2"), Instant::now(), 0);
        let next = fence.hold().await;
        assert_eq!(next.process.as_str(), "p.2");
        assert!(fence.stands(&next) && !fence.stands(&held));
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_is_late_by_its_wall_clock() {
        let (fence, clock) = fence();
        fence.beaten(&ProcessId::new("p"), Instant::now(), 0);
        let held = fence.hold().await;
        clock.0.store(8_000_000, Ordering::Relaxed);
        assert!(!fence.stands(&held));
    }
}
