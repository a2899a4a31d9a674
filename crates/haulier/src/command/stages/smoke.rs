//! `haulier smoke`: the first stages of a plan, up to the end of its smoke.

use haulier_core::TenantKey;
use haulier_core::plan::StageKind;

use super::staged::{Staging, walk};
use crate::args::Global;
use crate::command::tuning::{ProduceTuning, PushTuning};
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;

/// Walk the stages up to the end of the smoke: a few whole tenants, and their deep validation
///
/// The tenants go through the same queue and workers as all others will. Nobody else moves before the gate behind it is open;
/// `haulier run --resume` goes on to that gate.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A tenant by its key in the source, instead of those of the plan; may be given more than once
    #[arg(long, value_name = "KEY")]
    tenant: Vec<String>,
    #[command(flatten)]
    produce: ProduceTuning,
    #[command(flatten)]
    push: PushTuning,
    /// A rehearsal: who started it may open gates
    #[arg(long)]
    rehearsal: bool,
    /// Take up a run that was interrupted
    #[arg(long)]
    resume: bool,
    /// Who starts it, by the name in the plan's `people` [default: the account]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let Some(smoke) = at.plan.stages.of_kind(StageKind::Smoke) else {
        return Err(CliError::new(Exit::Usage, "the plan has no smoke stage")
            .hint("`[[stage]]` with `kind = \"smoke\"` and `tenants`; see docs/stages.md"));
    };
    let staging = Staging {
        until: Some(smoke.name.to_string()),
        no_wait: true,
        rehearsal: args.rehearsal,
        resume: args.resume,
        by: args.by,
        ..Staging::default()
    };
    let tenants = args.tenant.iter().map(|key| TenantKey::new(key.as_str())).collect();
    Box::pin(walk(global, at, &args.produce, &args.push, &staging, tenants)).await
}
