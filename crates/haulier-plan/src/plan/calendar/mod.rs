//! Time and tenants in a plan: schedule, durations, tenants, windows, blackouts, waves, notices.

mod durations;
mod notice;
mod task;
mod tenant;
mod wave;
pub(super) mod when;
mod window;

use haulier_core::calendar::{Calendar, Zone};
use haulier_core::notice::{Impact, Notices};

use crate::node::{Node, Table};
use crate::shape;

/// What the plan says of them, and of whom is told.
pub(crate) struct Dates {
    pub(crate) calendar: Calendar,
    pub(crate) notices: Notices,
}

/// Reads everything that has to do with time.
pub(super) fn read(plan: &Table<'_>) -> Dates {
    let schedule = plan.get("schedule").and_then(|node| node.table(&shape::SCHEDULE));
    let zone = schedule.as_ref().and_then(|table| when::zone(&table.get("zone")?));
    let mut calendar = Calendar { zone: zone.unwrap_or_else(Zone::utc), ..Calendar::default() };
    calendar.durations = durations::read(plan);
    calendar.tenants = tenant::read(plan, &calendar.zone);
    let windows = window::windows(plan, &calendar.tenants, &calendar.durations);
    calendar.windows = windows.iter().map(|(_, window)| window.clone()).collect();
    window::check_ways_back(&windows, &calendar.durations);
    calendar.blackouts = window::blackouts(plan, &calendar.tenants);
    let mut notices = Notices { audiences: notice::audiences(plan), ..Notices::default() };
    let waves = wave::read(plan, &calendar, &notices);
    calendar.waves = waves.iter().map(|(_, wave)| wave.clone()).collect();
    wave::check_roster(plan, &waves, &calendar);
    if let Some(table) = &schedule {
        calendar.committed = table.flag("committed", false);
        calendar.t0 = table.get("t0").and_then(|node| when::instant(&node, &calendar.zone));
        notices.support = table.owned("support");
        notices.benefit = table.owned("benefit");
        notices.impact = table.get("impact").and_then(|node| node.word(&Impact::ALL));
    }
    calendar.tasks = task::read(plan, &calendar);
    notice::read(plan, &calendar, &mut notices);
    Dates { calendar, notices }
}

/// The tables of a list of tables; a single table is told.
pub(super) fn tables<'d>(plan: &Table<'d>, key: &'static str) -> Vec<Node<'d>> {
    let Some(node) = plan.get(key) else { return Vec::new() };
    if node.value.is_table() {
        node.notes.hinted(
            node.at,
            format!("`{key}` is a list of tables"),
            format!("write `[[{key}]]` with two brackets"),
        );
        return Vec::new();
    }
    node.items().unwrap_or_default()
}

/// Every name that these tables give, also where the rest of a table is wrong.
pub(super) fn names<'d>(plan: &Table<'d>, key: &'static str) -> Vec<&'d str> {
    let tables = tables(plan, key);
    let name = |node: &Node<'d>| node.value.as_table()?.get("name")?.get_ref().as_str();
    tables.iter().filter_map(name).collect()
}

/// A name that stands once.
pub(super) fn name<'d>(table: &Table<'d>, hint: &str, known: &mut Vec<&'d str>) -> Option<&'d str> {
    let node = table.need("name", hint)?;
    let text = node.text()?;
    let fits = text.value.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.'));
    if !fits || text.value.len() > 64 {
        return node.wrong(
            format!("\"{}\" is not a name", text.value),
            Some("at most 64 bytes of letters, digits, blanks, `-`, `_` and `.`".to_owned()),
        );
    }
    if known.contains(&text.value) {
        return node.wrong(format!("there is another \"{}\"", text.value), None);
    }
    known.push(text.value);
    Some(text.value)
}
