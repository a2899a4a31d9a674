//! The order of stages: whoever needs another comes after it.

use std::collections::BTreeSet;

use haulier_core::StageName;
use haulier_core::plan::Stage;

use super::stage::Placed;
use crate::near;
use crate::node::Table;

/// Notes needs that nobody can meet.
pub(super) fn check(plan: &Table<'_>, stages: &[Placed<'_>]) {
    let names: Vec<&str> = stages.iter().map(|(_, stage)| stage.name.as_str()).collect();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for (index, (table, stage)) in stages.iter().enumerate() {
        for need in table.texts("needs") {
            let Some(at) = names.iter().position(|name| *name == need.value) else {
                plan.notes.add_hinted(
                    need.at,
                    format!(
                        "stage \"{}\" needs \"{}\", which the plan does not have",
                        stage.name, need.value
                    ),
                    near::hint(need.value, &names, "stages"),
                );
                continue;
            };
            if at == index {
                plan.notes.add(need.at, format!("stage \"{}\" needs itself", stage.name));
            } else if at > index {
                let back = stages.get(at).is_some_and(|(_, other)| reaches(stages, other, &stage.name));
                let problem = if back {
                    format!("stages \"{}\" and \"{}\" need each other", stage.name, need.value)
                } else {
                    format!("stage \"{}\" needs \"{}\", which comes later", stage.name, need.value)
                };
                plan.notes.hinted(need.at, problem, "stages are walked in the order in which they stand");
            }
        }
        for wave in table.texts("waves") {
            if !taken.insert(wave.value) {
                plan.notes.add(wave.at, format!("wave \"{}\" is in another stage already", wave.value));
            }
        }
    }
}

/// Whether a stage needs another, itself or through others.
pub(super) fn reaches(stages: &[Placed<'_>], from: &Stage, wanted: &StageName) -> bool {
    let (mut open, mut seen) = (from.needs.clone(), BTreeSet::new());
    while let Some(name) = open.pop() {
        if name == *wanted {
            return true;
        }
        if seen.insert(name.clone())
            && let Some((_, stage)) = stages.iter().find(|(_, stage)| stage.name == name)
        {
            open.extend(stage.needs.iter().cloned());
        }
    }
    false
}
