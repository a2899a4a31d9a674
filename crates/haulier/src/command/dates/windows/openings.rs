//! `haulier windows list` and `next`: openings, and the deadlines of each.

use haulier_core::calendar::{Deadlines, Opening, Span, Tenant, lead};
use serde::Serialize;
use serde_json::json;

use super::Which;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::Dates;
use crate::ui;

#[derive(Debug, Serialize)]
struct Shown {
    window: String,
    opens: String,
    closes: String,
    seconds: u64,
    extended_seconds: u64,
    cut_by: Option<String>,
    at_end: &'static str,
}

pub(super) fn list(global: &Global, dates: &Dates, which: &Which, days: u16) -> Result<Exit, CliError> {
    let tenant = which.tenant(dates)?;
    let within = Span::from(dates.now, crate::command::dates::days(days));
    let mut found: Vec<(Opening, &'static str)> = Vec::new();
    for window in which.windows(dates)? {
        let openings = dates.calendar.openings(window, tenant, within);
        found.extend(openings.into_iter().map(|opening| (opening, window.at_end.as_str())));
    }
    found.sort_by_key(|(opening, _)| (opening.span.start, opening.window.clone()));
    if global.json {
        for (opening, at_end) in &found {
            ui::json(&Shown {
                window: opening.window.clone(),
                opens: opening.span.start.to_string(),
                closes: opening.span.end.to_string(),
                seconds: opening.span.length().as_secs(),
                extended_seconds: opening.extended.as_secs(),
                cut_by: opening.cut_by.clone(),
                at_end,
            })?;
        }
    } else {
        let rows = found.iter().map(|(opening, at_end)| {
            let mut notes = Vec::new();
            if !opening.extended.is_zero() {
                notes.push(format!("extended by {}", lead::say(opening.extended)));
            }
            if let Some(blackout) = &opening.cut_by {
                notes.push(format!("ended by blackout {blackout}"));
            }
            vec![
                opening.window.clone(),
                dates.say(opening.span.start, tenant),
                dates.say(opening.span.end, tenant),
                lead::say(opening.span.length()),
                (*at_end).to_owned(),
                notes.join("; "),
            ]
        });
        if found.is_empty() {
            ui::line(format!("no opening within {days} days of {}", dates.say(dates.now, tenant)))?;
        } else {
            ui::line(ui::table(&["window", "opens", "closes", "lasts", "at end", "notes"], rows))?;
        }
    }
    Ok(if found.is_empty() { Exit::No } else { Exit::Done })
}

pub(super) fn next(global: &Global, dates: &Dates, which: &Which) -> Result<Exit, CliError> {
    let tenant = which.tenant(dates)?;
    let windows = which.windows(dates)?;
    let needs = dates.calendar.durations.tenant.unwrap_or_default();
    let verdict = dates.calendar.verdict(&windows, tenant, dates.now, needs);
    if global.json {
        let openings: Vec<_> = windows
            .iter()
            .filter_map(|window| {
                let opening = dates.calendar.next_opening(window, tenant, dates.now)?;
                let deadlines = Deadlines::of(&opening, window, &dates.calendar.durations, None);
                let listed: Vec<_> = deadlines
                    .listed()
                    .iter()
                    .map(|(at, what)| json!({ "at": at.to_string(), "what": what }))
                    .collect();
                Some(json!({ "window": window.name, "deadlines": listed }))
            })
            .collect();
        ui::json(&json!({
            "at": dates.now.to_string(), "open": verdict.is_open(), "says": dates.verdict(&verdict, tenant),
            "next": verdict.next().map(|next| next.to_string()), "windows": openings,
        }))?;
    } else {
        ui::line(dates.verdict(&verdict, tenant))?;
        for window in windows {
            if let Some(opening) = dates.calendar.next_opening(window, tenant, dates.now) {
                let deadlines = Deadlines::of(&opening, window, &dates.calendar.durations, None);
                ui::line(format!("\nwindow {}:", window.name))?;
                ui::line(table(dates, &deadlines, tenant))?;
            }
        }
    }
    Ok(if verdict.is_open() { Exit::Done } else { Exit::No })
}

/// The deadlines of a window's next opening.
pub(super) fn deadlines(global: &Global, dates: &Dates, window: &str) -> Result<Exit, CliError> {
    let window = dates.window(window)?;
    let opening = dates.calendar.next_opening(window, None, dates.now);
    if let Some(opening) = opening.filter(|_| !global.json) {
        let deadlines = Deadlines::of(&opening, window, &dates.calendar.durations, None);
        ui::line(table(dates, &deadlines, None))?;
    }
    Ok(Exit::Done)
}

fn table(dates: &Dates, deadlines: &Deadlines, tenant: Option<&Tenant>) -> String {
    let rows = deadlines.listed();
    ui::table(
        &["when", "what"],
        rows.iter().map(|(at, what)| vec![dates.say(*at, tenant), (*what).to_owned()]),
    )
}
