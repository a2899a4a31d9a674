//! `haulier rollback options`: which ways lead back now, how long each takes, and what it loses.

use std::time::Duration;

use haulier_core::calendar::{Deadlines, deadline, lead};
use haulier_core::stage::{Fact, HookEvent};
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen};
use crate::ui;

/// What `haulier rollback options` takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    /// The window; the only one of the plan where none is named
    #[arg(long, value_name = "NAME")]
    window: Option<String>,
    /// When the snapshot was taken, where the run does not know: `2026-05-05T06:58`
    #[arg(long, value_name = "TIME")]
    snapshot: Option<String>,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let Args { seen, window, snapshot } = args;
    let dates = Dates::read(global, &seen).await?;
    options(global, &dates, window.as_deref(), snapshot.as_deref()).await
}

/// When the snapshot hook of the latest run ended well last.
async fn last_snapshot(dates: &Dates) -> Result<Option<jiff::Timestamp>, CliError> {
    let (Some(ledger), Some(snapshot)) = (&dates.ledger, &dates.plan.stages.snapshot) else {
        return Ok(None);
    };
    let Some(run) = ledger.latest_run().await? else { return Ok(None) };
    let entries = ledger.entries(&run.id, 0).await?;
    let taken = entries
        .iter()
        .rev()
        .find(|entry| matches!(&entry.fact, Fact::Hook(_, hook, HookEvent::Done) if *hook == snapshot.take));
    Ok(taken.and_then(|entry| jiff::Timestamp::from_microsecond(entry.at).ok()))
}

async fn options(
    global: &Global,
    dates: &Dates,
    window: Option<&str>,
    snapshot: Option<&str>,
) -> Result<Exit, CliError> {
    let durations = &dates.calendar.durations;
    let named = match window {
        Some(name) => Some(dates.window(name)?),
        None if dates.calendar.windows.len() == 1 => dates.calendar.windows.first(),
        None => None,
    };
    let opening =
        named.and_then(|window| Some((window, dates.calendar.next_opening(window, None, dates.now)?)));
    let deadlines = opening.as_ref().map(|(window, opening)| Deadlines::of(opening, window, durations, None));
    let taken = match snapshot {
        Some(text) => Some(super::windows::time(dates, text)?),
        None => last_snapshot(dates).await?,
    };
    let lost = match taken {
        Some(taken) => match &dates.ledger {
            Some(ledger) => Some(ledger.written_since(taken.as_microsecond()).await?),
            None => None,
        },
        None => None,
    };
    let age = taken.map(|taken| haulier_core::calendar::span::between(taken, dates.now));
    let smoke = durations.smoke.unwrap_or_default();
    let back = durations.restore.map(|restore| {
        let end = deadlines.as_ref().map_or(jiff::Timestamp::MAX, |deadlines| deadlines.end);
        deadline::way_back(dates.now, restore, smoke, end)
    });
    if global.json {
        ui::json(&json!({
            "at": dates.now.to_string(),
            "window": opening.as_ref().map(|(window, _)| window.name.as_str()),
            "ends": deadlines.as_ref().map(|deadlines| deadlines.end.to_string()),
            "last_safe_rollback": deadlines.as_ref().and_then(|d| d.last_safe_rollback).map(|at| at.to_string()),
            "decision_point": deadlines.as_ref().map(|deadlines| deadlines.decision_point.to_string()),
            "snapshot": { "taken": taken.map(|at| at.to_string()), "age_seconds": age.map(|age| age.as_secs()) },
            "options": [
                { "way": "stop", "seconds": 0, "loses": 0, "fits": true },
                {
                    "way": "restore", "seconds": durations.restore.map(|restore| (restore + smoke).as_secs()),
                    "loses": lost, "done": back.as_ref().map(|back| back.done_at.to_string()),
                    "fits": back.as_ref().map(|back| back.fits), "spare_seconds": back.as_ref().map(|back| back.spare.as_secs()),
                },
            ],
        }))?;
    } else {
        told(dates, deadlines.as_ref(), back.as_ref(), age, lost)?;
    }
    Ok(match &back {
        Some(back) if back.fits => Exit::Done,
        Some(_) | None => Exit::No,
    })
}

fn told(
    dates: &Dates,
    deadlines: Option<&Deadlines>,
    back: Option<&deadline::WayBack>,
    age: Option<Duration>,
    lost: Option<u64>,
) -> Result<(), CliError> {
    let durations = &dates.calendar.durations;
    let fits = |fits: bool| if fits { "yes" } else { "NO" }.to_owned();
    let stop = ["stop", "0s", "nothing; what was landed stays", "", "yes"].map(str::to_owned).to_vec();
    let restore = match (durations.restore, back) {
        (Some(restore), Some(back)) => vec![
            "restore the snapshot, then smoke".to_owned(),
            lead::say(restore + durations.smoke.unwrap_or_default()),
            match (lost, age) {
                (Some(lost), _) => format!("{} records written since", ui::grouped(lost)),
                (None, Some(_)) => "not known: there is no ledger yet".to_owned(),
                (None, None) => "not known: nobody says when the snapshot was taken".to_owned(),
            },
            dates.say(back.done_at, None),
            if deadlines.is_some() { fits(back.fits) } else { "no window".to_owned() },
        ],
        _ => ["restore the snapshot", "not known: `restore` of `[durations]`", "", "", "not known"]
            .map(str::to_owned)
            .to_vec(),
    };
    ui::line(ui::table(&["way back", "takes", "loses", "done", "fits the window"], [stop, restore]))?;
    if let Some(age) = age {
        ui::line(format!("the snapshot is {} old", lead::say(age)))?;
    }
    if let Some(deadlines) = deadlines {
        if let Some(last) = deadlines.last_safe_rollback {
            let left = match back {
                Some(back) if back.fits => format!("{} from now", lead::say(back.spare)),
                Some(_) | None => "that is over".to_owned(),
            };
            ui::line(format!("last safe rollback {}: {left}", dates.say(last, None)))?;
        }
        ui::line(format!("decision point {}", dates.say(deadlines.decision_point, None)))?;
        ui::line(format!("the window ends {}", dates.say(deadlines.end, None)))?;
    }
    Ok(())
}
