//! At most so many at a time, with a limit that can change.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// At most `limit` slots are out at a time. First come, first served.
///
/// Raising the limit admits waiters at once. Lowering it takes nothing away from who has a slot: none is given out until
/// enough came back. A limit of 0 gives out nothing, which is how a pause looks from here.
#[derive(Debug, Clone)]
pub struct Slots(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    limit: usize,
    out: usize,
    waiting: VecDeque<oneshot::Sender<Slot>>,
}

/// One slot; dropping it gives it back.
#[derive(Debug)]
pub struct Slot(Option<Arc<Mutex<State>>>);

impl Slots {
    /// Starts with this limit.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(State { limit, out: 0, waiting: VecDeque::new() })))
    }

    /// Changes the limit.
    pub fn set_limit(&self, limit: usize) {
        lock(&self.0).limit = limit;
        admit(&self.0);
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
fn admit(shared: &Arc<Mutex<State>>) {
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

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // No code runs under this lock that could leave the counts half changed.
    state.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = std::future::ready(()) => None,
        }
    }
}
