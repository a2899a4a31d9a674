//! Counts, and the law that they add up.

use std::collections::BTreeMap;

use crate::{EntityName, RecordState};

/// Counts of one entity in one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityTally {
    /// Rows that became part of the run, counted as they were admitted.
    pub planned: u64,
    /// Records in each state.
    pub states: BTreeMap<RecordState, u64>,
}

impl EntityTally {
    /// Records in one state.
    #[must_use]
    pub fn of(&self, state: RecordState) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// Records that haulier itself still has something to do for.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.states.iter().filter(|(state, _)| state.is_open()).map(|(_, count)| count).sum()
    }

    /// The conservation law: planned = landed + dead + held + skipped + open.
    #[must_use]
    pub fn is_conserved(&self) -> bool {
        self.planned == self.states.values().sum::<u64>()
    }
}

/// What the counts of states do not tell, found by looking at every record of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Survey {
    /// Tenants that have a record in the run so far.
    pub tenants: u64,
    /// Those of them whose every record has landed or is skipped.
    pub tenants_done: u64,
    /// Skipped: landed in an earlier run, and the same since.
    pub unchanged: u64,
    /// Skipped: belongs to no tenant.
    pub without_tenant: u64,
    /// Skipped: an empty reference, where nothing stands in the target.
    pub empty: u64,
    /// Skipped: waived by a person.
    pub waived: u64,
}

/// Counts of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Per entity.
    pub entities: BTreeMap<EntityName, EntityTally>,
}

impl Tally {
    /// All entities together.
    #[must_use]
    pub fn total(&self) -> EntityTally {
        let mut total = EntityTally::default();
        for tally in self.entities.values() {
            total.planned += tally.planned;
            for (state, count) in &tally.states {
                *total.states.entry(*state).or_default() += count;
            }
        }
        total
    }

    /// The conservation law, per entity; the name of the first entity that breaks it.
    pub fn check_conserved(&self) -> Result<(), &EntityName> {
        self.entities.iter().find(|(_, tally)| !tally.is_conserved()).map_or(Ok(()), |(name, _)| Err(name))
    }
}
