//! `haulier rollback`: which ways lead back, who decided to go, and going.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Clock, Run};
use haulier_core::stage::{Back, Fact, RunEvent, RunKind, RunState, Standing, may_roll_back};
use haulier_stages::{Controller, Desk, Ending, Hands, Options, Wrote, agree, begin};

use super::crew::Crew;
use super::{person, staged_run};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::dates;
use crate::command::tuning::PushTuning;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::ui;

/// How often is looked how far another process has come.
const LOOK: Duration = Duration::from_millis(500);

/// Put the target back to its snapshot: which ways there are, who decides, and going
///
/// An abort stops, and leaves the target as it is. Going back is another act: people with the role of the snapshot's `approvers` decide it, and
/// the plan's `restore` hook does it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show which ways lead back: how long each takes, what it loses, whether it ends within the window
    Options(dates::WaysBackArgs),
    /// Decide to go back, on record for ever; it counts until the run goes on
    Decide {
        /// Who decides, by the name in the plan's `people` [default: the account]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Go back, once it is decided; one that was interrupted goes on
    Start,
    /// Give a rollback that failed to the incident process: nothing follows any more
    Close {
        /// Why, for the record
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::Options(args) => dates::ways_back(global, args).await,
        What::Decide { by, note } => decide(global, by.as_deref(), &note).await,
        What::Start => start(global).await,
        What::Close { reason } => close(global, reason).await,
    }
}

async fn decide(global: &Global, by: Option<&str>, note: &str) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let (_, desk, mut standing) = staged_run(&at).await?;
    let person = person(by);
    let wish = Back { person: &person, note, plan: &at.plan.digest };
    let enough = agree(&desk, &at.plan, &wish, &mut standing).await?;
    if global.json {
        ui::json(&serde_json::json!({ "decided": "rollback", "by": person, "enough": enough }))?;
        return Ok(Exit::Done);
    }
    ui::line(format!("{person} decided to go back"))?;
    let min = at.plan.stages.snapshot.as_ref().map_or(1, |snapshot| snapshot.approvers.min);
    ui::line(if enough {
        "next: `haulier rollback start`".to_owned()
    } else {
        format!("it takes {min} persons")
    })?;
    Ok(Exit::Done)
}

async fn start(global: &Global) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let (run, desk, mut standing) = staged_run(&at).await?;
    may_roll_back(&at.plan.stages, &standing)
        .map_err(|refusal| CliError::from(haulier_stages::Trouble::from(refusal)))?;
    let lease = at.ledger.controller_lease(&run.id).await?;
    let ending = match lease.filter(|lease| lease.is_live(SystemClock.micros())) {
        Some(lease) => {
            // Only its controller knows when nothing is in flight any more.
            if matches!(standing.run, RunState::Running | RunState::Pausing | RunState::Aborting) {
                return Err(CliError::new(Exit::No, format!("run {} is {}", run.id, standing.run))
                    .hint("`haulier pause` first: what is in flight ends"));
            }
            begin(&desk, &at.plan, &mut standing).await?;
            ui::note(format!("the controller {} carries it out", lease.holder));
            elsewhere(&desk, &mut standing).await?
        }
        None => here(global, at, &run, desk).await?,
    };
    let (code, said) = match &ending {
        Ending::RolledBack => (Exit::Done, "rolled back: the target is as it was at the snapshot".to_owned()),
        Ending::RollbackFailed(why) => (
            Exit::No,
            format!("the rollback failed: {why}; decide and start again, or `haulier rollback close`"),
        ),
        Ending::Completed
        | Ending::Aborted
        | Ending::Reached(_)
        | Ending::AtGate(_)
        | Ending::AtWindow(_)
        | Ending::Paused(_)
        | Ending::Stopped => (Exit::Stopped, "left; `haulier rollback start` goes on".to_owned()),
    };
    if global.json {
        ui::json(&serde_json::json!({ "run": run.id.as_str(), "exit": code.number(), "said": said }))?;
    } else {
        ui::line(format!("run {}: {said}", run.id))?;
    }
    Ok(code)
}

/// Waits for the controller that is alive.
async fn elsewhere(desk: &Desk, standing: &mut Standing) -> Result<Ending, CliError> {
    while standing.run == RunState::RollingBack {
        tokio::time::sleep(LOOK).await;
        desk.refresh(standing).await?;
    }
    let why = || standing.reasons.last().cloned().unwrap_or_default();
    Ok(match standing.run {
        RunState::RolledBack => Ending::RolledBack,
        RunState::RollbackFailed | RunState::ClosedFailed => Ending::RollbackFailed(why()),
        // Its controller left it, and it goes on when somebody says so.
        RunState::Scheduled
        | RunState::AwaitingWindow
        | RunState::Running
        | RunState::Pausing
        | RunState::Paused
        | RunState::AwaitingDecision
        | RunState::Interrupted(_)
        | RunState::Aborting
        | RunState::Aborted
        | RunState::RollingBack
        | RunState::Completed
        | RunState::Cancelled => Ending::Stopped,
    })
}

/// Carries it out in this process, as the run's controller.
async fn here(global: &Global, at: Neighbours, run: &Run, desk: Desk) -> Result<Ending, CliError> {
    let at = Arc::new(at);
    let push = PushTuning { workers: None, rate: None, grace: 30 };
    let crew = Arc::new(Crew { global: global.clone(), at: Arc::clone(&at), run: run.clone(), push });
    let controller = Controller {
        desk,
        hands: Arc::clone(&crew) as Arc<dyn Hands>,
        plan: Arc::clone(&at.plan),
        folder: crew.folder(),
        process: process::process_id(),
        person: person(None),
        kind: RunKind::Production,
        options: Options { roll_back: true, ..Options::default() },
        stop: process::stop_on_signal()?,
    };
    Ok(Box::pin(controller.run()).await?)
}

async fn close(global: &Global, reason: String) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let (run, desk, mut standing) = staged_run(&at).await?;
    loop {
        if standing.run.next(RunEvent::CloseFailed).is_err() {
            return Err(CliError::new(
                Exit::No,
                format!("run {} is {}: no rollback has failed", run.id, standing.run),
            ));
        }
        let facts = vec![(Fact::Run(RunEvent::CloseFailed), Some(reason.clone()))];
        if desk.write(&mut standing, facts).await? == Wrote::Kept {
            break;
        }
    }
    at.ledger.finish_run(&run.id, SystemClock.micros()).await?;
    ui::line(format!("run {} is {}", run.id, standing.run))?;
    Ok(Exit::Done)
}
