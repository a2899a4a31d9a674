//! `[durations]`: what people say, and what rehearsals measured.

use std::time::Duration;

use haulier_core::calendar::Durations;

use super::when;
use crate::node::Table;
use crate::shape;

/// Reads the table, which may be left out.
pub(super) fn read(plan: &Table<'_>) -> Durations {
    let Some(table) = plan.get("durations").and_then(|node| node.table(&shape::DURATIONS)) else {
        return Durations::default();
    };
    let mut stages = Vec::new();
    for (name, node) in table.get("stages").map(|node| node.entries()).unwrap_or_default() {
        let seen: Vec<Duration> = if node.value.is_array() {
            node.items().unwrap_or_default().iter().filter_map(when::duration).collect()
        } else {
            when::duration(&node).into_iter().collect()
        };
        stages.push((name.value.to_owned(), seen));
    }
    Durations {
        snapshot: when::duration_of(&table, "snapshot"),
        snapshot_check: when::duration_of(&table, "snapshot_check"),
        restore: when::duration_of(&table, "restore"),
        smoke: when::duration_of(&table, "smoke"),
        tenant: when::duration_of(&table, "tenant"),
        stages,
    }
}
