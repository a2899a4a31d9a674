//! `haulier gate`: what stands before a stage, and who opens it.

use std::sync::Arc;

use haulier_core::StageName;
use haulier_core::plan::{CheckAsk, Gate};
use haulier_core::port::Clock;
use haulier_core::stage::{Advice, Evidence, Standing, Verb, Wish};
use haulier_stages::{decide, evaluate, record};
use jiff::Timestamp;
use serde::Serialize;

use super::crew::Crew;
use super::{person, staged_run};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::tuning::PushTuning;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Show a gate, run its checks, decide
///
/// Only a person's recorded decision opens a gate; a restart or a time-out never does.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// What its checks answered, what was decided, and what is missing; exit 0 when it is open, 5 when it is not
    Show {
        /// The stage behind it
        stage: String,
    },
    /// Run its checks now; a go that was given before does not count any more
    Evaluate {
        /// The stage behind it
        stage: String,
    },
    /// Decide, on record for ever
    Decide {
        /// The stage behind it
        stage: String,
        #[command(flatten)]
        verb: VerbArgs,
        /// Who decides, by the name in the plan's `people` [default: the account]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Why; a no-go, a hold and an override need it
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
        /// The evidence that was looked at, as `gate show` names it; refused where it has changed since
        #[arg(long, value_name = "DIGEST")]
        evidence: Option<String>,
        /// Go although a check that blocks does not pass
        #[arg(long = "override")]
        overrides: bool,
    },
    /// Say what a person saw, for a check of the kind `person`
    Record {
        /// The check
        check: String,
        /// It is well
        #[arg(long, conflicts_with = "fail", required_unless_present = "fail")]
        pass: bool,
        /// It is not
        #[arg(long)]
        fail: bool,
        /// Who looked [default: the account]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// What was seen
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct VerbArgs {
    /// Open it
    #[arg(long)]
    go: bool,
    /// Keep it closed: something must change first
    #[arg(long)]
    no_go: bool,
    /// Not yet
    #[arg(long)]
    hold: bool,
}

impl VerbArgs {
    fn verb(&self) -> Verb {
        match (self.go, self.no_go) {
            (true, _) => Verb::Go,
            (false, true) => Verb::NoGo,
            (false, false) => Verb::Hold,
        }
    }
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Arc::new(Neighbours::open(global).await?);
    let (run, desk, mut standing) = staged_run(&at).await?;
    match args.what {
        What::Show { stage } => show(global, of(&at, &stage)?, &standing),
        What::Evaluate { stage } => {
            let gate = of(&at, &stage)?;
            if standing.gate(&gate.before).state == haulier_core::stage::GateState::Passed {
                return Err(CliError::new(
                    Exit::No,
                    format!("stage `{stage}` has begun; its gate is behind it"),
                ));
            }
            let push = PushTuning { workers: None, rate: None, grace: 30 };
            let crew = Crew { global: global.clone(), at: Arc::clone(&at), run, push };
            evaluate(&desk, &crew, gate, &mut standing).await?;
            show(global, gate, &standing)
        }
        What::Decide { stage, verb, by, note, evidence, overrides } => {
            let gate = of(&at, &stage)?;
            let person = person(by.as_deref());
            let wish = Wish {
                verb: verb.verb(),
                person: &person,
                note: &note,
                evidence: evidence.as_deref(),
                overrides,
                plan: &at.plan.digest,
                now: SystemClock.micros(),
            };
            let (decision, moved) = decide(&desk, &at.plan, gate, &wish, &mut standing).await?;
            let state = standing.gate(&gate.before).state;
            if global.json {
                ui::json(&serde_json::json!({
                    "gate": stage, "decision": decision.verb.as_str(), "by": person, "state": state.as_str(),
                    "override": decision.overrides, "plan": decision.plan, "evidence": decision.evidence,
                }))?;
            } else {
                ui::line(format!(
                    "{person} decided {}; the gate before `{stage}` is {state}",
                    decision.verb
                ))?;
                if !moved {
                    ui::line(format!("it takes {} persons", gate.approvers.min))?;
                }
            }
            Ok(Exit::Done)
        }
        What::Record { check, pass, fail: _, by, note } => {
            let own = at.plan.stages.check(&check);
            if !own.is_some_and(|own| matches!(own.ask, CheckAsk::Person(_))) {
                let known = at.plan.stages.checks.iter().filter(|own| matches!(own.ask, CheckAsk::Person(_)));
                let names: Vec<&str> = known.map(|own| own.name.as_str()).collect();
                return Err(CliError::new(
                    Exit::Usage,
                    format!("the plan has no check `{check}` that a person answers"),
                )
                .hint(format!("it has: {}", names.join(", "))));
            }
            let person = person(by.as_deref());
            record(&desk, &check, pass, &person, note, &mut standing).await?;
            ui::line(format!("{person} saw `{check}`: {}", if pass { "pass" } else { "fail" }))?;
            Ok(Exit::Done)
        }
    }
}

fn of<'p>(at: &'p Neighbours, stage: &str) -> Result<&'p Gate, CliError> {
    at.plan.stages.gate(&StageName::new(stage)).ok_or_else(|| {
        let names: Vec<&str> = at.plan.stages.gates.iter().map(|gate| gate.before.as_str()).collect();
        CliError::new(Exit::Usage, format!("no gate stands before `{stage}`"))
            .hint(format!("gates stand before: {}", names.join(", ")))
    })
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    gate: &'a str,
    state: &'a str,
    open: bool,
    advice: Option<&'a str>,
    evidence: Option<&'a str>,
    evaluated: Option<String>,
    checks: Vec<Check<'a>>,
    decisions: Vec<Decided<'a>>,
}

