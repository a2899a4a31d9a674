//! `haulier windows overlap`: hours that are day in several zones at once.

use haulier_core::calendar::{Span, Zone, lead, overlap};
use jiff::civil::{Time, Weekday};
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, unknown};
use crate::ui;

pub(super) fn zones(dates: &Dates, named: &[String]) -> Result<Vec<Zone>, CliError> {
    let mut zones: Vec<Zone> = Vec::new();
    let usual = std::iter::once(dates.calendar.zone.clone());
    let tenants = dates.calendar.tenants.iter().filter_map(|tenant| tenant.zone.clone());
    let found: Vec<Zone> = if named.is_empty() {
        usual.chain(tenants).collect()
    } else {
        let zone = |name: &String| {
            let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
            Zone::named(name).ok_or_else(|| unknown("time zone", name, known.iter().map(String::as_str)))
        };
        named.iter().map(zone).collect::<Result<_, _>>()?
    };
    for zone in found {
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    Ok(zones)
}

pub(super) fn run(
    global: &Global,
    dates: &Dates,
    zones: &[Zone],
    (from, to): (Time, Time),
    days: u16,
    weekends: bool,
) -> Result<Exit, CliError> {
    let all = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];
    let week: Vec<Weekday> = all.into_iter().take(if weekends { 7 } else { 5 }).collect();
    let found = overlap(zones, &week, from, to, Span::from(dates.now, crate::command::dates::days(days)));
    if global.json {
        for span in &found {
            ui::json(&json!({
                "from": span.start.to_string(), "to": span.end.to_string(), "seconds": span.length().as_secs(),
                "zones": zones.iter().map(Zone::name).collect::<Vec<_>>(),
            }))?;
        }
    } else if found.is_empty() {
        ui::line("there is no such hour")?;
    } else {
        let mut head = vec!["UTC", "lasts"];
        head.extend(zones.iter().map(Zone::name).filter(|name| *name != "UTC"));
        let rows = found.iter().map(|span| {
            let clock = |zone: &Zone| {
                let (start, end) = (zone.local(span.start), zone.local(span.end));
                format!("{} - {}", start.strftime("%a %d %H:%M"), end.strftime("%H:%M"))
            };
            let mut row = vec![clock(&Zone::utc()), lead::say(span.length())];
            row.extend(zones.iter().filter(|zone| zone.name() != "UTC").map(clock));
            row
        });
        ui::line(ui::table(&head, rows))?;
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}
