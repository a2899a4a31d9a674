//! `haulier windows`: when work may run.

use std::time::Duration;

use haulier_core::calendar::{Amendment, Deadlines, Opening, Span, Tenant, Zone, lead, overlap};
use jiff::civil::{Time, Weekday};
use serde::Serialize;
use serde_json::json;

use super::suggest::{self, SuggestArgs};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen, Why, instant, unknown};
use crate::ui;

/// Show when work may run, and change it
///
/// Every time is shown in UTC, in the schedule's zone, and in the tenant's where one is named.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List openings: window less blackouts, with what ends each
    List {
        #[command(flatten)]
        seen: Seen,
        #[command(flatten)]
        which: Which,
        /// So many days ahead
        #[arg(long, default_value_t = 14)]
        days: u16,
    },
    /// Say whether work may begin, and when next, with the deadlines of each window's next opening; ends with 1 where none is open
    Next {
        #[command(flatten)]
        seen: Seen,
        #[command(flatten)]
        which: Which,
    },
    /// Find quiet hours: from a tenant's usage, a CSV file, or a time column of the source
    Suggest(SuggestArgs),
    /// Find hours that are day in several zones at once
    Overlap {
        #[command(flatten)]
        seen: Seen,
        /// A zone; those of the schedule and of all tenants where none is named
        #[arg(long = "zone", value_name = "ZONE")]
        zones: Vec<String>,
        /// The first hour of a day
        #[arg(long, default_value = "07:00", value_parser = clock)]
        from: Time,
        /// The end of a day
        #[arg(long, default_value = "23:00", value_parser = clock)]
        to: Time,
        /// So many days ahead
        #[arg(long, default_value_t = 2)]
        days: u16,
        /// Saturdays and Sundays, too
        #[arg(long)]
        weekends: bool,
    },
    /// Let the opening that is open now, or the next one, end later
    Extend {
        #[command(flatten)]
        seen: Seen,
        /// The window
        window: String,
        /// By how much: `40m`
        #[arg(value_parser = super::elapsed)]
        by: Duration,
        #[command(flatten)]
        why: Why,
    },
    /// Move a window of one date
    Reschedule {
        #[command(flatten)]
        seen: Seen,
        /// The window
        window: String,
        /// Its new time, local to its zone: `2026-05-06T07:00/2026-05-06T12:00`
        #[arg(value_name = "START/END")]
        to: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, clap::Args)]
struct Which {
    /// Only this window
    #[arg(long, value_name = "NAME")]
    window: Option<String>,
    /// As it is for this tenant
    #[arg(long, value_name = "KEY")]
    tenant: Option<String>,
}

impl Which {
    fn tenant<'d>(&self, dates: &'d Dates) -> Result<Option<&'d Tenant>, CliError> {
        self.tenant.as_deref().map(|key| dates.tenant(key)).transpose()
    }

    fn windows<'d>(&self, dates: &'d Dates) -> Result<Vec<&'d haulier_core::calendar::Window>, CliError> {
        match &self.window {
            Some(name) => Ok(vec![dates.window(name)?]),
            None => Ok(dates.calendar.windows.iter().collect()),
        }
    }
}

fn clock(text: &str) -> Result<Time, String> {
    text.parse().map_err(|_| "hours and minutes, such as `07:00`".to_owned())
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::List { seen, which, days } => list(global, &Dates::read(global, &seen).await?, &which, days),
        What::Next { seen, which } => next(global, &Dates::read(global, &seen).await?, &which),
        What::Suggest(args) => suggest::run(global, args).await,
        What::Overlap { seen, zones, from, to, days, weekends } => {
            let dates = Dates::read(global, &seen).await?;
            let zones = zones_of(&dates, &zones)?;
            overlaps(global, &dates, &zones, (from, to), days, weekends)
        }
        What::Extend { seen, window, by, why } => {
            let dates = Dates::write(global, &seen).await?;
            let start = dates
                .calendar
                .next_opening(dates.window(&window)?, None, dates.now)
                .map(|opening| opening.planned.start)
                .ok_or_else(|| CliError::new(Exit::No, format!("window {window} never opens again")))?;
            let dry_run = why.is_dry();
            let (dates, change) =
                dates.change(Amendment::Extend { window: window.clone(), start, by }, &why).await?;
            super::told(global, &change, dry_run)?;
            deadlines(global, &dates, &window)
        }
        What::Reschedule { seen, window, to, why } => {
            let dates = Dates::write(global, &seen).await?;
            dates.window(&window)?;
            let dry_run = why.is_dry();
            let (dates, change) =
                dates.change(Amendment::Reschedule { window: window.clone(), at: to }, &why).await?;
            super::told(global, &change, dry_run)?;
            deadlines(global, &dates, &window)
        }
    }
}

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

fn list(global: &Global, dates: &Dates, which: &Which, days: u16) -> Result<Exit, CliError> {
    let tenant = which.tenant(dates)?;
    let within = Span::from(dates.now, super::days(days));
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

fn next(global: &Global, dates: &Dates, which: &Which) -> Result<Exit, CliError> {
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
fn deadlines(global: &Global, dates: &Dates, window: &str) -> Result<Exit, CliError> {
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

fn zones_of(dates: &Dates, named: &[String]) -> Result<Vec<Zone>, CliError> {
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

fn overlaps(
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
    let found = overlap(zones, &week, from, to, Span::from(dates.now, super::days(days)));
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

/// For commands that take an instant.
pub(super) fn time(dates: &Dates, text: &str) -> Result<jiff::Timestamp, CliError> {
    instant(text, &dates.calendar.zone)
}
