//! `haulier drill`: kill a part midstream on a rehearsal site, start it again, and see what that cost.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use haulier_core::port::{Clock, DeadFilter, Run};
use haulier_core::stage::CheckResult;
use haulier_core::{RecordState, plan::StageKind};
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::ui;

/// The report's name beside the plan, where the check `drill.done` looks for it.
pub(crate) const REPORT: &str = "drill.json";
/// How often is looked how far it came.
const LOOK: Duration = Duration::from_millis(20);
/// Longest time for a part to come so far, or to end.
const PATIENCE: Duration = Duration::from_mins(30);

/// Kill a part midstream on a rehearsal site, start it again, and report what was lost, doubled and repeated
///
/// Starts its own processes and kills only those, as `kill -9` does. The site must say `rehearsal = true`. The report is evidence
/// for a gate (`drill.done`). Ends with 0 when nothing was lost and nothing doubled, else with 1.
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

/// What can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// The process that reads the source
    Producer,
    /// The process that pushes
    Worker,
    /// The process that walks the stages, up to the end of the smoke; without stages, `haulier run`
    Controller,
}

impl Part {
    fn as_str(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Worker => "worker",
            Self::Controller => "controller",
        }
    }
}

/// What came of one kill.
#[derive(Debug, Serialize, Deserialize)]
struct Pulled {
    killed: Part,
    run: String,
    /// Records that had landed when it was killed.
    landed_before: u64,
    planned: u64,
    /// Records that the target should have and has not.
    lost: u64,
    /// Records that the target has and nobody explains.
    doubled: u64,
    changed: u64,
    /// Records that took more than one attempt.
    repeated: u64,
    /// From the restart to the first record that landed after it, in milliseconds; `None` where none was left.
    resumed_after_ms: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Report {
    haulier_drill: u32,
    plan: String,
    digest: String,
    at: String,
    by: String,
    passed: bool,
    pulled: Vec<Pulled>,
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
    if at.ledger.latest_run().await?.is_some_and(|run| run.finished_at.is_none()) {
        return Err(CliError::new(Exit::No, "a run is unfinished on this site")
            .hint("let it end, or `haulier abort --reason drill`: a drill has a run of its own"));
    }
    let file = args.report.unwrap_or_else(|| global.plan.parent().unwrap_or(Path::new("")).join(REPORT));
    ui::note(format!("drill: the {} will be killed after {} landed records", args.kill.as_str(), args.after));
    // What was pulled on this plan before stays in the report.
    let earlier = read(&file).filter(|report| report.plan == at.plan.name && report.digest == at.plan.digest);
    let mut pulled = earlier.map(|report| report.pulled).unwrap_or_default();
    pulled.retain(|one| one.killed != args.kill);
    pulled.push(pull(global, &at, args.kill, args.after).await?);
    let passed = pulled.iter().all(|one| one.lost + one.doubled + one.changed == 0);
    let report = Report {
        haulier_drill: 1,
        plan: at.plan.name.clone(),
        digest: at.plan.digest.clone(),
        at: SystemClock.now().to_string(),
        by: process::operator(),
        passed,
        pulled,
    };
    let text = serde_json::to_string_pretty(&report).map_err(CliError::bug)?;
    std::fs::write(&file, text + "\n")?;
    if global.json {
        ui::json(&report)?;
    } else {
        let rows = report.pulled.iter().map(|one| {
            let mut row = vec![one.killed.as_str().to_owned()];
            row.extend(
                [one.landed_before, one.planned, one.lost, one.doubled, one.changed, one.repeated]
                    .map(ui::grouped),
            );
            row.push(one.resumed_after_ms.map(|ms| format!("{ms} ms")).unwrap_or_default());
            row
        });
        let head =
            ["killed", "landed before", "planned", "lost", "doubled", "changed", "repeated", "resumed after"];
        ui::line(ui::table(&head, rows))?;
        ui::note(format!("the report is {}", file.display()));
    }
    Ok(if passed { Exit::Done } else { Exit::No })
}

/// The processes of one drill; killed with it.
struct Parts<'g> {
    global: &'g Global,
}

impl Parts<'_> {
    fn start(&self, words: &[&str]) -> Result<Child, CliError> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(words)
            .arg("--no-progress")
            .arg("--plan")
            .arg(&self.global.plan)
            .arg("--site")
            .arg(&self.global.site);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        Ok(command.spawn()?)
    }
}

