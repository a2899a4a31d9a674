//! `haulier waves`: who goes when, and why.

mod list;
mod scores;

use haulier_core::calendar::{Amendment, Tenant, Wave, propose};

use super::changed;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen, Why, unknown};

/// Show who goes when, propose waves, and move tenants between them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List waves with their tenants, and who is excluded or deferred
    List,
    /// Propose waves for the tenants that no wave names by key: the best first, each wave larger than the one before
    Propose {
        /// How many
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
        waves: u8,
        /// The window in which they would run
        #[arg(long, value_name = "NAME")]
        window: Option<String>,
        /// Print `[[wave]]` tables for the plan
        #[arg(long)]
        toml: bool,
    },
    /// Show every term of a tenant's score; several tenants side by side
    Explain {
        /// Their keys
        #[arg(required = true)]
        tenants: Vec<String>,
        /// The window in which they would run; that of their wave where none is named
        #[arg(long, value_name = "NAME")]
        window: Option<String>,
    },
    /// Move a tenant to another wave
    Move {
        /// Its key
        tenant: String,
        /// The wave
        #[arg(long, value_name = "WAVE")]
        to: String,
        #[command(flatten)]
        why: Why,
    },
    /// Set a wave's first day, from which on its date is the first opening
    Date {
        /// The wave
        wave: String,
        /// The day, in the schedule's zone: `2026-05-11`
        day: jiff::civil::Date,
        #[command(flatten)]
        why: Why,
    },
    /// Leave a tenant out
    Exclude {
        /// Its key
        tenant: String,
        #[command(flatten)]
        why: Why,
    },
    /// Take a tenant in again that was excluded or deferred
    Include {
        /// Its key
        tenant: String,
        #[command(flatten)]
        why: Why,
    },
    /// Let a tenant not begin before a time
    Defer {
        /// Its key
        tenant: String,
        /// The time: `2026-07-10T07:00` in the schedule's zone, or with `Z`
        #[arg(long, value_name = "TIME")]
        until: String,
        #[command(flatten)]
        why: Why,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let seen = &args.seen;
    match args.what {
        What::List => list::run(global, &Dates::read(global, seen).await?),
        What::Propose { waves, window, toml } => {
            let dates = Dates::read(global, seen).await?;
            let window = window.as_deref().map(|name| dates.window(name)).transpose()?;
            let proposal = propose(&dates.calendar, usize::from(waves), window, dates.now);
            scores::proposed(global, &dates, &proposal, window, toml)
        }
        What::Explain { tenants, window } => {
            let dates = Dates::read(global, seen).await?;
            scores::explain(global, &dates, &tenants, window.as_deref())
        }
        What::Move { tenant, to, why } => {
            let dates = Dates::write(global, seen).await?;
            let tenant = key(&dates, &tenant)?;
            let names: Vec<&str> = dates.calendar.waves.iter().map(|wave| wave.name.as_str()).collect();
            if !names.contains(&to.as_str()) {
                return Err(unknown("wave", &to, names.into_iter()));
            }
            changed(global, dates, Amendment::Move { tenant, wave: to }, &why).await
        }
        What::Date { wave, day, why } => {
            let dates = Dates::write(global, seen).await?;
            changed(global, dates, Amendment::Date { wave, day }, &why).await
        }
        What::Exclude { tenant, why } => {
            let dates = Dates::write(global, seen).await?;
            let tenant = key(&dates, &tenant)?;
            changed(global, dates, Amendment::Exclude { tenant }, &why).await
        }
        What::Include { tenant, why } => {
            let dates = Dates::write(global, seen).await?;
            let tenant = key(&dates, &tenant)?;
            changed(global, dates, Amendment::Include { tenant }, &why).await
        }
        What::Defer { tenant, until, why } => {
            let dates = Dates::write(global, seen).await?;
            let (tenant, until) = (key(&dates, &tenant)?, super::windows::time(&dates, &until)?);
            changed(global, dates, Amendment::Defer { tenant, until }, &why).await
        }
    }
}

fn key(dates: &Dates, text: &str) -> Result<String, CliError> {
    dates.tenant(text).map(|tenant| tenant.key.as_str().to_owned())
}

/// When a tenant of a wave may begin next, in words.
fn begins(dates: &Dates, wave: &Wave, tenant: &Tenant) -> String {
    dates.verdict(&dates.calendar.may_begin(wave, tenant, dates.now), Some(tenant))
}
