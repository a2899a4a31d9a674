//! `haulier stages`: where a run stands, stage by stage, and how it came there.

use haulier_core::port::Clock;
use haulier_core::stage::{Entry, GateState, RunKind, RunState, Standing};
use jiff::Timestamp;
use serde_json::json;

use super::staged_run;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Show where a run stands, stage by stage, and what to do next
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Every entry of its history instead
    #[arg(long)]
    log: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let (run, desk, standing) = staged_run(&at).await?;
    if args.log {
        return log(global, &at.ledger.entries(&desk.run, 0).await?);
    }
    let lease = at.ledger.controller_lease(&run.id).await?;
    let alive = lease.as_ref().is_some_and(|lease| lease.is_live(SystemClock.micros()));
    // A run whose controller is gone is interrupted, also before anybody noted it.
    let state = match standing.run.live() {
        Some(live) if !alive => RunState::Interrupted(live),
        Some(_) | None => standing.run,
    };
    let holder = lease.filter(|_| alive).map(|lease| lease.holder.to_string());
    if global.json {
        let stages: Vec<_> = at.plan.stages.stages.iter().map(|stage| {
            let found = standing.stage(&stage.name);
            let gate = at.plan.stages.gate(&stage.name).map(|_| standing.gate(&stage.name).state.as_str());
            json!({ "stage": stage.name.as_str(), "kind": stage.kind.as_str(), "state": found.state.as_str(),
                "attempt": found.attempt, "gate": gate, "note": found.note })
        }).collect();
        let mut tenants = std::collections::BTreeMap::<&str, u64>::new();
        for tenant in standing.tenants.values() {
            *tenants.entry(tenant.as_str()).or_default() += 1;
        }
        ui::json(&json!({
            "run": run.id.as_str(), "state": state.as_str(), "was": standing.run.to_string(),
            "kind": standing.kind.map(RunKind::as_str), "revision": standing.revision, "plan": standing.plan,
            "started_by": standing.started_by, "reasons": standing.reasons, "controller": holder,
            "entries": standing.version, "stages": stages, "tenants": tenants,
        }))?;
        return Ok(Exit::Done);
    }
    let kind = standing.kind.map(RunKind::as_str).unwrap_or_default();
    ui::line(format!("run {} ({kind}), revision {}: {state}", run.id, standing.revision))?;
    let rows = at.plan.stages.stages.iter().map(|stage| {
        let found = standing.stage(&stage.name);
        let gate = at.plan.stages.gate(&stage.name).map(|_| standing.gate(&stage.name).state);
        let gate = gate.map(|gate| gate.as_str().to_owned()).unwrap_or_default();
        let note = found.note.unwrap_or_default();
        vec![gate, stage.name.to_string(), stage.kind.as_str().to_owned(), found.state.to_string(), note]
    });
    ui::line(ui::table(&["gate", "stage", "kind", "state", "note"], rows))?;
    let what = if standing.run == RunState::RollbackFailed { "rollback failed" } else { "paused" };
    for reason in &standing.reasons {
        ui::line(format!("{what}: {reason}"))?;
    }
    if let Some(holder) = holder {
        ui::line(format!("controlled by {holder}"))?;
    }
    ui::line(next(state, &standing))?;
    Ok(Exit::Done)
}

/// What to type next.
fn next(state: RunState, standing: &Standing) -> String {
    match state {
        RunState::Interrupted(_) => {
            "next: `haulier run --resume`, or `haulier abort --reason TEXT`".to_owned()
        }
        RunState::Paused => "next: `haulier resume`, or `haulier abort --reason TEXT`".to_owned(),
        RunState::AwaitingDecision => {
            let closed = |state: GateState| !state.is_open();
            let gate =
                standing.gates.iter().find(|(_, gate)| closed(gate.state)).map(|(name, _)| name.as_str());
            format!("next: `haulier gate show {}`", gate.unwrap_or("STAGE"))
        }
        RunState::Aborted
        | RunState::Completed
        | RunState::Cancelled
        | RunState::RolledBack
        | RunState::ClosedFailed => "next: nothing; `haulier run` starts another".to_owned(),
        RunState::Scheduled
        | RunState::AwaitingWindow
        | RunState::Running
        | RunState::Pausing
        | RunState::Aborting
        | RunState::RollingBack => "next: nothing to do now".to_owned(),
        RunState::RollbackFailed => {
            "next: `haulier rollback decide` and `start` once more, or `haulier rollback close --reason TEXT`"
                .to_owned()
        }
    }
}

fn log(global: &Global, entries: &[Entry]) -> Result<Exit, CliError> {
    let at = |entry: &Entry| {
        Timestamp::from_microsecond(entry.at).map_or_else(|_| String::new(), |at| at.to_string())
    };
    if global.json {
        for entry in entries {
            let [kind, subject, word, data] = entry.fact.words();
            ui::json(&json!({ "version": entry.version, "at": at(entry), "by": entry.by, "kind": kind,
                "subject": subject, "word": word, "data": data, "note": entry.note }))?;
        }
        return Ok(Exit::Done);
    }
    let rows = entries.iter().map(|entry| {
        let [kind, subject, word, _] = entry.fact.words();
        let word = if word.len() > 40 { word.chars().take(12).collect() } else { word };
        let note = entry.note.clone().unwrap_or_default();
        vec![entry.version.to_string(), at(entry), entry.by.clone(), kind, subject, word, note]
    });
    ui::line(ui::table(&["", "at", "by", "what", "of", "", "note"], rows))?;
    Ok(Exit::Done)
}
