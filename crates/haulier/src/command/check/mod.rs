//! `haulier check`: plan and site against source, queue, ledger and target, without writing.

mod keys;
mod ready;

pub(crate) use ready::WRITE_PROBE;

use std::time::Duration;

use haulier_core::calendar::lead;
use haulier_core::plan::{Entity, Plan, PushProgram};
use haulier_core::port::{Queue, Source, Target};
use serde::Serialize;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::{Preflight, Reading, There};
use crate::ui::{self, grouped};

/// Check plan and site against source, queue, ledger and target, without writing
///
/// Every neighbour is asked, whatever is wrong with the others. With `--keys` it also counts
/// duplicates and NULLs in source keys and, folded as the plan says, in natural keys, and rows whose parent or tenant is not there:
/// that reads whole tables.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Read whole tables to count duplicates and NULLs in keys, and rows whose parent is not there
    #[arg(long)]
    keys: bool,
    /// Only plan and site: connect to nobody
    #[arg(long, conflicts_with = "keys")]
    offline: bool,
}

/// What one question came to.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// Whether it is well, or only a warning.
    pub(crate) ok: bool,
    /// Whether somebody should look at it all the same.
    pub(crate) warns: bool,
    pub(crate) what: String,
    pub(crate) says: String,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    if args.offline {
        let (plan, _) = crate::site::read(global)?;
        ui::line(format!(
            "plan `{}`: {} entities, digest {}",
            plan.name,
            plan.entities.len(),
            &plan.digest[..12]
        ))?;
        return Ok(Exit::Done);
    }
    let findings = look(global, args.keys).await?;
    let Findings { all: findings, first } = findings;
    let fine = findings.iter().all(|finding| finding.ok);
    if global.json {
        ui::json(&serde_json::json!({ "ok": fine, "findings": findings }))?;
    } else {
        let rows = findings.iter().map(|f| vec![f.word().to_owned(), f.what.clone(), f.says.clone()]);
        ui::line(ui::table(&["", "what", "says"], rows))?;
    }
    match first {
        Some(error) => Err(error),
        None => Ok(if fine { Exit::Done } else { Exit::No }),
    }
}

/// Asks every neighbour.
async fn look(global: &Global, with_keys: bool) -> Result<Findings, CliError> {
    let at = Preflight::read(global)?;
    let mut findings = Findings::default();
    let mut ledger = None;
    match at.ledger().await {
        Ok(There::Yes(found)) => {
            findings.good("ledger", "it opens, and its version is known");
            ledger = Some(found);
        }
        Ok(There::NotYet(says)) => findings.good("ledger", says),
        Err(error) => findings.failed("ledger", error),
    }
    findings.all.extend(ready::rooms(&at));
    match at.source().await {
        Ok(source) => rows(&mut findings, source.as_ref(), &at.plan, with_keys).await,
        Err(error) => findings.failed("source", error),
    }
    match at.queue().await {
        Ok(There::Yes(queue)) => depth(&mut findings, queue.as_ref()).await,
        Ok(There::NotYet(says)) => findings.good("queue", says),
        Err(error) => findings.failed("queue", error),
    }
    match at.gauges().await {
        Ok(readings) => gauges(&mut findings, readings),
        Err(error) => findings.failed("brakes", error),
    }
    match at.target() {
        Ok(target) => lookups(&mut findings, target.as_ref(), &at.plan).await,
        Err(error) => findings.failed("target", error),
    }
    findings.all.extend(ready::write_probe(&at));
    findings.all.extend(ready::clocks(&at).await);
    windows(&mut findings, &at.plan);
    match at.lint(ledger.as_deref()).await {
        Ok(found) => findings.all.extend(found.into_iter().map(ready::open)),
        Err(error) => findings.failed("plan", error),
    }
    for channel in at.missing_channels() {
        let says = "notices of the plan name it, and the site's `[channels]` does not have it";
        findings.all.push(bad(format!("channel: {channel}"), says));
    }
    Ok(findings)
}

/// The same for a preflight.
pub(crate) async fn found(global: &Global) -> Result<Vec<Finding>, CliError> {
    let Findings { mut all, first: _ } = Box::pin(look(global, false)).await?;
    // A preflight says itself what came of it.
    all.retain(|finding| finding.what != WRITE_PROBE);
    Ok(all)
}

impl Finding {
    fn word(&self) -> &'static str {
        match (self.ok, self.warns) {
            (true, false) => "ok",
            (true, true) => "look",
            (false, _) => "NO",
        }
    }
}

/// What was found, and the first neighbour that could not be asked.
#[derive(Debug, Default)]
struct Findings {
    all: Vec<Finding>,
    first: Option<CliError>,
}

