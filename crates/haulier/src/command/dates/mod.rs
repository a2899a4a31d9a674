//! Dates: when work may run, for whom, in which order, and by when what must be decided.

mod calendar;
mod countdown;
mod ics;
mod rollback;
mod suggest;
mod tenants;
mod timeline;
mod waves;
mod windows;

pub(crate) use calendar::{Args as CalendarArgs, run as calendar};
pub(crate) use countdown::{Args as CountdownArgs, run as countdown};
pub(crate) use rollback::{Args as WaysBackArgs, run as ways_back};
pub(crate) use tenants::{Args as TenantsArgs, run as tenants};
pub(crate) use timeline::{Args as TimelineArgs, run as timeline, steps};
pub(crate) use waves::{Args as WavesArgs, run as waves};
pub(crate) use windows::{Args as WindowsArgs, run as windows};

use haulier_core::calendar::{Amendment, Change, lead};

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Why};
use crate::ui;

/// A number of days, as a length of time.
fn days(days: u16) -> std::time::Duration {
    std::time::Duration::from_hours(24 * u64::from(days))
}

/// Real elapsed time as operators type it: `45m`, `2h30m`.
fn elapsed(text: &str) -> Result<std::time::Duration, String> {
    lead::duration(text).ok_or_else(|| "numbers and units, such as `45m`, `2h30m`, `7d`".to_owned())
}

/// Makes a change, and says what was changed.
async fn changed(global: &Global, dates: Dates, what: Amendment, why: &Why) -> Result<Exit, CliError> {
    let (_, change) = dates.change(what, why).await?;
    told(global, &change, why.is_dry())?;
    Ok(Exit::Done)
}

/// Says what was changed.
fn told(global: &Global, change: &Change, dry_run: bool) -> Result<(), CliError> {
    let (word, parts) = change.what.words();
    if global.json {
        return ui::json(&serde_json::json!({
            "kept": !dry_run, "version": change.version, "change": word, "parts": parts, "by": change.by,
            "reason": change.reason,
        }));
    }
    let kept = if dry_run { "would be kept" } else { "kept" };
    ui::line(format!(
        "{}; {kept} as change {} by {}: {}",
        change.what.say(),
        change.version,
        change.by,
        change.reason
    ))
}
