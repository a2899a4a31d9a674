//! `haulier retime`: what a run took, as the plan takes it.

use std::time::Duration;

use haulier_core::RunId;
use haulier_core::calendar::lead;
use haulier_core::plan::StageKind;
use haulier_core::port::Clock;
use haulier_core::stage::timings;

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen};
use crate::ui;

/// Print `[durations]` for the plan with what a rehearsal took, beside what the plan knows already
///
/// Only time in which was worked counts, not what was held, paused or waited for a person. Of snapshot and restore the hooks' own time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The run; the latest where none is named
    #[arg(long, value_name = "RUN")]
    from: Option<String>,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let dates = Dates::read(global, &Seen::now()).await?;
    let none =
        || CliError::new(Exit::No, "there has been no run yet").hint("`haulier run --rehearsal` makes one");
    let ledger = dates.ledger.clone().ok_or_else(none)?;
    let run = match &args.from {
        Some(run) => RunId::new(run.as_str()),
        None => ledger.latest_run().await?.ok_or_else(none)?.id,
    };
    let (stages, hooks) = timings(&ledger.entries(&run, 0).await?, SystemClock.micros());
    let done: Vec<_> = stages.iter().filter(|timing| timing.succeeded).collect();
    if done.is_empty() {
        return Err(CliError::new(Exit::No, format!("no stage of run {run} succeeded, so it says nothing")));
    }
    let known = &dates.calendar.durations;
    let plan = &dates.plan.stages;
    // Whole seconds, and never nothing: a duration of 0s would promise what nobody can keep.
    let whole = |duration: Duration| Duration::from_secs(duration.as_secs().max(1));
    let seen = |name: &str| -> Vec<Duration> {
        let before = known.stages.iter().find(|(stage, _)| stage == name).map(|(_, seen)| seen.clone());
        let now =
            done.iter().filter(|timing| timing.stage.as_str() == name).map(|timing| whole(timing.active));
        before.unwrap_or_default().into_iter().chain(now).collect()
    };
    let mut lines = vec!["[durations]".to_owned()];
    let mut values = serde_json::Map::new();
    let mut put = |key: &str, value: Option<Duration>| {
        if let Some(value) = value {
            lines.push(format!("{key} = \"{}\"", lead::say(value)));
            values.insert(key.to_owned(), value.as_secs().into());
        }
    };
    let longest =
        |hook: Option<&String>| hook.and_then(|hook| hooks.get(hook)?.iter().max().copied().map(whole));
    let snapshot = plan.snapshot.as_ref();
    put("snapshot", longest(snapshot.map(|snapshot| &snapshot.take)).or(known.snapshot));
    put("snapshot_check", longest(snapshot.and_then(|s| s.check.as_ref())).or(known.snapshot_check));
    put("restore", longest(snapshot.and_then(|s| s.restore.as_ref())).or(known.restore));
    let smoke = plan.of_kind(StageKind::FinalSmoke).and_then(|stage| {
        done.iter().find(|timing| timing.stage == stage.name).map(|timing| whole(timing.active))
    });
    put("smoke", smoke.or(known.smoke));
    put("tenant", known.tenant);
    let mut names: Vec<&str> = known.stages.iter().map(|(name, _)| name.as_str()).collect();
    for timing in &done {
        if !names.contains(&timing.stage.as_str()) {
            names.push(timing.stage.as_str());
        }
    }
    let list = |name: &str| {
        let each: Vec<String> = seen(name).iter().map(|took| format!("\"{}\"", lead::say(*took))).collect();
        format!("{name} = [{}]", each.join(", "))
    };
    lines.push(format!(
        "stages = {{ {} }}",
        names.iter().map(|name| list(name)).collect::<Vec<_>>().join(", ")
    ));
    if global.json {
        let stages: serde_json::Map<String, serde_json::Value> = names
            .iter()
            .map(|name| {
                ((*name).to_owned(), seen(name).iter().map(Duration::as_secs).collect::<Vec<_>>().into())
            })
            .collect();
        ui::json(&serde_json::json!({ "run": run.as_str(), "seconds": values, "stages": stages }))?;
    } else {
        ui::note(format!("put this into the plan in place of its `[durations]`; from run {run}:"));
        ui::line(lines.join("\n"))?;
    }
    Ok(Exit::Done)
}
