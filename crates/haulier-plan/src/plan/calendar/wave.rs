//! `[[wave]]`: who goes when.

use haulier_core::calendar::{Calendar, MaxFailed, Selector, Wave};
use haulier_core::notice::Notices;

use super::{name, names, notice, tables, when, window};
use crate::near;
use crate::node::{Node, Table};
use crate::shape;

/// A wave with the place of its table.
pub(super) type Placed<'d> = (Table<'d>, Wave);

/// Reads the waves.
pub(super) fn read<'d>(plan: &Table<'d>, calendar: &Calendar, notices: &Notices) -> Vec<Placed<'d>> {
    let mut known = Vec::new();
    let around = Around { calendar, notices, windows: names(plan, "window") };
    tables(plan, "wave").iter().filter_map(|node| wave(node, &around, &mut known)).collect()
}

/// What a wave refers to.
struct Around<'p, 'd> {
    calendar: &'p Calendar,
    notices: &'p Notices,
    windows: Vec<&'d str>,
}

fn wave<'d>(node: &Node<'d>, around: &Around<'_, 'd>, known: &mut Vec<&'d str>) -> Option<Placed<'d>> {
    let table = node.table(&shape::WAVE)?;
    let name = name(&table, "people speak of it by that: `name = \"first\"`", known);
    let hint = "a selector, \"rest\", or a list of keys: `tenants = \"size:small & !event\"`";
    let tenants =
        table.need("tenants", hint).and_then(|node| window::selector(&node, &around.calendar.tenants));
    let day = |key| table.get(key).and_then(|node| when::day(&node));
    let wave = Wave {
        windows: windows(&table, &around.windows),
        parallel: table.get("parallel").and_then(|node| node.number(1, 1_000)?.try_into().ok()),
        soak: when::duration_of(&table, "soak").unwrap_or_default(),
        max_failed: table.get("max_failed").and_then(|node| max_failed(&node)),
        not_before: day("not_before"),
        not_after: day("not_after"),
        audience: table.get("audience").and_then(|node| notice::audience(&node, around.notices)),
        name: name?.to_owned(),
        tenants: tenants?,
    };
    if let (Some(first), Some(last)) = (wave.not_before, wave.not_after)
        && last < first
    {
        table.notes.add(
            table.get("not_after").map_or(table.at, |node| node.at),
            format!("wave \"{}\" must end before it may begin", wave.name),
        );
    }
    Some((table, wave))
}

fn windows(table: &Table<'_>, known: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for text in table.texts("windows") {
        if known.contains(&text.value) {
            found.push(text.value.to_owned());
        } else {
            table.notes.add_hinted(
                text.at,
                format!("`windows` names \"{}\", which the plan does not have", text.value),
                near::hint(text.value, known, "windows"),
            );
        }
    }
    found
}

/// A number of tenants, or `"2%"` of them.
fn max_failed(node: &Node<'_>) -> Option<MaxFailed> {
    if node.value.is_integer() {
        return u32::try_from(node.number(0, 1_000_000)?).ok().map(MaxFailed::Tenants);
    }
    let text = node.text()?;
    let percent = text.value.strip_suffix('%').and_then(|digits| digits.trim().parse::<u32>().ok());
    match percent.filter(|percent| *percent <= 100) {
        Some(percent) => Some(MaxFailed::Percent(percent)),
        None => node.wrong(
            format!("`max_failed`: \"{}\" is neither a number nor a percentage", text.value),
            Some("`max_failed = 2`, or `max_failed = \"2%\"`".to_owned()),
        ),
    }
}

/// Every known tenant goes with one wave, or is excluded; every wave has somebody.
pub(super) fn check_roster(plan: &Table<'_>, waves: &[Placed<'_>], calendar: &Calendar) {
    let place = |name: &str| {
        let found = waves.iter().find(|(_, wave)| wave.name == name);
        found.map_or(plan.at, |(table, _)| table.get("tenants").map_or(table.at, |node| node.at))
    };
    let mut rests = waves.iter().filter(|(_, wave)| wave.tenants == Selector::Rest).skip(1);
    if let Some((_, second)) = rests.next() {
        plan.notes.add(place(&second.name), "only one wave can take the rest");
    }
    if calendar.waves.is_empty() || calendar.tenants.is_empty() {
        return;
    }
    let roster = calendar.roster();
    for (tenant, chosen) in &roster.doubled {
        let second = chosen.get(1).copied().unwrap_or_default();
        plan.notes.hinted(
            place(second),
            format!("tenant \"{}\" is in the waves {}", tenant.key, chosen.join(" and ")),
            "a tenant goes with one wave: narrow one of the selectors, or say \"rest\" here",
        );
    }
    for (wave, tenants) in &roster.waves {
        if tenants.is_empty() && wave.tenants != Selector::Rest {
            plan.notes
                .add(place(&wave.name), format!("wave \"{}\" takes nobody who is not excluded", wave.name));
        }
        let named: &[String] = if let Selector::Keys(keys) = &wave.tenants { keys } else { &[] };
        for (tenant, why) in
            roster.excluded.iter().filter(|(tenant, _)| named.iter().any(|key| tenant.has(key)))
        {
            plan.notes.add(
                place(&wave.name),
                format!("wave \"{}\" names tenant \"{}\", which is excluded: {why}", wave.name, tenant.key),
            );
        }
    }
    // Where a wave could not be read, nobody knows whom it takes.
    if !roster.left.is_empty() && waves.len() == tables(plan, "wave").len() {
        let left: Vec<&str> = roster.left.iter().map(|tenant| tenant.key.as_str()).collect();
        let last = waves.last().map_or(plan.at, |(table, _)| table.at);
        plan.notes.hinted(
            last,
            format!("in no wave: {}", left.join(", ")),
            "add a wave with `tenants = \"rest\"`, or `excluded = \"REASON\"` to the tenant",
        );
    }
}
