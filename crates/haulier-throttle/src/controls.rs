//! What a side of this process obeys, and can be changed while it is in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::{Flow, Meter, Slots, Tenants};

/// How far a side takes in new work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing begins.
    Closed,
    /// What is in hand goes on to its end, nothing is taken in.
    Draining,
    /// It works.
    Open,
}

/// The live controls of one side in one process. They start closed: nothing begins before the run's control is known.
#[derive(Debug)]
pub struct Controls {
    /// Walks, or pushes, at a time.
    pub slots: Slots,
    /// Records, or requests, a second.
    pub flow: Flow,
    /// Tenants that the target lets nothing in for.
    pub tenants: Tenants,
    gate: watch::Sender<Gate>,
    chunk: AtomicU32,
}

impl Controls {
    /// Closed controls, which count here.
    #[must_use]
    pub fn new(meter: Arc<Meter>) -> Self {
        let slots = Slots::new(0);
        let flow = Flow::measured(None, meter).with_slots(slots.clone());
        Self {
            slots,
            flow,
            tenants: Tenants::default(),
            gate: watch::Sender::new(Gate::Closed),
            chunk: AtomicU32::new(1),
        }
    }

    /// The same, with a breaker that leaves a target alone for so long.
    #[must_use]
    pub fn with_breaker(mut self, open_for: Duration) -> Self {
        self.flow = self.flow.with_breaker(open_for);
        self
    }

    /// Pushes with a request under way. Those that have a slot and wait for the rate, or for what holds the target, are not among them.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.slots.out().saturating_sub(self.flow.waiting())
    }

    /// Most rows of one read.
    #[must_use]
    pub fn chunk(&self) -> u32 {
        self.chunk.load(Ordering::Relaxed)
    }

    /// Sets the most rows of one read, for the next one.
    pub fn set_chunk(&self, rows: u32) {
        self.chunk.store(rows.max(1), Ordering::Relaxed);
    }

    /// How far the side takes in work, to wait for its changes.
    #[must_use]
    pub fn gate(&self) -> watch::Receiver<Gate> {
        self.gate.subscribe()
    }

    /// Opens or closes the intake.
    pub fn set_gate(&self, gate: Gate) {
        self.gate.send_if_modified(|old| std::mem::replace(old, gate) != gate);
    }
}