async fn pull(global: &Global, at: &Neighbours, part: Part, after: u64) -> Result<Pulled, CliError> {
    let parts = Parts { global };
    let before = at.ledger.latest_run().await?.map(|run| run.id);
    let smoke = at.plan.stages.of_kind(StageKind::Smoke).map(|stage| stage.name.to_string());
    let until = smoke.clone().unwrap_or_default();
    let begin: Vec<&str> = match (part, &smoke) {
        (Part::Producer | Part::Worker, _) => vec!["produce", "--drill"],
        (Part::Controller, Some(_)) => vec!["run", "--rehearsal", "--no-wait", "--until", &until],
        (Part::Controller, None) => vec!["run"],
    };
    let mut main = parts.start(&begin)?;
    let mut worker = if part == Part::Controller { None } else { Some(parts.start(&["work"])?) };
    let run = newer(at, before.as_ref()).await?;
    let landed_before = until_landed(at, &run, after, &mut main).await?;
    let victim = match (part, &mut worker) {
        (Part::Worker, Some(worker)) => worker,
        (Part::Producer | Part::Worker | Part::Controller, _) => &mut main,
    };
    victim.kill().await?;
    let killed_at = landed(at, &run).await?;
    let restarted = Instant::now();
    match part {
        Part::Producer => main = parts.start(&begin)?,
        Part::Worker => worker = Some(parts.start(&["work"])?),
        Part::Controller if smoke.is_some() => main = resumed(&parts, &begin).await?,
        Part::Controller => main = parts.start(&begin)?,
    }
    let mut resumed_after = None;
    let ended = loop {
        tokio::select! {
            ended = main.wait() => break ended?,
            () = tokio::time::sleep(LOOK) => {
                if resumed_after.is_none() && landed(at, &run).await? > killed_at {
                    resumed_after = Some(restarted.elapsed());
                }
            }
        }
        if restarted.elapsed() > PATIENCE {
            return Err(CliError::new(Exit::No, "the drill's processes did not end"));
        }
    };
    if let Some(mut worker) = worker {
        worker.wait().await?;
    }
    if !matches!(ended.code(), Some(0 | 1)) {
        return Err(CliError::new(Exit::No, format!("what was started again ended with {ended}"))
            .hint("run it by hand, to hear what it says"));
    }
    let tally = at.ledger.tally(&run.id).await?.total();
    let differs = differences(global, at, &run, part == Part::Controller && smoke.is_some()).await?;
    if part == Part::Controller && smoke.is_some() {
        // Its run ends here: the next drill has one of its own.
        at.ledger.finish_run(&run.id, SystemClock.micros()).await?;
    }
    Ok(Pulled {
        killed: part,
        run: run.id.to_string(),
        landed_before,
        planned: tally.planned,
        lost: differs[0] + tally.open(),
        doubled: differs[1],
        changed: differs[2],
        repeated: repeated(at, &run).await?,
        resumed_after_ms: resumed_after.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
    })
}

/// A controller that takes the run up, once the lease of the killed one has run out.
async fn resumed(parts: &Parts<'_>, begin: &[&str]) -> Result<Child, CliError> {
    tokio::time::sleep(haulier_stages::LEASE).await;
    parts.start(&[begin, &["--resume"]].concat())
}

async fn newer(at: &Neighbours, before: Option<&haulier_core::RunId>) -> Result<Run, CliError> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if let Some(run) = at.ledger.latest_run().await?.filter(|run| Some(&run.id) != before) {
            return Ok(run);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(CliError::new(Exit::No, "the drill's run did not begin"))
}

async fn landed(at: &Neighbours, run: &Run) -> Result<u64, CliError> {
    Ok(at.ledger.tally(&run.id).await?.total().of(RecordState::Landed))
}

/// Waits until so many records have landed; less is midstream enough when it ended before.
async fn until_landed(at: &Neighbours, run: &Run, after: u64, main: &mut Child) -> Result<u64, CliError> {
    let since = Instant::now();
    loop {
        let found = landed(at, run).await?;
        if found >= after {
            return Ok(found);
        }
        if let Some(ended) = main.try_wait()? {
            return Err(CliError::new(
                Exit::No,
                format!("the run ended ({ended}) after {found} landed records, before anything was killed"),
            )
            .hint("`--after` with a smaller number, or a source of which something is left to move"));
        }
        if since.elapsed() > PATIENCE {
            return Err(CliError::new(Exit::No, "too few records landed"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Missing, extra and changed records that nothing explains.
async fn differences(global: &Global, at: &Neighbours, run: &Run, smoke: bool) -> Result<[u64; 3], CliError> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["validate", "diff", "--json", "--no-progress", "--plan"])
        .arg(&global.plan)
        .arg("--site")
        .arg(&global.site);
    if smoke {
        let tenants =
            at.plan.stages.of_kind(StageKind::Smoke).map(|stage| stage.tenants.clone()).unwrap_or_default();
        for tenant in tenants {
            command.arg("--tenant").arg(tenant.as_str());
        }
    }
    let output = command.stdin(Stdio::null()).output().await?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(CliError::new(Exit::No, format!("run {} cannot be validated: {said}", run.id)));
    }
    let mut found = [0; 3];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        for (sum, name) in found.iter_mut().zip(["missing", "extra", "changed"]) {
            *sum += value
                .pointer(&format!("/unexplained/{name}"))
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0);
        }
    }
    Ok(found)
}

async fn repeated(at: &Neighbours, run: &Run) -> Result<u64, CliError> {
    let states = vec![RecordState::Landed];
    let filter = DeadFilter { states, entity: None, kinds: Vec::new(), tenant: None };
    let (mut count, mut after) = (0, None);
    loop {
        let page = at.ledger.list(&run.id, &filter, after.as_ref(), 1000).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.record.clone());
        count += page.iter().filter(|row| row.attempts > 1).count() as u64;
    }
}

/// A report; one that is not there, or is none, is nothing.
fn read(file: &Path) -> Option<Report> {
    std::fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok())
}

/// What the last report says of a plan, as a check answers.
pub(crate) fn verdict(file: &Path, plan: &str) -> (CheckResult, String) {
    match read(file) {
        None => (CheckResult::Inconclusive, format!("there is no report {}", file.display())),
        Some(report) if report.plan != plan => {
            (CheckResult::Inconclusive, format!("the report is of the plan `{}`", report.plan))
        }
        Some(report) => {
            let kills: Vec<String> = report.pulled.iter().map(|one| one.killed.as_str().to_owned()).collect();
            let result = if report.passed { CheckResult::Pass } else { CheckResult::Fail };
            (result, format!("{} killed at {} by {}", kills.join(", "), report.at, report.by))
        }
    }
}
