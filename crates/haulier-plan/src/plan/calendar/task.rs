//! `[[task]]`: what people have to do before the day.

use haulier_core::calendar::{Calendar, Lead, Task};

use super::{name, tables};
use crate::node::Table;
use crate::shape;

/// Reads the tasks.
pub(super) fn read(plan: &Table<'_>, calendar: &Calendar) -> Vec<Task> {
    let mut known = Vec::new();
    let tables = tables(plan, "task");
    let tasks = tables.iter().filter_map(|node| task(&node.table(&shape::TASK)?, &mut known)).collect();
    if let (Some(first), None) = (tables.first(), calendar.t0) {
        first.notes.hinted(
            first.at,
            "tasks are counted from T0, which has no date",
            "`t0 = \"2026-05-05T07:00\"` in `[schedule]`",
        );
    }
    tasks
}

fn task<'d>(table: &Table<'d>, known: &mut Vec<&'d str>) -> Option<Task> {
    let name = name(table, "`name = \"tell the hubs\"`", known);
    let owner = table.need("owner", "who does it: what nobody owns is not done");
    let at = table.need("at", "by when, counted from T0: `at = \"T-3w\"`").and_then(|node| {
        let text = node.text()?;
        Lead::parse(text.value).or_else(|| {
            node.wrong(
                format!("`at`: \"{}\" is no distance from T0", text.value),
                Some("write `T-3w`, `T-1d` or `T+2h`; days and weeks are the calendar's".to_owned()),
            )
        })
    });
    let owner = owner.and_then(|node| Some(node.text()?.value.to_owned()));
    Some(Task { name: name?.to_owned(), at: at?, owner: owner? })
}
