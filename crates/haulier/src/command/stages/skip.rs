//! `haulier stage skip`: leaves an optional stage out, by somebody who may.

use haulier_core::StageName;
use haulier_core::plan::{Person, Stage, Stages};
use haulier_core::stage::{Fact, StageEvent};
use haulier_stages::Wrote;

use super::{person, staged_run};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Who may leave a stage out before which no gate stands.
const ROLE: &str = "approver";

/// Leave a stage out
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Leave an optional stage out that has not begun, or that failed; on record for ever
    Skip {
        /// The stage
        stage: String,
        /// Who decides, by the name in the plan's `people`: one of its gate's approvers, or of the role `approver` [default: the account]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let What::Skip { stage, by, reason } = args.what;
    let at = Neighbours::open(global).await?;
    let (_, desk, mut standing) = staged_run(&at).await?;
    let stages = &at.plan.stages;
    let name = StageName::new(stage.as_str());
    let found = stages.stage(&name).ok_or_else(|| {
        let names: Vec<&str> = stages.stages.iter().map(|stage| stage.name.as_str()).collect();
        CliError::new(Exit::Usage, format!("the plan has no stage `{stage}`"))
            .hint(format!("it has {}", names.join(", ")))
    })?;
    let person = person(by.as_deref());
    let reason = reason.trim();
    refuse(stages, found, &person, reason)?;
    loop {
        if standing.stage(&name).state.next(StageEvent::Skip).is_err() {
            return Err(CliError::new(
                Exit::No,
                format!("stage `{name}` is {}, and cannot be left out", standing.stage(&name).state),
            )
            .hint("a stage can be left out before it begins, and after it failed"));
        }
        let fact = Fact::Other {
            kind: "skip".to_owned(),
            subject: name.to_string(),
            word: "decided".to_owned(),
            data: person.clone(),
        };
        let why = Some(format!("{reason} ({person})"));
        let facts = vec![(fact, why.clone()), (Fact::Stage(name.clone(), StageEvent::Skip), why)];
        if desk.write(&mut standing, facts).await? == Wrote::Kept {
            ui::line(format!("{person} left stage `{name}` out: {reason}"))?;
            return Ok(Exit::Done);
        }
    }
}

fn refuse(stages: &Stages, stage: &Stage, person: &str, reason: &str) -> Result<(), CliError> {
    if !stage.optional {
        return Err(CliError::new(Exit::No, format!("stage `{}` is not optional", stage.name))
            .hint("`optional = true` in the plan, then `haulier plan amend --reason TEXT`"));
    }
    if reason.is_empty() {
        return Err(CliError::new(Exit::Usage, "leaving a stage out needs a reason"));
    }
    let role = stages.gate(&stage.name).map_or(ROLE, |gate| gate.approvers.role.as_str());
    let may = |one: &Person| one.name == person && one.roles.iter().any(|known| known == role);
    if stages.people.iter().any(may) {
        return Ok(());
    }
    Err(CliError::new(Exit::No, format!("{person} may not leave it out: it takes the role `{role}`"))
        .hint("`--by NAME` names one of the plan's `[people]`"))
}
