//! Whether a raise brought what it cost.

use super::{Raise, Tolerance};

impl Raise {
    /// Whether the throughput grew by too little for the workers that were added: the target is full, and more workers
    /// only wait in its line.
    pub(super) fn was_in_vain(&self, workers: u32, throughput: f64, tolerance: &Tolerance) -> bool {
        let from = f64::from(self.from.max(1));
        let share = (f64::from(workers) - from) / from;
        workers > self.from && throughput < self.throughput * (1.0 + tolerance.plateau_gain * share)
    }
}
