//! `[[gate]]`: the closed door before a stage.

use std::time::Duration;

use haulier_core::StageName;
use haulier_core::plan::{Approvers, BUILT_IN_CHECKS, Gate, OnTimeout, Person, StageKind};
use haulier_core::stage::Weight;

use super::order::reaches;
use super::stage::Placed;
use crate::near;
use crate::node::{Node, Table};
use crate::plan::calendar::{tables, when};
use crate::shape;

/// Who may open a gate where the plan does not say.
const ROLE: &str = "approver";
/// How long evidence may be decided on where the plan says nothing.
const FRESH_FOR: Duration = Duration::from_hours(4);
/// How long a go is good where the plan says nothing.
const EXPIRES: Duration = Duration::from_hours(24);

/// What gates refer to.
pub(super) struct Around<'p, 'd> {
    pub(super) stages: &'p [Placed<'d>],
    pub(super) people: &'p [Person],
    pub(super) checks: Vec<&'d str>,
}

pub(super) fn read<'d>(plan: &Table<'d>, around: &Around<'_, 'd>) -> Vec<(Table<'d>, Gate)> {
    let mut gates: Vec<(Table<'d>, Gate)> = Vec::new();
    for node in tables(plan, "gate") {
        let Some((table, gate)) = gate(&node, around) else { continue };
        if gates.iter().any(|(_, other)| other.before == gate.before) {
            let at = table.get("before").map_or(table.at, |node| node.at);
            table.notes.add(at, format!("there is another gate before \"{}\"", gate.before));
            continue;
        }
        gates.push((table, gate));
    }
    gates
}

fn gate<'d>(node: &Node<'d>, around: &Around<'_, 'd>) -> Option<(Table<'d>, Gate)> {
    let table = node.table(&shape::GATE)?;
    let names: Vec<&str> = around.stages.iter().map(|(_, stage)| stage.name.as_str()).collect();
    let before = table.need("before", "the stage behind it: `before = \"bulk\"`").and_then(|node| {
        let text = node.text()?;
        if names.contains(&text.value) {
            return Some(StageName::new(text.value));
        }
        node.wrong(format!("there is no stage \"{}\"", text.value), near::hint(text.value, &names, "stages"))
    });
    let words = [("hold", OnTimeout::Hold), ("no-go", OnTimeout::NoGo)];
    let approvers = approvers(&table, around);
    let gate = Gate {
        checks: checks(&table, around),
        override_role: table.owned("override_role").unwrap_or_else(|| approvers.role.clone()),
        approvers,
        fresh_for: when::duration_of(&table, "fresh_for").unwrap_or(FRESH_FOR),
        expires: when::duration_of(&table, "expires").unwrap_or(EXPIRES),
        due: when::duration_of(&table, "due"),
        on_timeout: table.word("on_timeout", &words, OnTimeout::Hold),
        auto: table.flag("auto", false),
        before: before?,
    };
    Some((table, gate))
}

fn checks(table: &Table<'_>, around: &Around<'_, '_>) -> Vec<(Weight, String)> {
    let known: Vec<&str> =
        BUILT_IN_CHECKS.iter().map(|(name, _)| *name).chain(around.checks.iter().copied()).collect();
    let mut found: Vec<(Weight, String)> = Vec::new();
    for (key, weight) in [("must", Weight::Must), ("should", Weight::Should)] {
        // A gate without checks of one weight is no mistake.
        if table.get(key).is_some_and(|node| node.value.as_array().is_some_and(|items| items.is_empty())) {
            continue;
        }
        for text in table.texts(key) {
            if !known.contains(&text.value) {
                table.notes.add_hinted(
                    text.at,
                    format!("there is no check \"{}\"", text.value),
                    near::hint(text.value, &known, "checks"),
                );
            } else if found.iter().any(|(_, name)| name == text.value) {
                table.notes.add(text.at, format!("check \"{}\" stands twice", text.value));
            } else {
                found.push((weight, text.value.to_owned()));
            }
        }
    }
    found
}

/// Who approves, where at least so many can.
pub(super) fn approvers(table: &Table<'_>, around: &Around<'_, '_>) -> Approvers {
    let own = table.get("approvers").and_then(|node| node.table(&shape::APPROVERS));
    let role = own.and_then(|table| table.owned("role")).unwrap_or_else(|| ROLE.to_owned());
    let min = own.map_or(1, |table| table.number("min", 1, 20, 1));
    let not_the_starter = own.is_none_or(|table| table.flag("not_the_starter", true));
    let able = around.people.iter().filter(|person| person.roles.contains(&role)).count();
    let needed = usize::try_from(min).unwrap_or(usize::MAX);
    if able < needed {
        let at = own.map_or(table.at, |own| own.get("role").map_or(own.at, |node| node.at));
        table.notes.hinted(
            at,
            format!("{} takes {min} with the role \"{role}\", and {able} of `[people]` have it", the(table)),
            format!("`[people.NAME]` with `roles = [\"{role}\"]`"),
        );
    }
    Approvers { role, min, not_the_starter }
}

fn the(table: &Table<'_>) -> &'static str {
    if table.holds("before") { "the gate" } else { "going back" }
}

/// Who approves where the plan does not say.
pub(super) fn usual() -> Approvers {
    Approvers { role: ROLE.to_owned(), min: 1, not_the_starter: true }
}

/// Bulk begins behind a gate, and after a smoke stage: that is what both are for.
pub(super) fn check_bulk(stages: &[Placed<'_>], gates: &[(Table<'_>, Gate)]) {
    let smokes: Vec<&StageName> = stages
        .iter()
        .filter(|(_, stage)| stage.kind == StageKind::Smoke)
        .map(|(_, stage)| &stage.name)
        .collect();
    for (table, bulk) in stages.iter().filter(|(_, stage)| stage.kind == StageKind::Bulk) {
        if !smokes.iter().any(|smoke| reaches(stages, bulk, smoke)) {
            table.notes.hinted(
                table.at,
                format!("stage \"{}\" does not need a smoke stage", bulk.name),
                "a few tenants go first: a stage of the kind \"smoke\", and `needs = [\"smoke\"]` here",
            );
        }
        if !gates.iter().any(|(_, gate)| gate.before == bulk.name) {
            table.notes.hinted(
                table.at,
                format!("no gate stands before stage \"{}\"", bulk.name),
                format!("a person opens it: `[[gate]]` with `before = \"{}\"`", bulk.name),
            );
        }
    }
}
