//! `haulier eta`: how long the run still takes, as it is or turned otherwise.

use haulier_core::calendar::{lead, span};
use haulier_core::port::Clock;
use serde_json::{Value, json};
use std::time::Duration;

use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::control::View;
use crate::command::live::{Besides, Live};
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::site::dates::said;
use crate::ui;

/// Say how long the run still takes, as a range, and what binds; with `--workers` or `--rate` as it would be then
///
/// A range from the rates that were measured; none below 1 % of the whole. What would be is worked out in proportion, as if
/// the target stayed as fast as it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// With so many workers
    #[arg(long, value_name = "N")]
    workers: Option<u32>,
    /// With at most so many requests a second
    #[arg(long, value_name = "PER SECOND")]
    rate: Option<f64>,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let run = at.latest_run().await?;
    let (view, tally) = (View::of(&at, &run).await?, at.ledger.tally(&run.id).await?);
    let live = Live::of(&run, &tally, &view, Besides::default());
    let live = serde_json::to_value(&live).map_err(CliError::bug)?;
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
    let range: Option<(f64, f64)> = match live["eta_s"].as_array().map(Vec::as_slice) {
        Some([early, late]) => number(early).zip(number(late)),
        _ => None,
    };
    let (workers, requests) = (number(&live["workers"]["applied"]), number(&live["requests_per_second"]));
    let scale = what_if(&args, workers.or(number(&live["workers"]["set"])), requests);
    let binds = match &scale {
        Some((_, binds)) => (*binds).to_owned(),
        None => live["binds"].as_str().unwrap_or_default().to_owned(),
    };
    let factor = scale.as_ref().map_or(1.0, |(factor, _)| *factor);
    let scaled = range.map(|(early, late)| (seconds(early / factor), seconds(late / factor)));
    let now = SystemClock.now();
    if global.json {
        ui::json(&json!({
            "run": run.id.as_str(), "settled": live["settled"], "expected": live["expected"], "flow": live["flow"],
            "binds": binds, "seconds": scaled.map(|(early, late)| [early.as_secs(), late.as_secs()]),
            "done_at": scaled.map(|(early, late)| [span::later(now, early).to_string(), span::later(now, late).to_string()]),
        }))?;
        return Ok(if scaled.is_some() { Exit::Done } else { Exit::No });
    }
    ui::line(format!(
        "{} of {} records are settled; {}",
        live["settled"],
        live["expected"],
        live["flow"].as_str().unwrap_or_default()
    ))?;
    let Some((early, late)) = scaled else {
        ui::line("nothing can be said yet: less than 1 % is done, or nothing moves")?;
        return Ok(Exit::No);
    };
    let zone = &at.plan.calendar.zone;
    ui::line(format!(
        "~ {} to {}, done between {} and {}",
        lead::say(early),
        lead::say(late),
        said(span::later(now, early), zone, None),
        said(span::later(now, late), zone, None)
    ))?;
    ui::line(format!("binds: {binds}"))?;
    Ok(Exit::Done)
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0).round()).unwrap_or(Duration::MAX)
}

/// By how much faster, and what binds then; `None` where nothing is asked, or nothing is known to start from.
fn what_if(args: &Args, workers: Option<f64>, requests: Option<f64>) -> Option<(f64, &'static str)> {
    let by_workers =
        args.workers.zip(workers.filter(|now| *now > 0.0)).map(|(then, now)| f64::from(then) / now);
    let by_rate = args.rate.zip(requests.filter(|now| *now > 0.0)).map(|(then, now)| then / now);
    let positive = |factor: f64| factor.max(1e-9);
    match (by_workers.map(positive), by_rate.map(positive)) {
        (None, None) => None,
        (Some(workers), None) => Some((workers, "push.workers")),
        // A limit alone makes nothing faster.
        (None, Some(rate)) => Some((rate.min(1.0), if rate < 1.0 { "push.rate" } else { "push.workers" })),
        (Some(workers), Some(rate)) if rate < workers => Some((rate, "push.rate")),
        (Some(workers), Some(_)) => Some((workers, "push.workers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_is_in_proportion_and_says_what_binds() {
        let ask = |workers, rate| what_if(&Args { workers, rate }, Some(4.0), Some(40.0));
        assert_eq!(ask(None, None), None);
        assert_eq!(ask(Some(8), None), Some((2.0, "push.workers")));
        assert_eq!(ask(Some(8), Some(60.0)), Some((1.5, "push.rate")));
        assert_eq!(ask(Some(8), Some(800.0)), Some((2.0, "push.workers")));
        assert_eq!(ask(None, Some(800.0)), Some((1.0, "push.workers")));
        assert_eq!(ask(None, Some(20.0)), Some((0.5, "push.rate")));
        assert_eq!(what_if(&Args { workers: Some(8), rate: None }, None, None), None);
    }
}
