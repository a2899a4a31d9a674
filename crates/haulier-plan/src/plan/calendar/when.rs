//! Zones, single times, and stretches of the week.

use std::time::Duration;

use haulier_core::calendar::{Moment, Place, Tenant, Weekly, When, WhenError, Zone, lead};
use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};

use crate::node::{Node, Table};
use crate::{near, scalar};

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A zone by its IANA name.
pub(in crate::plan) fn zone(node: &Node<'_>) -> Option<Zone> {
    Zone::named(&scalar::zone(node)?)
}

/// The zone of a window or blackout, which must be there.
pub(super) fn place(table: &Table<'_>) -> Option<Place> {
    let hint = "a time without a zone is nobody's: `zone = \"Europe/Paris\"`, or `zone = \"tenant\"` for each tenant's own";
    let node = table.need("zone", hint)?;
    if node.value.as_str() == Some("tenant") {
        return Some(Place::Tenant);
    }
    zone(&node).map(Place::Zone)
}

/// Real elapsed time: `45m`, `2h30m`, `7d`.
pub(in crate::plan) fn duration(node: &Node<'_>) -> Option<Duration> {
    let text = node.text()?;
    lead::duration(text.value).or_else(|| {
        node.wrong(
            format!("`{}`: \"{}\" is not a duration", node.key, text.value),
            Some("write numbers and units, at most 366 days: \"45m\", \"2h30m\", \"7d\"".to_owned()),
        )
    })
}

/// The same under a key that may be left out.
pub(in crate::plan) fn duration_of(table: &Table<'_>, key: &'static str) -> Option<Duration> {
    table.get(key).and_then(|node| duration(&node))
}

/// A local time, exact in a zone.
pub(super) fn instant(node: &Node<'_>, zone: &Zone) -> Option<Timestamp> {
    let text = node.text()?;
    match Moment::parse(text.value).and_then(|moment| moment.exact(zone)) {
        Ok(at) => Some(at),
        Err(error) => told(node, &error),
    }
}

/// A day, `2026-06-30`.
pub(super) fn day(node: &Node<'_>) -> Option<Date> {
    let text = node.text()?;
    text.value.parse::<Date>().ok().filter(|_| text.value.len() == 10).or_else(|| {
        node.wrong(
            format!("`{}`: \"{}\" is not a day", node.key, text.value),
            Some("write year, month, day: \"2026-06-30\"".to_owned()),
        )
    })
}

fn told<T>(node: &Node<'_>, error: &WhenError) -> Option<T> {
    node.wrong(format!("`{}`: {error}", node.key), Some(error.hint()))
}

/// `at`, or `days` with `from` and `to`. Single times must exist in the place's zone, or in every tenant's.
pub(super) fn when(table: &Table<'_>, place: Option<&Place>, tenants: &[Tenant]) -> Option<When> {
    let Some(at) = table.get("at") else { return weekly(table) };
    for key in ["days", "from", "to"] {
        if let Some(node) = table.get(key) {
            return node.wrong(
                format!("{} has `at`, which is once, and `{key}`, which is every week", table.what()),
                Some("drop one of the two".to_owned()),
            );
        }
    }
    let text = at.text()?;
    let when = match When::once(text.value) {
        Ok(when) => when,
        Err(error) => return told(&at, &error),
    };
    let checked = match place {
        Some(Place::Zone(zone)) => when.check(zone),
        Some(Place::Tenant) => {
            tenants.iter().filter_map(|tenant| tenant.zone.as_ref()).try_for_each(|zone| when.check(zone))
        }
        None => Ok(()),
    };
    match checked {
        Ok(()) => Some(when),
        Err(error) => told(&at, &error),
    }
}

fn weekly(table: &Table<'_>) -> Option<When> {
    let Some(days) = table.get("days") else {
        table.need(
            "at",
            "write `at = \"2026-05-05T07:00/2026-05-05T12:00\"`, or `days = [\"mon\", \"tue\"]` with `from` and `to`",
        )?;
        return None;
    };
    let known: Vec<&str> = DAYS.iter().map(|(word, _)| *word).collect();
    let mut found: Vec<Weekday> = Vec::new();
    for text in days.texts() {
        match DAYS.iter().find(|(word, _)| *word == text.value) {
            Some((_, day)) => found.push(*day),
            None => days.notes.add_hinted(
                text.at,
                format!("`days`: \"{}\" is not a weekday", text.value),
                near::hint(text.value, &known, "weekdays"),
            ),
        }
    }
    let whole_day = Time::midnight();
    let from = table.get("from").map(|node| clock(&node));
    let to = table.get("to").map(|node| clock(&node));
    let (from, to) = (from.unwrap_or(Some(whole_day))?, to.unwrap_or(Some(whole_day))?);
    let stretch = |day: Weekday| Weekly { day, from, days: u8::from(to <= from), to };
    (!found.is_empty()).then(|| When::Weekly(found.into_iter().map(stretch).collect()))
}

/// A time of day, `22:00`; `24:00` is the day's end.
fn clock(node: &Node<'_>) -> Option<Time> {
    let text = node.text()?;
    if text.value == "24:00" {
        return Some(Time::midnight());
    }
    let fits = text.value.len() == 5 && text.value.as_bytes().get(2) == Some(&b':');
    text.value.parse::<Time>().ok().filter(|_| fits).or_else(|| {
        node.wrong(
            format!("`{}`: \"{}\" is not a time of day", node.key, text.value),
            Some("write hours and minutes: \"22:00\"".to_owned()),
        )
    })
}
