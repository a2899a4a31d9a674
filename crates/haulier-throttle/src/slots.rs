//! At most so many at a time, with a limit that can change.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

/// At most `limit` slots are out at a time. First come, first served.
///
/// Raising the limit admits waiters at once. Lowering it takes nothing away from who has a slot: none is given out until
/// enough came back. A limit of 0 gives out nothing, which is how a pause looks from here.
#[derive(Debug, Clone)]
pub struct Slots(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    lowered: Notify,
}

#[derive(Debug)]
struct State {
    limit: usize,
    out: usize,
    waiting: VecDeque<oneshot::Sender<Slot>>,
}

/// One slot; dropping it gives it back.
#[derive(Debug)]
pub struct Slot(Option<Arc<Shared>>);

impl Slots {
    /// Starts with this limit.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let state = Mutex::new(State { limit, out: 0, waiting: VecDeque::new() });
        Self(Arc::new(Shared { state, lowered: Notify::new() }))
    }

    /// Changes the limit.
    pub fn set_limit(&self, limit: usize) {
        lock(&self.0).limit = limit;
        admit(&self.0);
        self.0.lowered.notify_waiters();
    }

    /// The limit now.
    #[must_use]
    pub fn limit(&self) -> usize {
        lock(&self.0).limit
    }

    /// Slots that are out now.
    #[must_use]
    pub fn out(&self) -> usize {
        lock(&self.0).out
    }

    /// Waits for a slot. Cancel safe: a dropped wait leaves the line, and a slot that was on its way goes to the next.
    pub async fn take(&self) -> Slot {
        loop {
            let waiter = {
                let mut state = lock(&self.0);
                if state.out < state.limit && state.waiting.is_empty() {
                    state.out += 1;
                    return Slot(Some(Arc::clone(&self.0)));
                }
                let (sender, waiter) = oneshot::channel();
                state.waiting.push_back(sender);
                waiter
            };
            if let Ok(slot) = waiter.await {
                return slot;
            }
        }
    }
}

impl Slot {
    /// Gives the slot back if more are out than the limit allows. What holds it must not go on then.
    pub fn surrender(&mut self) -> bool {
        let Some(shared) = &self.0 else { return true };
        let mut state = lock(shared);
        let surplus = state.out > state.limit;
        if surplus {
            state.out -= 1;
            drop(state);
            self.0 = None;
        }
        surplus
    }

    /// Waits until the slot is one too many, and gives it back; waits for ever once `kept` says that it is in use.
    /// Cancel safe: a dropped wait keeps the slot.
    pub async fn recalled_unless(&mut self, kept: impl Fn() -> bool) {
        loop {
            let Some(shared) = self.0.clone() else { return };
            let mut lowered = std::pin::pin!(shared.lowered.notified());
            // Listening starts before looking, so that no change goes by in between.
            lowered.as_mut().enable();
            if kept() {
                std::future::pending::<()>().await;
            }
            if self.surrender() {
                return;
            }
            lowered.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(state) = self.0.take() {
            lock(&state).out -= 1;
            admit(&state);
        }
    }
}

/// Hands free slots to who waits longest. The lock is released around each hand-over, because a waiter that has
/// gone gives its slot back on the spot.
fn admit(shared: &Arc<Shared>) {
    loop {
        let next = {
            let mut state = lock(shared);
            if state.out >= state.limit {
                return;
            }
            let Some(next) = state.waiting.pop_front() else { return };
            state.out += 1;
            next
        };
        if let Err(mut refused) = next.send(Slot(Some(Arc::clone(shared)))) {
            refused.0 = None;
            lock(shared).out -= 1;
        }
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    // No code runs under this lock that could leave the counts half changed.
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn soon<T>(future: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(5), future).await.expect("nobody was woken")
    }

    #[tokio::test]
    async fn no_more_than_the_limit_are_out() {
        let slots = Slots::new(2);
        let first = slots.take().await;
        let _second = slots.take().await;
        let third = slots.take();
        tokio::pin!(third);
        assert!(futures_poll(&mut third).await.is_none());
        drop(first);
        let _third = soon(third).await;
        assert_eq!(slots.out(), 2);
    }

    #[tokio::test]
    async fn raising_admits_at_once_and_lowering_takes_nothing_away() {
        let slots = Slots::new(0);
        let waiters: Vec<_> = (0..3)
            .map(|_| {
                let slots = slots.clone();
                tokio::spawn(async move { slots.take().await })
            })
            .collect();
        tokio::task::yield_now().await;
        slots.set_limit(3);
        let mut held = Vec::new();
        for waiter in waiters {
            held.push(soon(waiter).await.unwrap());
        }
        slots.set_limit(1);
        assert_eq!(slots.out(), 3);
        held.truncate(1);
        let next = slots.take();
        tokio::pin!(next);
        assert!(futures_poll(&mut next).await.is_none());
        held.clear();
        let _next = soon(next).await;
    }

    #[tokio::test]
    async fn a_waiter_that_left_does_not_keep_a_slot() {
        let slots = Slots::new(1);
        let held = slots.take().await;
        {
            let gone = slots.take();
            tokio::pin!(gone);
            assert!(futures_poll(&mut gone).await.is_none());
        }
        drop(held);
        let _slot = soon(slots.take()).await;
        assert_eq!(slots.out(), 1);
    }

    #[tokio::test]
    async fn only_surplus_slots_are_recalled() {
        let slots = Slots::new(3);
        let mut waiting = Vec::new();
        for _ in 0..3 {
            let mut slot = slots.take().await;
            waiting.push(tokio::spawn(async move {
                slot.recalled_unless(|| false).await;
            }));
        }
        tokio::task::yield_now().await;
        slots.set_limit(2);
        let done = |waiting: &[tokio::task::JoinHandle<()>]| {
            waiting.iter().filter(|wait| wait.is_finished()).count()
        };
        soon(async {
            while done(&waiting) < 1 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!((done(&waiting), slots.out()), (1, 2));
        slots.set_limit(5);
        let mut kept = slots.take().await;
        assert!(!kept.surrender());
        slots.set_limit(0);
        for wait in waiting {
            soon(wait).await.unwrap();
        }
        assert!(kept.surrender());
        assert_eq!(slots.out(), 0);
    }

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
