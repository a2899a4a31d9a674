//! `[people]`: who may decide, and when they are there.

use haulier_core::calendar::{Moment, Span, Zone};
use haulier_core::plan::Person;
use jiff::Timestamp;
use jiff::civil::Date;

use super::own;
use crate::node::{Node, Table, Text};
use crate::plan::calendar::when;
use crate::shape;

pub(super) fn read(plan: &Table<'_>, zone: &Zone) -> Vec<Person> {
    own(plan, "people").into_iter().filter_map(|(name, node)| person(name, &node, zone)).collect()
}

fn person(name: Text<'_>, node: &Node<'_>, zone: &Zone) -> Option<Person> {
    let table = node.table(&shape::PERSON)?;
    let hint = "what they may do, such as `roles = [\"approver\"]`";
    let roles = table.need("roles", hint).map(|node| node.texts()).unwrap_or_default();
    let own_zone = table.get("zone").and_then(|node| when::zone(&node));
    let zone = own_zone.as_ref().unwrap_or(zone);
    Some(Person {
        name: name.value.to_owned(),
        roles: roles.iter().map(|role| role.value.to_owned()).collect(),
        away: table.get("away").map(|node| spans(&node, zone)),
        cover: table.get("cover").map(|node| spans(&node, zone)).unwrap_or_default(),
    })
}

/// Each of a list; an empty list is an answer, too.
fn spans(node: &Node<'_>, zone: &Zone) -> Vec<Span> {
    let items = if node.value.is_str() { vec![*node] } else { node.items().unwrap_or_default() };
    items.iter().filter_map(|item| span(item, zone)).collect()
}

fn span(node: &Node<'_>, zone: &Zone) -> Option<Span> {
    let text = node.text()?.value;
    let (first, last) = text.split_once('/').unwrap_or((text, text));
    let both = start(first.trim(), zone).zip(end(last.trim(), zone));
    both.and_then(|(start, end)| Span::new(start, end)).or_else(|| {
        node.wrong(
            format!("`{}`: \"{text}\" is no stretch of time", node.key),
            Some(
                "days, `\"2026-07-03/2026-08-15\"`, or times, `\"2026-07-03T12:00/2026-07-04T08:00\"`"
                    .to_owned(),
            ),
        )
    })
}

fn start(text: &str, zone: &Zone) -> Option<Timestamp> {
    match day(text) {
        Some(day) => midnight(day, zone),
        None => Moment::parse(text).and_then(|moment| moment.exact(zone)).ok(),
    }
}

/// A day ends with it, a time at once.
fn end(text: &str, zone: &Zone) -> Option<Timestamp> {
    match day(text) {
        Some(day) => midnight(day.tomorrow().ok()?, zone),
        None => Moment::parse(text).and_then(|moment| moment.exact(zone)).ok(),
    }
}

fn day(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == 10)
}

fn midnight(day: Date, zone: &Zone) -> Option<Timestamp> {
    zone.rules().to_ambiguous_timestamp(day.into()).compatible().ok()
}
