//! `[[stage]]`, `[[gate]]`, and what they rest on: people, hooks, checks, the snapshot.

mod gate;
mod hook;
mod order;
mod people;
mod readiness;
mod stage;

use haulier_core::calendar::Calendar;
use haulier_core::plan::{Snapshot, Stages};

use crate::near;
use crate::node::{Node, Table, Text};
use crate::shape;

use super::calendar::when;

/// Reads everything that has to do with stages.
pub(super) fn read(plan: &Table<'_>, calendar: &Calendar) -> Stages {
    let hooks = hook::hooks(plan);
    let checks = hook::checks(plan);
    let people = people::read(plan, &calendar.zone);
    let known: Vec<&str> = named(plan, "hooks");
    let stages = stage::read(plan, calendar, &known);
    order::check(plan, &stages);
    let around = gate::Around { stages: &stages, people: &people, checks: named(plan, "checks") };
    let gates = gate::read(plan, &around);
    gate::check_bulk(&stages, &gates);
    let snapshot = plan
        .get("snapshot")
        .and_then(|node| node.table(&shape::SNAPSHOT))
        .and_then(|table| snapshot(&table, &known, &around));
    Stages {
        stages: stages.into_iter().map(|(_, stage)| stage).collect(),
        gates: gates.into_iter().map(|(_, gate)| gate).collect(),
        people,
        questions: readiness::questions(plan),
        hooks,
        checks,
        snapshot,
        write_probe: readiness::write_probe(plan),
    }
}

/// The names in a table of tables, also where the rest of one is wrong.
fn named<'d>(plan: &Table<'d>, key: &'static str) -> Vec<&'d str> {
    let table = plan.get(key).and_then(|node| node.value.as_table());
    table.map(|table| table.keys().map(|name| &**name.get_ref()).collect()).unwrap_or_default()
}

/// The tables under names of the writer's own.
fn own<'d>(plan: &Table<'d>, key: &'static str) -> Vec<(Text<'d>, Node<'d>)> {
    plan.get(key).map(|node| node.entries()).unwrap_or_default()
}

fn snapshot(table: &Table<'_>, hooks: &[&str], around: &gate::Around<'_, '_>) -> Option<Snapshot> {
    let one = |key: &'static str| table.get(key).and_then(|node| known_hook(table, node.text()?, hooks));
    let take = table.need("take", "a hook of `[hooks]` that takes one: `take = \"snapshot-take\"`");
    Some(Snapshot {
        check: one("check"),
        restore: one("restore"),
        max_age: when::duration_of(table, "max_age"),
        // Without a way back nobody has to decide on one.
        approvers: if table.has("restore") || table.has("approvers") {
            gate::approvers(table, around)
        } else {
            gate::usual()
        },
        take: take.and_then(|node| known_hook(table, node.text()?, hooks))?,
    })
}

/// The name of a hook, where there is one of that name.
fn known_hook(table: &Table<'_>, name: Text<'_>, hooks: &[&str]) -> Option<String> {
    if hooks.contains(&name.value) {
        return Some(name.value.to_owned());
    }
    table.notes.add_hinted(
        name.at,
        format!("there is no hook \"{}\"", name.value),
        near::hint(name.value, hooks, "`[hooks]` has"),
    );
    None
}
