//! `[[stage]]`, `[[gate]]`, and what they rest on: people, hooks, checks, the snapshot.

mod gate;
mod hook;
mod order;
mod stage;

use haulier_core::calendar::Calendar;
use haulier_core::plan::{Person, Snapshot, Stages};

use crate::near;
use crate::node::{Node, Table, Text};
use crate::shape;

use super::calendar::when;

/// Reads everything that has to do with stages.
pub(super) fn read(plan: &Table<'_>, calendar: &Calendar) -> Stages {
    let hooks = hook::hooks(plan);
    let checks = hook::checks(plan);
    let people = people(plan);
    let known: Vec<&str> = named(plan, "hooks");
    let stages = stage::read(plan, calendar, &known);
    order::check(plan, &stages);
    let around = gate::Around { stages: &stages, people: &people, checks: named(plan, "checks") };
    let gates = gate::read(plan, &around);
    gate::check_bulk(&stages, &gates);
    let snapshot = plan
        .get("snapshot")
        .and_then(|node| node.table(&shape::SNAPSHOT))
        .and_then(|table| snapshot(&table, &known));
    Stages {
        stages: stages.into_iter().map(|(_, stage)| stage).collect(),
        gates: gates.into_iter().map(|(_, gate)| gate).collect(),
        people,
        hooks,
        checks,
        snapshot,
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

fn people(plan: &Table<'_>) -> Vec<Person> {
    let person = |(name, node): (Text<'_>, Node<'_>)| {
        let table = node.table(&shape::PERSON)?;
        let hint = "what they may do, such as `roles = [\"approver\"]`";
        let roles = table.need("roles", hint).map(|node| node.texts()).unwrap_or_default();
        Some(Person {
            name: name.value.to_owned(),
            roles: roles.iter().map(|role| role.value.to_owned()).collect(),
        })
    };
    own(plan, "people").into_iter().filter_map(person).collect()
}

fn snapshot(table: &Table<'_>, hooks: &[&str]) -> Option<Snapshot> {
    let one = |key: &'static str| table.get(key).and_then(|node| known_hook(table, node.text()?, hooks));
    let take = table.need("take", "a hook of `[hooks]` that takes one: `take = \"snapshot-take\"`");
    Some(Snapshot {
        check: one("check"),
        restore: one("restore"),
        max_age: when::duration_of(table, "max_age"),
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
