//! Walking a plan's stages as the run's controller.

use std::collections::BTreeSet;
use std::sync::Arc;

use haulier_core::plan::Plan;
use haulier_core::stage::{Fact, RunEvent, RunKind, RunState, Standing, TenantState};
use haulier_core::{RunId, StageName, TenantKey};
use haulier_stages::{Controller, Ending, Hands, Options, Wrote};

use super::crew::Crew;
use super::{desk, person};
use crate::args::Global;
use crate::command::control::open_valves;
use crate::command::tuning::{self, ProduceTuning, PushTuning};
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::site::notices::Teller;
use crate::ui;

/// What a plan with stages adds to `haulier run`.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Staging {
    /// Take up a run that was interrupted or paused, exactly where it was
    #[arg(long, help_heading = "Stages")]
    pub(crate) resume: bool,
    /// End at a closed gate or window, with 5, instead of waiting there
    #[arg(long, help_heading = "Stages")]
    pub(crate) no_wait: bool,
    /// Go no further than the end of this stage
    #[arg(long, value_name = "STAGE", help_heading = "Stages")]
    pub(crate) until: Option<String>,
    /// Do not skip this optional stage; may be given more than once
    #[arg(long, value_name = "STAGE", help_heading = "Stages")]
    pub(crate) with: Vec<String>,
    /// A rehearsal: who started it may open gates, and gates with `auto` open by themselves
    #[arg(long, help_heading = "Stages")]
    pub(crate) rehearsal: bool,
    /// Go on although source or target look other than at the preflight
    #[arg(long, help_heading = "Stages")]
    pub(crate) accept_drift: bool,
    /// A new run after this aborted one: tenants that it accepted are not moved again
    #[arg(long = "continue", value_name = "RUN", conflicts_with = "resume", help_heading = "Stages")]
    pub(crate) continues: Option<String>,
    /// Who starts it, by the name in the plan's `people` [default: the account]
    #[arg(long, value_name = "NAME", help_heading = "Stages")]
    pub(crate) by: Option<String>,
}

impl Staging {
    fn is_used(&self) -> bool {
        self.resume
            || self.no_wait
            || self.rehearsal
            || self.accept_drift
            || self.until.is_some()
            || self.continues.is_some()
            || !self.with.is_empty()
    }
}

/// A plan without stages has no use for their options.
pub(crate) fn refuse_unstaged(staging: &Staging) -> Result<(), CliError> {
    if staging.is_used() {
        return Err(CliError::new(Exit::Usage, "the plan has no stages, so there is nothing to walk").hint(
            "`[[stage]]` in the plan; see docs/stages.md. Without stages `haulier run` goes on by itself",
        ));
    }
    Ok(())
}

/// A stage of the plan, by its name as typed.
fn stage(plan: &Plan, name: &str) -> Result<StageName, CliError> {
    let known = plan.stages.stages.iter().map(|stage| stage.name.as_str());
    if known.clone().any(|known| known == name) {
        return Ok(StageName::new(name));
    }
    let names: Vec<&str> = known.collect();
    Err(CliError::new(Exit::Usage, format!("the plan has no stage `{name}`"))
        .hint(format!("it has {}", names.join(", "))))
}

/// Whom an earlier run accepted. It must be over.
async fn accepted(at: &Neighbours, continues: Option<&str>) -> Result<Vec<TenantKey>, CliError> {
    let Some(earlier) = continues else { return Ok(Vec::new()) };
    let standing = Standing::of(&at.ledger.entries(&RunId::new(earlier), 0).await?)
        .map_err(|misstep| CliError::new(Exit::Bug, format!("run {earlier}: {misstep}")))?;
    if standing.run == RunState::RolledBack {
        return Err(CliError::new(
            Exit::No,
            format!("run {earlier} was rolled back, and the target has nothing of what it accepted"),
        ));
    }
    if standing.version == 0 || standing.run.is_live() || standing.run == RunState::Scheduled {
        return Err(CliError::new(
            Exit::No,
            format!("run {earlier} is {}, and cannot be continued", standing.run),
        )
        .hint(
            "`haulier run --resume` takes an interrupted run up; a run that was aborted can be continued",
        ));
    }
    let accepted = standing.tenants.into_iter().filter(|(_, state)| *state == TenantState::Accepted);
    Ok(accepted.map(|(tenant, _)| tenant).collect())
}

/// Refuses to resume what is over: that would begin a new run, with its hooks and notices.
async fn something_to_resume(at: &Neighbours) -> Result<(), CliError> {
    let over = match at.ledger.latest_run().await? {
        None => "there has been no run yet".to_owned(),
        Some(run) => {
            let standing = desk(at, &run).standing().await?;
            if matches!(standing.run, RunState::Completed | RunState::Aborted) {
                format!("run {} is {}", run.id, standing.run)
            } else if run.finished_at.is_some() && standing.run != RunState::RolledBack {
                format!("run {} is finished", run.id)
            } else {
                // Also for what was rolled back: that has an answer of its own.
                return Ok(());
            }
        }
    };
    Err(CliError::new(Exit::No, format!("{over}, so there is nothing to resume"))
        .hint("`haulier run` begins a new run; `--continue RUN` takes over whom an aborted one accepted"))
}

