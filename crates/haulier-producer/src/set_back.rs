//! A clock that was ahead and was set back: what it put off, and who seems to live in the future.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use haulier_core::ProcessId;
use haulier_core::port::{Due, LedgerError, Micros, ProcessBeat};
use haulier_throttle::patiently;

use crate::ProduceError;
use crate::shared::Shared;
use crate::sweep::after;

/// How often is looked for signs of life from the future.
const LOOK: Duration = Duration::from_secs(2);

/// What has been seen of the future. Whatever is found is first left alone for as long as it would have been by a clock that is
/// right: counted from here by a clock that nobody sets.
#[derive(Debug, Default)]
pub(crate) struct SetBack {
    looked: Option<Instant>,
    /// Signs of life from the future, and since when they are the last ones.
    signs: HashMap<ProcessId, (Micros, Instant)>,
    /// Since when nothing is due but what lies beyond any wait.
    stranded: Option<Instant>,
}

impl SetBack {
    /// Takes processes for dead whose last sign of life lies in the future and is not followed by another one.
    pub(crate) async fn look(&mut self, shared: &Shared) -> Result<(), ProduceError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let silent_after = shared.settings.silent_after;
        let read = || shared.ledger.processes(&shared.run);
        let beats = patiently("the ledger", &shared.stop, LedgerError::is_passing, read).await?;
        for beat in self.silent(beats, after(shared.clock.micros(), silent_after), silent_after) {
            tracing::warn!(
                process = %beat.process,
                "a process fell silent whose clock was ahead; what it was sending is looked up before it is sent again"
            );
            let long_ago = ProcessBeat { at: 0, ..beat };
            let note = || shared.ledger.beat(&long_ago);
            patiently("the ledger", &shared.stop, LedgerError::is_passing, note).await?;
        }
        Ok(())
    }

    fn silent(
        &mut self,
        beats: Vec<ProcessBeat>,
        future: Micros,
        silent_after: Duration,
    ) -> Vec<ProcessBeat> {
        let now = Instant::now();
        let strange: Vec<ProcessBeat> =
            beats.into_iter().filter(|beat| !beat.ended && beat.at > future).collect();
        self.signs
            .retain(|process, (at, _)| strange.iter().any(|beat| beat.process == *process && beat.at == *at));
        strange
            .into_iter()
            .filter(|beat| {
                let (_, since) = self.signs.entry(beat.process.clone()).or_insert((beat.at, now));
                now.duration_since(*since) >= silent_after
            })
            .collect()
    }

    /// Records that are due later than anything can be, once nothing else is, and once a request that was given up when
    /// they were put off can act no more.
    pub(crate) async fn stranded(
        &mut self,
        shared: &Shared,
        now: Micros,
        limit: u32,
    ) -> Result<Vec<Due>, ProduceError> {
        let horizon = after(now, shared.longest_wait);
        let next = || shared.ledger.next_due(&shared.run);
        let next = patiently("the ledger", &shared.stop, LedgerError::is_passing, next).await?;
        if next.is_none_or(|next| next <= horizon) {
            self.stranded = None;
            return Ok(Vec::new());
        }
        let since = *self.stranded.get_or_insert_with(Instant::now);
        if since.elapsed() < shared.settings.zombie_grace {
            return Ok(Vec::new());
        }
        let due = || shared.ledger.due(&shared.run, Micros::MAX, limit);
        let due = patiently("the ledger", &shared.stop, LedgerError::is_passing, due).await?;
        tracing::warn!(
            records = due.len(),
            "records were put off by a clock that was ahead; they are sent now"
        );
        Ok(due.into_iter().filter(|due| due.since > horizon).collect())
    }
}