#[derive(Debug, Serialize)]
struct Check<'a> {
    check: &'a str,
    weight: &'a str,
    result: &'a str,
    saw: &'a str,
}

#[derive(Debug, Serialize)]
struct Decided<'a> {
    decision: &'a str,
    by: &'a str,
    at: String,
    note: Option<&'a str>,
    r#override: bool,
    evidence: &'a str,
}

fn at(micros: i64) -> String {
    Timestamp::from_microsecond(micros)
        .map_or_else(|_| String::new(), |at| at.strftime("%F %T").to_string() + "Z")
}

fn show(global: &Global, gate: &Gate, standing: &Standing) -> Result<Exit, CliError> {
    let found = standing.gate(&gate.before);
    let advice = found.evidence.as_ref().map(Evidence::advice).map(Advice::as_str);
    let findings = found.evidence.as_ref().map(|evidence| evidence.findings.as_slice()).unwrap_or_default();
    let shown = Shown {
        gate: gate.before.as_str(),
        state: found.state.as_str(),
        open: found.state.is_open(),
        advice,
        evidence: found.evidence.as_ref().map(|evidence| evidence.digest.as_str()),
        evaluated: found.evidence.as_ref().map(|_| at(found.evaluated_at)),
        checks: findings
            .iter()
            .map(|finding| Check {
                check: &finding.check,
                weight: finding.weight.as_str(),
                result: finding.result.as_str(),
                saw: &finding.saw,
            })
            .collect(),
        decisions: found
            .decisions
            .iter()
            .map(|(decision, when, note)| Decided {
                decision: decision.verb.as_str(),
                by: &decision.person,
                at: at(*when),
                note: note.as_deref(),
                r#override: decision.overrides,
                evidence: &decision.evidence,
            })
            .collect(),
    };
    let code = if shown.open { Exit::Done } else { Exit::Stopped };
    if global.json {
        ui::json(&shown)?;
        return Ok(code);
    }
    let advised = shown.advice.map(|advice| format!(", its checks advise {advice}")).unwrap_or_default();
    ui::line(format!("the gate before `{}` is {}{advised}", shown.gate, shown.state))?;
    if !shown.checks.is_empty() {
        let rows =
            shown.checks.iter().map(|c| [c.weight, c.check, c.result, c.saw].map(str::to_owned).to_vec());
        ui::line(ui::table(&["weight", "check", "result", "saw"], rows))?;
    }
    if let (Some(evidence), Some(when)) = (shown.evidence, &shown.evaluated) {
        let short = evidence.get(..12).unwrap_or(evidence);
        ui::line(format!("evidence {short} of {when}, good for {} s", gate.fresh_for.as_secs()))?;
    }
    for decided in &shown.decisions {
        let why = decided.note.map(|note| format!(": {note}")).unwrap_or_default();
        let how = if decided.r#override { " as an override" } else { "" };
        ui::line(format!("{} {} decided {}{how}{why}", decided.at, decided.by, decided.decision))?;
    }
    if !shown.open {
        ui::line(format!(
            "it takes {} with the role `{}`: `haulier gate decide {} --go --by NAME --note TEXT`, or `--no-go`, or `--hold`",
            gate.approvers.min, gate.approvers.role, shown.gate
        ))?;
    }
    Ok(code)
}
