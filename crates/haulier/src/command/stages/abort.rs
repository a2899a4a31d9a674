//! `haulier abort`: stop a run that walks stages, for good.

use haulier_core::port::Clock;
use haulier_core::stage::{Fact, RunEvent, StageEvent};
use haulier_stages::Wrote;

use super::staged_run;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Stop a run that walks stages for good; the target keeps what it has
///
/// Lawful in every live state. A controller that is alive lets what is in flight end. A rollback is another, approved act.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let (run, desk, mut standing) = staged_run(&at).await?;
    let alive = loop {
        let lease = at.ledger.controller_lease(&run.id).await?;
        let alive = lease.is_some_and(|lease| lease.is_live(SystemClock.micros()));
        let mut facts = vec![(Fact::Run(RunEvent::Abort), Some(args.reason.clone()))];
        if !alive {
            let stages = at.plan.stages.stages.iter().map(|stage| &stage.name);
            let open = stages.filter(|name| !standing.stage(name).state.is_final());
            facts.extend(open.map(|name| (Fact::Stage(name.clone(), StageEvent::Cancel), None)));
            facts.push((Fact::Run(RunEvent::AtRest), Some("no controller had it".to_owned())));
        }
        if standing.run.next(RunEvent::Abort).is_err() {
            return Err(CliError::new(
                Exit::No,
                format!("run {} is {}, and cannot be aborted", run.id, standing.run),
            ));
        }
        if desk.write(&mut standing, facts).await? == Wrote::Kept {
            break alive;
        }
    };
    if !alive {
        at.ledger.finish_run(&run.id, SystemClock.micros()).await?;
    }
    let on: Vec<String> =
        standing.hooks.keys().map(|(stage, _, hook)| format!("{hook} (stage {stage})")).collect();
    let state = standing.run;
    if global.json {
        ui::json(&serde_json::json!({ "run": run.id.as_str(), "state": state.as_str(), "hooks_run": on }))?;
    } else {
        ui::line(format!("run {} is {state}", run.id))?;
        if !on.is_empty() {
            ui::line(format!("hooks that ran, whose effects stay: {}", on.join(", ")))?;
        }
    }
    Ok(Exit::Done)
}
