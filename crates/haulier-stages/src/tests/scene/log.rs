//! A log in memory that can lose its writer, and a clock that is set.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use async_trait::async_trait;
use haulier_core::port::{Clock, ControllerLease, LedgerError, Micros, StageLog};
use haulier_core::stage::Entry;
use haulier_core::{ProcessId, RunId};

/// A log in memory, which loses its writer at the wanted entry: before it is kept, or after.
#[derive(Debug, Default)]
pub(in crate::tests) struct Log {
    entries: Mutex<Vec<Entry>>,
    lease: Mutex<Option<ControllerLease>>,
    /// Appends that are still let through; the next one fails.
    pub(in crate::tests) left: AtomicUsize,
    /// Whether the one that fails was kept all the same.
    pub(in crate::tests) kept: std::sync::atomic::AtomicBool,
}

impl Log {
    /// One that keeps everything.
    pub(in crate::tests) fn new() -> Self {
        Self { left: AtomicUsize::new(usize::MAX), ..Self::default() }
    }
}

fn dead() -> LedgerError {
    LedgerError::Failed { doing: "dying", cause: "the process was killed".to_owned() }
}

#[async_trait]
impl StageLog for Log {
    async fn append(&self, _: &RunId, known: u64, entries: &[Entry]) -> Result<bool, LedgerError> {
        let mut all = self.entries.lock().unwrap();
        if u64::try_from(all.len()).unwrap() != known {
            return Ok(false);
        }
        let left = self.left.load(Ordering::SeqCst);
        if left == 0 {
            if self.kept.load(Ordering::SeqCst) {
                all.extend_from_slice(entries);
            }
            return Err(dead());
        }
        self.left.store(left - 1, Ordering::SeqCst);
        all.extend_from_slice(entries);
        Ok(true)
    }

    async fn entries(&self, _: &RunId, after: u64) -> Result<Vec<Entry>, LedgerError> {
        let all = self.entries.lock().unwrap();
        Ok(all.iter().filter(|entry| entry.version > after).cloned().collect())
    }

    async fn hold_controller_lease(
        &self,
        _: &RunId,
        process: &ProcessId,
        now: Micros,
        until: Micros,
    ) -> Result<ControllerLease, LedgerError> {
        let mut lease = self.lease.lock().unwrap();
        if let Some(held) = lease.as_ref().filter(|held| held.holder != *process && held.is_live(now)) {
            return Ok(held.clone());
        }
        Ok(lease.insert(ControllerLease { holder: process.clone(), until, since: now }).clone())
    }

    async fn release_controller_lease(&self, _: &RunId, _: &ProcessId) -> Result<(), LedgerError> {
        *self.lease.lock().unwrap() = None;
        Ok(())
    }

    async fn controller_lease(&self, _: &RunId) -> Result<Option<ControllerLease>, LedgerError> {
        Ok(self.lease.lock().unwrap().clone())
    }
}

#[derive(Debug, Default)]
pub(in crate::tests) struct Hour(pub(in crate::tests) AtomicI64);

impl Clock for Hour {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(1_700_000_000_000_000 + self.0.load(Ordering::SeqCst)).unwrap()
    }
}
