//! `haulier calendar`: everything that has a date, as a table or for a calendar program.

use haulier_core::calendar::{Amendment, Side, Span, Zone, lead};
use jiff::Timestamp;
use serde_json::json;

use super::ics;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen, Why};
use crate::ui;

/// Show everything that has a date, as Markdown, JSON or for a calendar program, and change it
///
/// Without a subcommand: openings of windows with the waves that may run in them, blackouts, events of tenants, T0.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    show: Show,
}

#[derive(Debug, clap::Args)]
struct Show {
    #[command(flatten)]
    seen: Seen,
    /// Print an iCalendar file (RFC 5545)
    #[arg(long)]
    ics: bool,
    /// So many days ahead
    #[arg(long, default_value_t = 60)]
    days: u16,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Promise the dates: from now on notices go out by them
    Commit {
        #[command(flatten)]
        seen: Seen,
        #[command(flatten)]
        why: Why,
    },
    /// Add a time at which nothing may run
    Blackout {
        #[command(flatten)]
        seen: Seen,
        /// Its name
        name: String,
        /// `START/END`, local to the zone: `2026-05-06T06:00/2026-05-06T12:00`
        #[arg(long, value_name = "START/END")]
        span: String,
        /// Where that is meant
        #[arg(long, value_name = "ZONE")]
        zone: String,
        /// Whom it spares: a selector, or `all`
        #[arg(long, default_value = "all", value_name = "SELECTOR")]
        tenants: String,
        #[command(flatten)]
        why: Why,
    },
    /// List what people changed, with who, when and why
    Changes {
        #[command(flatten)]
        seen: Seen,
    },
}

/// Something with a date.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) span: (Timestamp, Timestamp),
    pub(super) kind: &'static str,
    pub(super) what: String,
    pub(super) notes: String,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        None => show(global, &args.show).await,
        Some(What::Commit { seen, why }) => {
            super::changed(global, Dates::write(global, &seen).await?, Amendment::Commit, &why).await
        }
        Some(What::Blackout { seen, name, span, zone, tenants, why }) => {
            let what = Amendment::Blackout { name, tenants, zone, at: span };
            super::changed(global, Dates::write(global, &seen).await?, what, &why).await
        }
        Some(What::Changes { seen }) => changes(global, &Dates::read(global, &seen).await?),
    }
}

fn changes(global: &Global, dates: &Dates) -> Result<Exit, CliError> {
    if global.json {
        for change in &dates.changes {
            let (word, parts) = change.what.words();
            ui::json(&json!({
                "version": change.version, "at": crate::command::status::stamp(change.at), "by": change.by,
                "reason": change.reason, "change": word, "parts": parts,
            }))?;
        }
        return Ok(Exit::Done);
    }
    if dates.changes.is_empty() {
        ui::line("nobody changed anything: the calendar is the plan's")?;
        return Ok(Exit::Done);
    }
    let rows = dates.changes.iter().map(|change| {
        let at = crate::command::status::stamp(change.at);
        vec![change.version.to_string(), at, change.by.clone(), change.what.say(), change.reason.clone()]
    });
    ui::line(ui::table(&["", "when", "who", "what", "why"], rows))?;
    Ok(Exit::Done)
}

async fn show(global: &Global, args: &Show) -> Result<Exit, CliError> {
    let dates = Dates::read(global, &args.seen).await?;
    let entries = entries(&dates, Span::from(dates.now, super::days(args.days)));
    if args.ics {
        ui::line(ics::text(&dates, &entries).trim_end_matches("\r\n"))?;
        return Ok(Exit::Done);
    }
    if global.json {
        for entry in &entries {
            ui::json(&json!({
                "from": entry.span.0.to_string(), "to": entry.span.1.to_string(), "kind": entry.kind,
                "what": entry.what, "notes": entry.notes,
            }))?;
        }
        return Ok(Exit::Done);
    }
    for line in markdown(&dates, &entries, args.days) {
        ui::line(line)?;
    }
    Ok(Exit::Done)
}