impl Findings {
    fn good(&mut self, what: impl Into<String>, says: impl Into<String>) {
        self.all.push(good(what, says));
    }

    fn failed(&mut self, what: impl Into<String>, error: CliError) {
        self.all.push(bad(what, error.told()));
        self.first.get_or_insert(error);
    }
}

async fn rows(findings: &mut Findings, source: &dyn Source, plan: &Plan, with_keys: bool) {
    for entity in &plan.entities {
        let what = format!("source: {}", entity.name);
        let counted = async {
            source.check(entity).await?;
            source.count(entity).await
        };
        match counted.await {
            Ok(rows) => findings.good(what, format!("{} rows", grouped(rows))),
            Err(error) => findings.failed(what, error.into()),
        }
    }
    if !with_keys {
        return;
    }
    let schema = match source.schema().await {
        Ok(schema) => schema,
        Err(error) => return findings.failed("source: keys", error.into()),
    };
    for entity in &plan.entities {
        match keys::of(source, &schema, plan, entity).await {
            Ok(found) => findings.all.extend(found),
            Err(error) => findings.failed(format!("source: keys of {}", entity.name), error),
        }
    }
}

/// Whether what the stages took in rehearsals fits into each window that has a date.
fn windows(findings: &mut Findings, plan: &Plan) {
    let durations = &plan.calendar.durations;
    let stages = durations.stages.iter().filter_map(|(stage, _)| durations.stage(stage));
    let needs: Duration = stages.chain(durations.smoke).sum();
    for window in plan.calendar.windows.iter().filter(|_| !durations.stages.is_empty()) {
        let Some(opening) = plan.calendar.window_date(window) else { continue };
        let lasts = opening.span.length();
        let says = format!("it lasts {}, and stages and smoke take {}", lead::say(lasts), lead::say(needs));
        let what = format!("window: {}", window.name);
        findings.all.push(if needs <= lasts { good(what, says) } else { bad(what, says) });
    }
}

async fn depth(findings: &mut Findings, queue: &dyn Queue) {
    let (depth, ready) = (queue.depth().await, queue.ready().await);
    findings.all.push(match (depth, ready) {
        (Ok(depth), _) => good(
            "queue",
            format!("{} ready, {} unsettled, {} dead", depth.ready, depth.unsettled, depth.dead),
        ),
        // A broker counts what is unsettled only every few seconds.
        (Err(error), Ok(ready)) => good("queue", format!("{ready} ready; for now no more is known: {error}")),
        (Err(error), Err(_)) => bad("queue", error.to_string()),
    });
}

fn gauges(findings: &mut Findings, readings: Vec<Reading>) {
    for Reading { rule, value } in readings {
        let what = format!("brake: {}", rule.name);
        findings.all.push(match value {
            Ok(value) if value > rule.limit => {
                let (value, limit) = (rule.unit.show(value), rule.unit.show(rule.limit));
                warning(what, format!("it reads {value}, and holds above {limit}"))
            }
            Ok(value) => good(what, format!("it reads {}", rule.unit.show(value))),
            Err(error) => bad(what, error.to_string()),
        });
    }
}

async fn lookups(findings: &mut Findings, target: &dyn Target, plan: &Plan) {
    match target.check().await {
        Ok(()) => findings.good("target", "it answers and takes the credentials"),
        Err(failure) => return findings.failed("target", failure.into()),
    }
    for entity in plan.entities.iter().filter(|entity| has_lookup(entity)) {
        let what = format!("target: lookup of {}", entity.name);
        findings.all.push(match target.check_lookup(entity).await {
            Ok(()) => good(what, "a key that cannot exist finds nothing"),
            Err(failure) => bad(what, failure.to_string()),
        });
    }
}

fn good(what: impl Into<String>, says: impl Into<String>) -> Finding {
    Finding { ok: true, warns: false, what: what.into(), says: says.into() }
}

fn warning(what: impl Into<String>, says: impl Into<String>) -> Finding {
    Finding { ok: true, warns: true, what: what.into(), says: says.into() }
}

fn bad(what: impl Into<String>, says: impl Into<String>) -> Finding {
    Finding { ok: false, warns: true, what: what.into(), says: says.into() }
}

fn has_lookup(entity: &Entity) -> bool {
    match &entity.push {
        PushProgram::LookupThenWrite { .. } => true,
        PushProgram::Create { lookup, .. } => lookup.is_some(),
        PushProgram::Put { .. }
        | PushProgram::Link { .. }
        | PushProgram::Update { .. }
        | PushProgram::Bulk(_) => false,
    }
}