fn is_paused(standing: &Standing) -> bool {
    use haulier_core::stage::Live;
    matches!(
        standing.run,
        RunState::Pausing | RunState::Paused | RunState::Interrupted(Live::Pausing | Live::Paused)
    )
}

/// Walks the stages in this process.
pub(crate) async fn walk(
    global: &Global,
    at: Neighbours,
    produce: &ProduceTuning,
    push: &PushTuning,
    staging: &Staging,
    smoke: Vec<TenantKey>,
) -> Result<Exit, CliError> {
    let options = Options {
        until: staging.until.as_deref().map(|name| stage(&at.plan, name)).transpose()?,
        no_wait: staging.no_wait,
        with: staging.with.iter().map(|name| stage(&at.plan, name)).collect::<Result<BTreeSet<_>, _>>()?,
        resume: staging.resume,
        accept_drift: staging.accept_drift,
        roll_back: false,
        accepted: accepted(&at, staging.continues.as_deref()).await?,
        smoke,
    };
    let stop = process::stop_on_signal()?;
    if staging.resume {
        something_to_resume(&at).await?;
    }
    let run = tuning::open_run(&at, produce).await?;
    if staging.resume && is_paused(&desk(&at, &run).standing().await?) {
        // Whoever paused it shut the valves, too.
        open_valves(&at, &run, None).await?;
    }
    let at = Arc::new(at);
    let push = push.clone();
    let crew = Arc::new(Crew { global: global.clone(), at: Arc::clone(&at), run: run.clone(), push });
    let controller = Controller {
        desk: desk(&at, &run),
        hands: Arc::clone(&crew) as Arc<dyn Hands>,
        plan: Arc::clone(&at.plan),
        folder: crew.folder(),
        process: process::process_id(),
        person: person(staging.by.as_deref()),
        kind: if staging.rehearsal { RunKind::Rehearsal } else { RunKind::Production },
        options,
        stop,
    };
    ui::note(format!("run {} of plan `{}` walks its stages", run.id, run.plan));
    let teller = Teller::start(&at)?;
    let ending = Box::pin(controller.run()).await;
    // What happened last is told also where the walk ended badly.
    if let Some(teller) = teller {
        teller.end().await;
    }
    let ending = ending?;
    let code = match &ending {
        Ending::Completed => Exit::Done,
        Ending::Aborted | Ending::RolledBack | Ending::RollbackFailed(_) => Exit::No,
        Ending::Reached(_)
        | Ending::AtGate(_)
        | Ending::AtWindow(_)
        | Ending::Paused(_)
        | Ending::Stopped => Exit::Stopped,
    };
    let code =
        if matches!(ending, Ending::Reached(_)) && staging.until.is_some() { Exit::Done } else { code };
    let said = match ending {
        Ending::Completed => "completed: every stage is done".to_owned(),
        Ending::Aborted => "aborted; a new `haulier run` sends only what has not landed".to_owned(),
        Ending::RolledBack => "rolled back: the target is as it was at the snapshot".to_owned(),
        Ending::RollbackFailed(why) => {
            format!(
                "the rollback failed: {why}; `haulier rollback decide` and `start` try again, `haulier rollback close` ends it"
            )
        }
        Ending::Reached(stage) => format!("done up to `{stage}`; `haulier run --resume` goes on"),
        Ending::AtGate(stage) => {
            format!("the gate before `{stage}` waits for a decision: `haulier gate show {stage}`")
        }
        Ending::AtWindow(why) => why,
        Ending::Paused(reasons) => format!("paused: {}; `haulier run --resume` goes on", reasons.join("; ")),
        Ending::Stopped => "left; `haulier run --resume` takes it up where it is".to_owned(),
    };
    if global.json {
        ui::json(&serde_json::json!({ "run": run.id.as_str(), "exit": code.number(), "said": said }))?;
    } else {
        ui::line(format!("run {}: {said}", run.id))?;
    }
    Ok(code)
}

/// Lets a paused run that walks stages go on, where its controller waits; `false` where there is none.
pub(crate) async fn go_on(at: &Neighbours, reason: Option<String>) -> Result<bool, CliError> {
    let why = reason.or_else(|| Some("resumed".to_owned()));
    moves(at, RunEvent::Resume, why).await.map(|state| state.is_some())
}

/// Pauses a run that walks stages; the state that it then has, or nothing where there is none that can be paused.
pub(crate) async fn pause(at: &Neighbours, reason: Option<String>) -> Result<Option<RunState>, CliError> {
    let why = reason.unwrap_or_else(|| format!("paused by {}", process::operator()));
    moves(at, RunEvent::Pause, Some(why)).await
}

async fn moves(at: &Neighbours, event: RunEvent, why: Option<String>) -> Result<Option<RunState>, CliError> {
    let Some(run) = at.ledger.latest_run().await? else { return Ok(None) };
    let desk = desk(at, &run);
    loop {
        let mut standing = desk.standing().await?;
        if standing.version == 0 || standing.run.next(event).is_err() {
            return Ok(None);
        }
        if desk.write(&mut standing, vec![(Fact::Run(event), why.clone())]).await? == Wrote::Kept {
            return Ok(Some(standing.run));
        }
    }
}
