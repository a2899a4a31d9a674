//! `haulier plan amend`: a new revision of the plan, under a run that is not finished.

use haulier_core::port::{Clock, RunRequest};
use haulier_core::stage::{Fact, GateEvent, GateState};
use haulier_stages::Wrote;

use super::staged_run;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Change the plan of a run that is under way
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Make the plan file as it is now the run's next revision; decisions on gates that are not passed go stale
    Amend {
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let What::Amend { reason } = args.what;
    let at = Neighbours::open(global).await?;
    let (run, desk, mut standing) = staged_run(&at).await?;
    if run.finished_at.is_some() {
        return Err(CliError::new(Exit::No, format!("run {} is finished", run.id))
            .hint("the next run takes the plan as it is"));
    }
    // The ledger's run goes first. Should the rest be lost, the run is told to be of another plan, and this is repeated.
    let (now, digest) = (SystemClock.micros(), &at.plan.digest);
    let request = RunRequest { id: &run.id, plan: &at.plan.name, digest, accept_plan: true, now };
    at.ledger.open_run(request).await?;
    loop {
        if standing.plan == at.plan.digest {
            ui::line(format!("the plan is the run's already, revision {}", standing.revision))?;
            return Ok(Exit::No);
        }
        let revision = standing.revision + 1;
        let mut facts = vec![(Fact::Plan(revision, at.plan.digest.clone()), Some(reason.clone()))];
        let decided = standing.gates.iter().filter(|(_, gate)| gate.state.next(GateEvent::Expire).is_ok());
        let decided: Vec<_> = decided.map(|(name, gate)| (name.clone(), gate.state)).collect();
        for (name, _) in &decided {
            facts.push((Fact::Gate(name.clone(), GateEvent::Expire), Some(format!("revision {revision}"))));
        }
        if desk.write(&mut standing, facts).await? == Wrote::Moved {
            continue;
        }
        let lost: Vec<&str> = decided
            .iter()
            .filter(|(_, state)| *state == GateState::Go)
            .map(|(name, _)| name.as_str())
            .collect();
        ui::line(format!("run {} walks revision {revision}", run.id))?;
        if !lost.is_empty() {
            ui::line(format!("decided anew: {}", lost.join(", ")))?;
        }
        return Ok(Exit::Done);
    }
}
