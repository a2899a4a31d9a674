//! The commands of a run that walks stages.

mod abort;
mod amend;
mod crew;
mod fence;
mod finding;
mod gate;
mod incident;
mod leg;
mod rollback;
mod show;
mod skip;
mod smoke;
mod staged;

pub(crate) use abort::Args as AbortArgs;
pub(crate) use abort::run as abort;
pub(crate) use amend::Args as PlanArgs;
pub(crate) use amend::run as plan;
pub(crate) use fence::hold_without_controller;
pub(crate) use finding::Args as FindingArgs;
pub(crate) use finding::run as finding;
pub(crate) use gate::Args as GateArgs;
pub(crate) use gate::run as gate;
pub(crate) use incident::Args as IncidentArgs;
pub(crate) use incident::run as incident;
pub(crate) use rollback::{Args as RollbackArgs, run as rollback};
pub(crate) use show::Args as StagesArgs;
pub(crate) use show::run as stages;
pub(crate) use skip::Args as StageArgs;
pub(crate) use skip::run as stage;
pub(crate) use smoke::Args as SmokeArgs;
pub(crate) use smoke::run as smoke;
pub(crate) use staged::{Staging, go_on, pause, refuse_unstaged, walk};

use std::sync::Arc;

use haulier_core::port::{Ledger, Run, StageLog};
use haulier_core::stage::Standing;
use haulier_stages::{Desk, Trouble};

use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;

/// The ledger's stage log.
fn log(ledger: &Arc<dyn Ledger>) -> Arc<dyn StageLog> {
    Arc::clone(ledger) as Arc<dyn StageLog>
}

/// The history of a run, in this operator's name.
fn desk(at: &Neighbours, run: &Run) -> Desk {
    Desk { log: log(&at.ledger), clock: Arc::new(SystemClock), run: run.id.clone(), by: process::operator() }
}

/// The newest run, which must walk stages, and where it stands.
async fn staged_run(at: &Neighbours) -> Result<(Run, Desk, Standing), CliError> {
    let run = at.latest_run().await?;
    let desk = desk(at, &run);
    let standing = desk.standing().await?;
    if standing.version == 0 {
        return Err(CliError::new(Exit::No, format!("run {} walks no stages", run.id))
            .hint("`[[stage]]` in the plan, then `haulier run`; see docs/stages.md"));
    }
    Ok((run, desk, standing))
}

/// Who acts, by the name in the plan: what they say, else the account.
fn person(by: Option<&str>) -> String {
    by.map_or_else(|| process::operator().split('@').next().unwrap_or_default().to_owned(), str::to_owned)
}

impl From<Trouble> for CliError {
    fn from(trouble: Trouble) -> Self {
        let told = trouble.to_string();
        match trouble {
            Trouble::Ledger(error) => error.into(),
            Trouble::Broken(_) => Self::new(Exit::Bug, told),
            Trouble::Held { .. } => Self::new(Exit::Unreachable, told)
                .hint("one controller at a time: stop that process, or wait ten seconds after it died"),
            Trouble::Lost(_) => Self::new(Exit::Unreachable, told)
                .hint("what it was doing goes on there; `haulier stages` shows where the run stands"),
            Trouble::Refused(refusal) => {
                let refused = Self::new(Exit::No, told);
                use haulier_core::stage::Refusal as R;
                match refusal {
                    R::Override { .. } => refused.hint("`haulier gate show` says why; who has the gate's `override_role` may say `--override` with a `--note`"),
                    R::NotDecidable { .. } => refused.hint("`haulier gate evaluate` runs its checks"),
                    R::EvidenceChanged { .. } | R::EvidenceOld { .. } => refused.hint("`haulier gate evaluate`, then `haulier gate show`, then decide"),
                    R::PlanChanged => refused.hint("`haulier plan amend --reason TEXT` makes a new revision, or put the plan back"),
                    R::NoReason { .. } => refused.hint("`--note TEXT`"),
                    R::NoWayBack => refused.hint("`restore = \"HOOK\"` in the plan's `[snapshot]`; `haulier abort` stops, and leaves the target as it is"),
                    R::NoReturn { .. } => refused.hint("mend what is wrong, or `haulier abort`: the target keeps what it has"),
                    R::NotBack { .. } => refused.hint("`haulier stages` shows where the run stands"),
                    R::Unapproved { .. } => refused.hint("`haulier rollback decide --by NAME --note TEXT`"),
                    R::Unknown { .. } | R::Role { .. } | R::Starter { .. } | R::Again { .. } => {
                        refused.hint("`--by NAME` names one of the plan's `[people]`")
                    }
                }
            }
            Trouble::Told(_) => Self::new(Exit::No, told),
        }
    }
}
