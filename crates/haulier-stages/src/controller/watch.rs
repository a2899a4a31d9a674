//! Watches a leg that is carried: people who stop it, its window's end, tenants that fail.

use std::sync::atomic::{AtomicU8, Ordering};

use haulier_core::calendar::AtEnd;
use haulier_core::stage::{Fact, RunEvent};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::carry::Load;
use super::{Controller, TICK};
use crate::Halt;

/// How many looks pass between two questions to the ledger for tenants that fail.
const FAILED_EVERY: u32 = 4;

/// When a leg must end, and how.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct End {
    pub(super) at: Timestamp,
    pub(super) at_end: AtEnd,
}

/// What ends a leg, and whether that was its window.
pub(super) struct Guard {
    pub(super) halt: Halt,
    closed: AtomicU8,
}

impl Guard {
    pub(super) fn new(stop: &CancellationToken) -> Self {
        let halt = Halt { drain: CancellationToken::new(), stop: stop.child_token() };
        Self { halt, closed: AtomicU8::new(0) }
    }

    /// How its window ended it, if that did.
    pub(super) fn closed(&self) -> Option<AtEnd> {
        match self.closed.load(Ordering::SeqCst) {
            1 => Some(AtEnd::Drain),
            2 => Some(AtEnd::Pause),
            _ => None,
        }
    }

    fn close(&self, at_end: AtEnd) {
        match at_end {
            AtEnd::Drain => {
                self.closed.store(1, Ordering::SeqCst);
                self.halt.drain.cancel();
            }
            AtEnd::Pause => {
                self.closed.store(2, Ordering::SeqCst);
                self.halt.stop.cancel();
            }
            AtEnd::Overrun => {}
        }
    }
}

impl Controller {
    /// Stops what is carried when somebody aborts or pauses the run, when too many of its tenants fail, or as its window says
    /// when that closes. Whoever extended the window meanwhile is heard.
    pub(super) async fn watch(&self, load: &Load<'_>, version: u64, guard: &Guard) {
        let (mut end, mut looks) = (load.end, 0_u32);
        loop {
            tokio::time::sleep(TICK).await;
            looks = looks.wrapping_add(1);
            if end.is_some_and(|end| self.desk.clock.now() >= end.at) {
                end = self.reached(load, end, guard).await;
            }
            let stops = |fact: &Fact| matches!(fact, Fact::Run(RunEvent::Abort | RunEvent::Pause));
            match self.desk.log.entries(&self.desk.run, version).await {
                Ok(entries) if entries.iter().any(|entry| stops(&entry.fact)) => {
                    return guard.halt.stop.cancel();
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%error, "the stage log does not answer"),
            }
            if looks.is_multiple_of(FAILED_EVERY) && self.too_many_failed(load).await {
                return guard.halt.stop.cancel();
            }
        }
    }

    /// At the end of a window: the new end where somebody extended it, else it closes as it says.
    async fn reached(&self, load: &Load<'_>, end: Option<End>, guard: &Guard) -> Option<End> {
        let at_end = end?.at_end;
        let wave = load.stage.waves.contains(&load.what).then_some(load.what.as_str());
        let again = match self.hands.calendar().await {
            Ok(calendar) => self.end(&calendar, load.stage, wave, &load.tenants),
            Err(error) => {
                tracing::warn!(%error, "nobody can tell whether the window was extended, so it closes");
                end
            }
        };
        match again {
            Some(again) if again.at > self.desk.clock.now() => {
                self.hands.tell(&format!("the window of `{}` was extended to {}", load.what, again.at));
                Some(again)
            }
            Some(_) | None => {
                let how = match at_end {
                    AtEnd::Drain => "nothing more is read, and what is queued still goes",
                    AtEnd::Pause => "it stops",
                    AtEnd::Overrun => "its tenants go on to their end, and no other begins",
                };
                self.hands.tell(&format!("the window of `{}` closed: {how}", load.what));
                guard.close(at_end);
                None
            }
        }
    }

    async fn too_many_failed(&self, load: &Load<'_>) -> bool {
        let Some(bound) = &load.bound else { return false };
        match self.failed(bound).await {
            Ok(failed) => failed > bound.most,
            Err(error) => {
                tracing::debug!(%error, "nobody can tell how many tenants failed");
                false
            }
        }
    }
}
