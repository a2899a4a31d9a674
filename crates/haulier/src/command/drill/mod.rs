//! `haulier drill`: kill a part midstream on a rehearsal site, start it again, and see what that cost.

mod cost;
mod part;
mod parts;
mod pull;
mod report;

use std::path::{Path, PathBuf};

use haulier_core::port::Clock;

use self::part::Part;
use self::report::{Pulled, Report};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::ui;

pub(crate) use self::report::{REPORT, verdict};

/// Kill a part midstream on a rehearsal site, start it again, and report what was lost, doubled and repeated
///
/// Of haulier's own processes it kills only those that it started, as `kill -9` does; broker, source, target and ledger by the
/// commands of the site's `[drill]`. The site must say `rehearsal = true`. The report is evidence for a gate (`drill.done`).
/// Ends with 0 when nothing was lost and nothing doubled, else with 1.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is killed
    #[arg(long, value_name = "PART")]
    kill: Part,
    /// Kill once so many records have landed
    #[arg(long, value_name = "N", default_value_t = 20)]
    after: u64,
    /// Where the report goes [default: drill.json beside the plan]
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    if !at.is_rehearsal() {
        return Err(CliError::new(
            Exit::Usage,
            "a drill kills what works for a site, and this one is not for that",
        )
        .hint("`rehearsal = true` at the top of the rehearsal's own site file"));
    }
    let plug = args.kill.plug(at.drill())?;
    if at.ledger.latest_run().await?.is_some_and(|run| run.finished_at.is_none()) {
        return Err(CliError::new(Exit::No, "a run is unfinished on this site")
            .hint("let it end, or `haulier abort --reason drill`: a drill has a run of its own"));
    }
    let file = args.report.unwrap_or_else(|| global.plan.parent().unwrap_or(Path::new("")).join(REPORT));
    ui::note(format!("drill: the {} will be killed after {} landed records", args.kill.as_str(), args.after));
    let drill = pull::Drill { global, at: &at, part: args.kill, plug, after: args.after };
    let pulled = drill.pull().await?;
    // What was pulled on this plan before stays in the report.
    let earlier =
        report::read(&file).filter(|report| report.plan == at.plan.name && report.digest == at.plan.digest);
    let mut all = earlier.map(|report| report.pulled).unwrap_or_default();
    all.retain(|one| one.killed != args.kill);
    all.push(pulled);
    let report = Report {
        haulier_drill: 1,
        plan: at.plan.name.clone(),
        digest: at.plan.digest.clone(),
        at: SystemClock.now().to_string(),
        by: process::operator(),
        passed: all.iter().all(Pulled::passed),
        pulled: all,
    };
    let text = serde_json::to_string_pretty(&report).map_err(CliError::bug)?;
    std::fs::write(&file, text + "\n")?;
    if global.json {
        ui::json(&report)?;
    } else {
        ui::line(report.table())?;
        ui::note(format!("the report is {}", file.display()));
    }
    Ok(if report.passed { Exit::Done } else { Exit::No })
}
