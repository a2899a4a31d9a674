//! `[[window]]` and `[[blackout]]`: when work may run, and when it must not.

use std::time::Duration;

use haulier_core::calendar::{
    AtEnd, Blackout, Calendar, DECISION_POINT, Deadlines, Durations, Opening, Place, Selector, Span, Tenant,
    Window, lead,
};
use jiff::Timestamp;

use super::{name, tables, when};
use crate::node::{Node, Table};
use crate::shape;

/// A window with the place of its table.
pub(super) type Placed<'d> = (Table<'d>, Window);

/// Reads the windows.
pub(super) fn windows<'d>(plan: &Table<'d>, tenants: &[Tenant], durations: &Durations) -> Vec<Placed<'d>> {
    let mut known = Vec::new();
    tables(plan, "window").iter().filter_map(|node| window(node, tenants, durations, &mut known)).collect()
}

fn window<'d>(
    node: &Node<'d>,
    tenants: &[Tenant],
    durations: &Durations,
    known: &mut Vec<&'d str>,
) -> Option<Placed<'d>> {
    let table = node.table(&shape::WINDOW)?;
    let name = name(&table, "waves and stages know it by that: `name = \"release\"`", known);
    let place = when::place(&table);
    let when = when::when(&table, place.as_ref(), tenants);
    // A point that nobody named never comes too late for a restore.
    let usual = DECISION_POINT.max(way_back(durations));
    let window = Window {
        cutoff: when::duration_of(&table, "cutoff"),
        at_end: table.word("at_end", &AtEnd::ALL, AtEnd::default()),
        decision_point: when::duration_of(&table, "decision_point").unwrap_or(usual),
        max_extension: when::duration_of(&table, "max_extension").unwrap_or_default(),
        restore_may_overrun: table.flag("restore_may_overrun", false),
        extended: Vec::new(),
        name: name?.to_owned(),
        place: place?,
        when: when?,
    };
    Some((table, window))
}

/// How long it takes to go back, and to see that one is.
fn way_back(durations: &Durations) -> Duration {
    let smoke = durations.smoke.unwrap_or_default();
    durations.restore.map_or(Duration::ZERO, |restore| restore.saturating_add(smoke))
}

/// Notes windows in which a restore that is decided at the decision point would end too late.
pub(super) fn check_ways_back(windows: &[Placed<'_>], durations: &Durations) {
    // The distances do not depend on the day: any opening serves.
    let any = Span { start: Timestamp::UNIX_EPOCH, end: Timestamp::UNIX_EPOCH };
    for (table, window) in windows.iter().filter(|(_, window)| !window.restore_may_overrun) {
        let opening = Opening {
            window: window.name.clone(),
            span: any,
            planned: any,
            extended: Duration::ZERO,
            cut_by: None,
        };
        if Deadlines::of(&opening, window, durations, None).can_go_back() {
            continue;
        }
        let needs = way_back(durations);
        let said_here = table.get("decision_point").map(|node| node.at);
        table.notes.hinted(
            said_here.unwrap_or(table.at),
            format!(
                "window \"{}\": the decision point, {} before the end, is later than the last safe rollback, {} before it \
                 (restore and smoke)",
                window.name,
                lead::say(window.decision_point),
                lead::say(needs)
            ),
            format!(
                "`decision_point = \"{}\"`, or `restore_may_overrun = true` if a restore may end after the window",
                lead::say(needs)
            ),
        );
    }
}

/// Reads the blackouts.
pub(super) fn blackouts(plan: &Table<'_>, tenants: &[Tenant]) -> Vec<Blackout> {
    let mut known = Vec::new();
    tables(plan, "blackout").iter().filter_map(|node| blackout(node, tenants, &mut known)).collect()
}

fn blackout<'d>(node: &Node<'d>, tenants: &[Tenant], known: &mut Vec<&'d str>) -> Option<Blackout> {
    let table = node.table(&shape::BLACKOUT)?;
    let name = name(&table, "people ask why nothing runs: `name = \"month end\"`", known);
    let place = when::place(&table);
    let when = when::when(&table, place.as_ref(), tenants);
    let selector = match table.get("tenants") {
        Some(node) => Some(selector(&node, tenants)?),
        None => None,
    };
    if let (Some(node), Some(Selector::Rest)) = (table.get("tenants"), &selector) {
        return node.wrong("a blackout cannot be for the rest: only waves know who that is", None);
    }
    if let (Some(Place::Tenant), None | Some(Selector::All)) = (&place, &selector)
        && tenants.iter().all(|tenant| tenant.zone.is_none())
    {
        node.notes.add(table.at, "a blackout in the tenants' zones, but no tenant has a zone");
    }
    Some(Blackout {
        name: name?.to_owned(),
        tenants: selector.unwrap_or(Selector::All),
        place: place?,
        when: when?,
        said_by: table.owned("said_by"),
    })
}

/// A selector, or a list of keys; it must take somebody where tenants are known.
pub(super) fn selector(node: &Node<'_>, tenants: &[Tenant]) -> Option<Selector> {
    if node.value.is_array() {
        let keys = node.texts();
        let named: Vec<&str> = tenants.iter().map(|tenant| tenant.key.as_str()).collect();
        if !tenants.is_empty() {
            for key in keys.iter().filter(|key| !named.contains(&key.value)) {
                node.notes.add_hinted(
                    key.at,
                    format!("`tenants` names \"{}\", which `[tenants]` does not have", key.value),
                    crate::near::hint(key.value, &named, "tenants"),
                );
            }
        }
        return Some(Selector::Keys(keys.iter().map(|key| key.value.to_owned()).collect()));
    }
    let text = node.text()?;
    let selector = match Selector::parse(text.value) {
        Ok(selector) => selector,
        Err(error) => {
            let hint = "tags with `&`, `|`, `!` and brackets, `all`, `rest`, or a list of keys";
            return node.wrong(format!("`tenants`: {error}"), Some(hint.to_owned()));
        }
    };
    let calendar = Calendar { tenants: tenants.to_vec(), ..Calendar::default() };
    if selector != Selector::Rest
        && selector != Selector::All
        && !calendar.tenants.iter().any(|t| selector.takes(t))
    {
        let mut tags: Vec<&str> =
            tenants.iter().flat_map(|tenant| tenant.tags.iter().map(String::as_str)).collect();
        tags.sort_unstable();
        tags.dedup();
        let slip = selector.tags().into_iter().find(|tag| !tenants.iter().any(|tenant| tenant.has(tag)));
        let hint = slip.and_then(|slip| crate::near::hint(slip, &tags, "tags"));
        return node.wrong(format!("`tenants`: \"{}\" takes nobody", text.value), hint);
    }
    Some(selector)
}
