//! `haulier windows`: when work may run.

mod openings;
mod overlap;

use std::time::Duration;

use haulier_core::calendar::{Amendment, Tenant};
use jiff::civil::Time;

use super::suggest::{self, SuggestArgs};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen, Why, instant};

/// Show when work may run, and change it
///
/// Every time is shown in UTC, in the schedule's zone, and in the tenant's where one is named.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List openings: window less blackouts, with what ends each
    List {
        #[command(flatten)]
        which: Which,
        /// So many days ahead
        #[arg(long, default_value_t = 14)]
        days: u16,
    },
    /// Say whether work may begin, and when next, with the deadlines of each window's next opening; ends with 1 where none is open
    Next {
        #[command(flatten)]
        which: Which,
    },
    /// Find quiet hours: from a tenant's usage, a CSV file, or a time column of the source
    Suggest(SuggestArgs),
    /// Find hours that are day in several zones at once
    Overlap {
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
    let seen = &args.seen;
    match args.what {
        What::List { which, days } => openings::list(global, &Dates::read(global, seen).await?, &which, days),
        What::Next { which } => openings::next(global, &Dates::read(global, seen).await?, &which),
        What::Suggest(args) => suggest::run(global, seen, args).await,
        What::Overlap { zones, from, to, days, weekends } => {
            let dates = Dates::read(global, seen).await?;
            let zones = overlap::zones(&dates, &zones)?;
            overlap::run(global, &dates, &zones, (from, to), days, weekends)
        }
        What::Extend { window, by, why } => {
            let dates = Dates::write(global, seen).await?;
            let start = dates
                .calendar
                .next_opening(dates.window(&window)?, None, dates.now)
                .map(|opening| opening.planned.start)
                .ok_or_else(|| CliError::new(Exit::No, format!("window {window} never opens again")))?;
            let dry_run = why.is_dry();
            let (dates, change) =
                dates.change(Amendment::Extend { window: window.clone(), start, by }, &why).await?;
            super::told(global, &change, dry_run)?;
            openings::deadlines(global, &dates, &window)
        }
        What::Reschedule { window, to, why } => {
            let dates = Dates::write(global, seen).await?;
            dates.window(&window)?;
            let dry_run = why.is_dry();
            let (dates, change) =
                dates.change(Amendment::Reschedule { window: window.clone(), at: to }, &why).await?;
            super::told(global, &change, dry_run)?;
            openings::deadlines(global, &dates, &window)
        }
    }
}

/// For commands that take an instant.
pub(super) fn time(dates: &Dates, text: &str) -> Result<jiff::Timestamp, CliError> {
    instant(text, &dates.calendar.zone)
}
