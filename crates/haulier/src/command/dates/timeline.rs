//! `haulier timeline`: what happens when, counted from T.

use std::time::Duration;

use haulier_core::calendar::{Deadlines, lead, span};
use haulier_core::stage::timings;
use jiff::Timestamp;
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen};
use crate::ui;

/// Show what happens when, counted from T: deadlines, stages, and how long each is thought to take
///
/// T is the start of the window's next opening, or the schedule's T0. Beside it stands what the latest run did, and how much later
/// that came than planned.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    /// The window; the only one of the plan where none is named
    #[arg(long, value_name = "NAME")]
    window: Option<String>,
}

/// A run that begins so near to a plan's times is the one that they are of.
const NEAR: Duration = Duration::from_hours(24);

/// A step of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) at: Timestamp,
    pub(crate) what: String,
    pub(crate) lasts: Option<Duration>,
    /// The stage that begins, where it is one.
    pub(crate) stage: Option<String>,
}

/// What the latest run did of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Actual {
    /// When it came.
    at: Timestamp,
    /// How long it was worked on.
    took: Option<Duration>,
}

/// Distance from T as people write it: `T+15m`, `T-2h30m`.
pub(crate) fn distance(t: Timestamp, at: Timestamp) -> String {
    let length = if at < t { span::between(at, t) } else { span::between(t, at) };
    let sign = if at < t { '-' } else { '+' };
    format!("T{sign}{}", lead::say(length))
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
                stage: None,
            }));
            opening.span.start
        }
        (None, Some(t0)) => t0,
        (None, None) => return Ok(None),
    };
    let mut at = start;
    let planned = planned(dates);
    for (name, lasts) in &planned {
        let (what, stage) = (format!("stage {name}"), Some(name.clone()));
        steps.push(Step { at, what, lasts: *lasts, stage });
        at = span::later(at, lasts.unwrap_or_default());
    }
    if !planned.is_empty() {
        steps.push(Step { at, what: DONE.to_owned(), lasts: None, stage: None });
    }
    steps.sort_by_key(|step| step.at);
    Ok(Some((start, steps)))
}

/// What the last step is called.
const DONE: &str = "everything is done";

/// The plan's stages in their order, each with how long it is thought to take; without stages, those of `[durations]`.
fn planned(dates: &Dates) -> Vec<(String, Option<Duration>)> {
    let durations = &dates.calendar.durations;
    let stages = &dates.plan.stages.stages;
    if stages.is_empty() || durations.stages.is_empty() {
        return durations.stages.iter().map(|(name, _)| (name.clone(), durations.stage(name))).collect();
    }
    let planned = |stage: &haulier_core::plan::Stage| {
        (stage.name.to_string(), durations.stage(stage.name.as_str()).or(stage.expect))
    };
    stages.iter().map(planned).collect()
}

/// What the latest run did of each step, and the T from which its times count: the planned one where the run began in the same
/// opening, else the begin of its first stage, as in a rehearsal.
async fn actual(
    dates: &Dates,
    t: Timestamp,
    steps: &[Step],
) -> Result<(Timestamp, Vec<Option<Actual>>), CliError> {
    let nothing = || (t, vec![None; steps.len()]);
    let Some(ledger) = &dates.ledger else { return Ok(nothing()) };
    let Some(run) = ledger.latest_run().await? else { return Ok(nothing()) };
    let (stages, _) = timings(&ledger.entries(&run.id, 0).await?, dates.now.as_microsecond());
    let instant = |micros| Timestamp::from_microsecond(micros).unwrap_or(t);
    let Some(began) = stages.iter().map(|timing| instant(timing.began)).min() else { return Ok(nothing()) };
    let end = steps.last().map_or(t, |step| step.at).max(t);
    let same = began >= span::earlier(t, NEAR) && began <= span::later(end, NEAR);
    let all_done = !stages.is_empty() && run.finished_at.is_some();
    let of = |step: &Step| match &step.stage {
        Some(name) => stages.iter().find(|timing| timing.stage.as_str() == name).map(|timing| Actual {
            at: instant(timing.began),
            took: timing.succeeded.then_some(timing.active),
        }),
        None if step.what == DONE && all_done => {
            run.finished_at.map(|at| Actual { at: instant(at), took: None })
        }
        None => None,
    };
    Ok((if same { t } else { began }, steps.iter().map(of).collect()))
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let dates = Dates::read(global, &args.seen).await?;
    let Some((t, steps)) = steps(&dates, args.window.as_deref())? else {
        return Err(CliError::new(Exit::No, "there is nothing to count from")
            .hint("name a window (`--window`), or give `[schedule]` a `t0`"));
    };
    let (actual_t, actual) = actual(&dates, t, &steps).await?;
    // How much later it came than planned, each counted from its own T.
    let delta = |step: &Step, actual: &Actual| {
        let (planned, came) =
            (step.at.duration_since(t).as_secs(), actual.at.duration_since(actual_t).as_secs());
        came.saturating_sub(planned)
    };
    if global.json {
        for (step, actual) in steps.iter().zip(&actual) {
            ui::json(&json!({
                "t": distance(t, step.at), "at": step.at.to_string(), "what": step.what,
                "seconds": step.lasts.map(|lasts| lasts.as_secs()), "over": step.at <= dates.now,
                "actual_t": actual.as_ref().map(|actual| distance(actual_t, actual.at)),
                "actual_at": actual.as_ref().map(|actual| actual.at.to_string()),
                "actual_seconds": actual.as_ref().and_then(|actual| actual.took).map(|took| took.as_secs()),
                "delta_seconds": actual.as_ref().map(|actual| delta(step, actual)),
            }))?;
        }
        return Ok(Exit::Done);
    }
    let ran = actual.iter().any(Option::is_some);
    let rows = steps.iter().zip(&actual).map(|(step, actual)| {
        let mut row = vec![
            distance(t, step.at),
            dates.say(step.at, None),
            step.what.clone(),
            step.lasts.map(lead::say).unwrap_or_default(),
        ];
        if ran {
            let came = actual.as_ref().map(|actual| distance(actual_t, actual.at));
            row.push(came.unwrap_or_default());
            row.push(actual.as_ref().and_then(|actual| actual.took).map(lead::say).unwrap_or_default());
            row.push(actual.as_ref().map(|actual| signed(delta(step, actual))).unwrap_or_default());
        }
        row.push(if step.at <= dates.now { "over" } else { "" }.to_owned());
        row
    });
    let head: &[&str] = if ran {
        &["T", "when", "what", "takes", "actual", "took", "delta", ""]
    } else {
        &["T", "when", "what", "takes", ""]
    };
    ui::line(ui::table(head, rows))?;
    if ran && actual_t != t {
        ui::line(format!("the latest run began at another time; its T is {}", dates.say(actual_t, None)))?;
    }
    Ok(Exit::Done)
}

/// A length with its sign.
fn signed(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{}", lead::say(Duration::from_secs(seconds.unsigned_abs())))
}
