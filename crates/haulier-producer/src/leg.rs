//! A leg: a part of a run's tenants, walked by itself, with cursors of its own.

use std::collections::HashSet;
use std::sync::Arc;

use haulier_core::plan::{Entity, TenantPath};
use haulier_core::{Row, SourceKey, TenantKey};

/// Numbers of walks that each leg has for itself.
const WALKS: u32 = 100_000;

/// Whose records are walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Everybody's.
    All,
    /// Those of these tenants, and what belongs to no tenant by the plan.
    Only(Arc<HashSet<TenantKey>>),
    /// All but those of these tenants.
    AllBut(Arc<HashSet<TenantKey>>),
}

impl Choice {
    fn takes(&self, entity: &Entity, row: &Row) -> bool {
        match (self, &row.tenant) {
            (Self::All, _) | (Self::AllBut(_), None) => true,
            (Self::AllBut(spared), Some(tenant)) => !spared.contains(tenant),
            (Self::Only(wanted), Some(tenant)) => wanted.contains(tenant),
            // Shared records come before all tenants; a row that lost its tenant is nobody's that was chosen.
            (Self::Only(_), None) => entity.tenant == TenantPath::None,
        }
    }

    /// The entity with these tenants' rows alone, where the source can be asked for them.
    fn narrowed(&self, entity: &Entity) -> Option<Entity> {
        match self {
            Self::All | Self::AllBut(_) => None,
            Self::Only(wanted) => {
                entity.of_tenants(wanted.iter().map(|tenant| SourceKey::from_canonical(tenant.as_str())))
            }
        }
    }
}

/// One leg of a run that has several. Its end is not the run's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Another for each leg of the run, and the same when it is taken up again.
    pub number: u32,
    /// Whose records it walks.
    pub tenants: Choice,
}

impl Leg {
    pub(crate) fn takes(&self, entity: &Entity, row: &Row) -> bool {
        self.tenants.takes(entity, row)
    }

    pub(crate) fn narrowed(&self, entity: &Entity) -> Option<Entity> {
        self.tenants.narrowed(entity)
    }

    /// The number of its first walk.
    pub(crate) fn first_walk(&self) -> u32 {
        self.number.saturating_mul(WALKS)
    }

    /// Whether a walk is one of its own.
    pub(crate) fn has_walk(&self, number: u32) -> bool {
        number / WALKS == self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leg_has_walks_of_its_own() {
        let leg = |number| Leg { number, tenants: Choice::All };
        for number in [0, 1, 7] {
            let first = leg(number).first_walk();
            assert!(leg(number).has_walk(first) && leg(number).has_walk(first + WALKS - 1));
            assert!(!leg(number + 1).has_walk(first) && !leg(number).has_walk(first + WALKS));
        }
    }
}