fn markdown(dates: &Dates, entries: &[Entry], days: u16) -> Vec<String> {
    let promised = if dates.calendar.committed { "promised" } else { "not promised yet" };
    let zone = &dates.calendar.zone;
    let mut lines = vec![
        format!("# Calendar of {}", dates.plan.name),
        String::new(),
        format!("Seen at {}, up to {days} days ahead. The dates are {promised}.", dates.say(dates.now, None)),
        String::new(),
        format!("| from (UTC) | to (UTC) | from ({zone}) | what | lasts | notes |"),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for entry in entries {
        let utc = |at: Timestamp| Zone::utc().say(at);
        let lasts = lead::say(haulier_core::calendar::span::between(entry.span.0, entry.span.1));
        lines.push(format!(
            "| {} | {} | {} | {} {} | {lasts} | {} |",
            utc(entry.span.0),
            utc(entry.span.1),
            zone.say(entry.span.0),
            entry.kind,
            cell(&entry.what),
            cell(&entry.notes)
        ));
    }
    if entries.is_empty() {
        lines.push("| | | | nothing | | |".to_owned());
    }
    lines
}

/// A text within a Markdown table.
pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Everything with a date that reaches into a span, in order.
pub(super) fn entries(dates: &Dates, within: Span) -> Vec<Entry> {
    let calendar = &dates.calendar;
    let mut entries = Vec::new();
    for window in &calendar.windows {
        let waves: Vec<&str> = calendar
            .waves
            .iter()
            .filter(|wave| wave.windows.contains(&window.name))
            .map(|wave| wave.name.as_str())
            .collect();
        let notes = if waves.is_empty() { String::new() } else { format!("waves: {}", waves.join(", ")) };
        // A window in the tenants' zones opens at other instants for each of them.
        let somebody: Vec<_> = match window.place.zone(None) {
            Some(_) => vec![None],
            None => calendar.tenants.iter().filter(|tenant| tenant.excluded.is_none()).map(Some).collect(),
        };
        for tenant in somebody {
            for opening in calendar.openings(window, tenant, within) {
                let of = tenant.map(|tenant| format!(" for {}", tenant.name)).unwrap_or_default();
                let mut notes =
                    match tenant.and_then(|tenant| calendar.roster().wave_of(tenant.key.as_str()).cloned()) {
                        Some(wave) if wave.windows.contains(&window.name) => {
                            let bounds = calendar.bounds(&wave);
                            if opening.span.start < bounds.start || opening.span.start >= bounds.end {
                                continue;
                            }
                            format!("wave: {}", wave.name)
                        }
                        Some(_) => continue,
                        None => notes.clone(),
                    };
                if !opening.extended.is_zero() {
                    notes = format!("{notes}; extended by {}", lead::say(opening.extended));
                }
                if let Some(blackout) = &opening.cut_by {
                    notes = format!("{notes}; ended by blackout {blackout}");
                }
                entries.push(Entry {
                    span: (opening.span.start, opening.span.end),
                    kind: "window",
                    what: format!("{}{of}", opening.window),
                    notes: notes.trim_start_matches("; ").to_owned(),
                });
            }
        }
    }
    for blackout in &calendar.blackouts {
        let zones: Vec<Zone> = match blackout.place.zone(None) {
            Some(zone) => vec![zone.clone()],
            None => {
                let spared = calendar.tenants.iter().filter(|tenant| blackout.tenants.takes(tenant));
                spared.filter_map(|tenant| tenant.zone.clone()).collect()
            }
        };
        for zone in zones {
            for span in blackout.when.spans(&zone, Side::Deny, within) {
                let by = blackout.said_by.as_deref().map(|by| format!("; said {by}")).unwrap_or_default();
                entries.push(Entry {
                    span: (span.start, span.end),
                    kind: "blackout",
                    what: blackout.name.clone(),
                    notes: format!("for {}{by}", blackout.tenants),
                });
            }
        }
    }
    for tenant in &calendar.tenants {
        for event in &tenant.events {
            for span in event.when.spans(&event.zone, Side::Deny, within) {
                entries.push(Entry {
                    span: (span.start, span.end),
                    kind: "event",
                    what: event.name.clone(),
                    notes: format!("of {}", tenant.name),
                });
            }
        }
    }
    if let Some(t0) = calendar.t0.filter(|t0| within.holds(*t0)) {
        entries.push(Entry {
            span: (t0, t0),
            kind: "T0",
            what: dates.plan.name.clone(),
            notes: String::new(),
        });
    }
    entries.sort();
    entries.dedup();
    entries
}
