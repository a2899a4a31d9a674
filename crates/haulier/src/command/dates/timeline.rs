//! `haulier timeline`: what happens when, counted from T.

use std::time::Duration;

use haulier_core::calendar::{Deadlines, span};
use jiff::Timestamp;
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen};
use crate::ui;

/// Show what happens when, counted from T: deadlines, stages, and how long each is thought to take
///
/// T is the start of the window's next opening, or the schedule's T0.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    /// The window; the only one of the plan where none is named
    #[arg(long, value_name = "NAME")]
    window: Option<String>,
}

/// A step of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) what: String,
    pub(crate) lasts: Option<Duration>,
}

/// Distance from T as people write it: `T+15m`, `T-2h30m`.
pub(crate) fn distance(t: Timestamp, at: Timestamp) -> String {
    let length = if at < t { span::between(at, t) } else { span::between(t, at) };
    let sign = if at < t { '-' } else { '+' };
    format!("T{sign}{}", haulier_core::calendar::lead::say(length))
}

/// Deadlines of an opening, and the stages one after another from its start.
pub(crate) fn steps(dates: &Dates, window: Option<&str>) -> Result<Option<(Timestamp, Vec<Step>)>, CliError> {
    let durations = &dates.calendar.durations;
    let named = match window {
        Some(name) => Some(dates.window(name)?),
        None if dates.calendar.windows.len() == 1 => dates.calendar.windows.first(),
        None => None,
    };
    let mut steps = Vec::new();
    let needs: Duration = durations.stages.iter().filter_map(|(name, _)| durations.stage(name)).sum();
    let opening =
        named.and_then(|window| Some((window, dates.calendar.next_opening(window, None, dates.now)?)));
    let start = match (&opening, dates.calendar.t0) {
        (Some((window, opening)), _) => {
            let known = (!needs.is_zero()).then_some(needs);
            let deadlines = Deadlines::of(opening, window, durations, known);
            steps.extend(deadlines.listed().into_iter().map(|(at, what)| Step {
                at,
                what: what.to_owned(),
                lasts: None,
            }));
            opening.span.start
        }
        (None, Some(t0)) => t0,
        (None, None) => return Ok(None),
    };
    let mut at = start;
    for (name, _) in &durations.stages {
        let lasts = durations.stage(name);
        steps.push(Step { at, what: format!("stage {name}"), lasts });
        at = span::later(at, lasts.unwrap_or_default());
    }
    if !durations.stages.is_empty() {
        steps.push(Step { at, what: "everything is done".to_owned(), lasts: None });
    }
    steps.sort_by_key(|step| step.at);
    Ok(Some((start, steps)))
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let dates = Dates::read(global, &args.seen).await?;
    let Some((t, steps)) = steps(&dates, args.window.as_deref())? else {
        return Err(CliError::new(Exit::No, "there is nothing to count from")
            .hint("name a window (`--window`), or give `[schedule]` a `t0`"));
    };
    if global.json {
        for step in &steps {
            ui::json(&json!({
                "t": distance(t, step.at), "at": step.at.to_string(), "what": step.what,
                "seconds": step.lasts.map(|lasts| lasts.as_secs()), "over": step.at <= dates.now,
            }))?;
        }
        return Ok(Exit::Done);
    }
    let rows = steps.iter().map(|step| {
        vec![
            distance(t, step.at),
            dates.say(step.at, None),
            step.what.clone(),
            step.lasts.map(haulier_core::calendar::lead::say).unwrap_or_default(),
            if step.at <= dates.now { "over" } else { "" }.to_owned(),
        ]
    });
    ui::line(ui::table(&["T", "when", "what", "takes", ""], rows))?;
    Ok(Exit::Done)
}
