//! What the controller needs done: carried by this process, proved by the validator, asked of the neighbours.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::calendar::{Calendar, Span};
use haulier_core::plan::{CheckAsk, ProofLevel, StageKind};
use haulier_core::port::{Clock, DeadFilter, Run};
use haulier_core::stage::incident::Incident;
use haulier_core::stage::{CheckResult, Finding, HookEvent, Severity, Standing, Weight, cover, none_open};
use haulier_core::{RecordState, StageName, TenantKey};
use haulier_stages::{Carried, Carry, Halt, Hands, Trouble, fingerprint};
use tokio::process::Command;

use super::leg;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::tuning::PushTuning;
use crate::command::{check, drill, empty};
use crate::error::CliError;
use crate::site::asked::address;
use crate::site::{Neighbours, Role};
use crate::ui;

/// How long the broker must stay empty where no stage says so.
const QUIET: Duration = Duration::from_secs(5);

/// Dead records that are read at a time.
const PAGE: u32 = 1_000;

/// How long a stage is thought to run of which nobody said anything.
const SOME_TIME: Duration = Duration::from_hours(1);

/// The command line's hands.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) global: Global,
    pub(crate) at: Arc<Neighbours>,
    pub(crate) run: Run,
    pub(crate) push: PushTuning,
}

/// A finding that blocks.
fn failed(check: &str, saw: String) -> Finding {
    Finding { check: check.to_owned(), weight: Weight::Must, result: CheckResult::Fail, saw }
}

/// An error as a controller takes it.
pub(crate) fn trouble(error: &CliError) -> Trouble {
    Trouble::Told(error.told())
}

impl Crew {
    /// The plan's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.global.plan.parent().map(PathBuf::from).unwrap_or_default()
    }

    /// Runs one of haulier's own proofs as a process of its own, which shares this one's output; what it prints is its evidence.
    async fn validate(&self, words: &[&str]) -> (CheckResult, String) {
        let told = format!("`haulier validate {}`", words.join(" "));
        let ended = async {
            let mut command = Command::new(std::env::current_exe()?);
            command
                .arg("validate")
                .args(words)
                .arg("--plan")
                .arg(&self.global.plan)
                .arg("--site")
                .arg(&self.global.site);
            command
                .args(self.global.json.then_some("--json"))
                .args(self.global.no_progress.then_some("--no-progress"));
            command.stdin(Stdio::null()).kill_on_drop(true).status().await
        };
        match ended.await.map(|status| status.code()) {
            Ok(Some(0)) => (CheckResult::Pass, format!("{told}: nothing unexplained differs")),
            Ok(Some(1)) => (CheckResult::Fail, format!("{told}: something differs")),
            Ok(Some(code)) => (CheckResult::Inconclusive, format!("{told} ended with {code}")),
            Ok(None) => (CheckResult::Error, format!("{told} was killed")),
            Err(error) => (CheckResult::Error, format!("{told} cannot be started: {error}")),
        }
    }

    /// One of the plan's own checks.
    async fn own(
        &self,
        name: &str,
        ask: &CheckAsk,
        within: Duration,
        standing: &Standing,
    ) -> (CheckResult, String) {
        match ask {
            CheckAsk::Person(what) => match standing.marks.get(&("seen".to_owned(), name.to_owned())) {
                None => (CheckResult::Inconclusive, format!("nobody has looked: {what}")),
                Some(mark) => {
                    let result = if mark.word == "pass" { CheckResult::Pass } else { CheckResult::Fail };
                    (result, format!("{} says {}", mark.data, mark.word))
                }
            },
            CheckAsk::Exec(words) => match haulier_stages::exec(words, &self.folder(), Vec::new()).await {
                Ok(ended) => {
                    let said =
                        if ended.said.is_empty() { String::new() } else { format!(": {}", ended.said) };
                    match ended.code {
                        Some(0) => (CheckResult::Pass, format!("it ended with 0{said}")),
                        Some(1) => (CheckResult::Fail, format!("it ended with 1{said}")),
                        Some(75) => (CheckResult::Inconclusive, format!("it has no answer{said}")),
                        Some(code) => (CheckResult::Error, format!("it ended with {code}{said}")),
                        None => (CheckResult::Error, format!("it was killed{said}")),
                    }
                }
                Err(why) => (CheckResult::Error, why),
            },
            CheckAsk::Sql { on, sql, least, most } => {
                let probe = match self.at.number(*on, sql, within) {
                    Ok(probe) => probe,
                    Err(error) => return (CheckResult::Error, error.told()),
                };
                match probe.read().await {
                    Ok(number) => {
                        let fits = least.is_none_or(|least| number >= least)
                            && most.is_none_or(|most| number <= most);
                        let bound = |word: &str, at: &Option<f64>| {
                            at.map(|at| format!(", {word} {at}")).unwrap_or_default()
                        };
                        let said = format!("it is {number}{}{}", bound("least", least), bound("most", most));
                        (if fits { CheckResult::Pass } else { CheckResult::Fail }, said)
                    }
                    Err(haulier_core::port::ProbeError::Null) => {
                        (CheckResult::Inconclusive, "it is NULL".to_owned())
                    }
                    Err(error) => (CheckResult::Error, format!("it {error}")),
                }
            }
            CheckAsk::Http(url) => {
                let probe = match haulier_target::probe(&address(url, within)) {
                    Ok(probe) => probe,
                    Err(error) => return (CheckResult::Error, error.to_string()),
                };
                match probe.read().await {
                    Ok(status) if (200.0..300.0).contains(&status) => {
                        (CheckResult::Pass, format!("it answers {status}"))
                    }
                    Ok(status) => (CheckResult::Fail, format!("it answers {status}")),
                    Err(error) => (CheckResult::Error, format!("it {error}")),
                }
            }
        }
    }

    /// Whether the source's user may only read. haulier's own sessions are read only in any case.
    async fn read_only(&self) -> (CheckResult, String) {
        match self.at.rights_to_write().await {
            Ok(Some(rights)) if rights > 0.0 => {
                (CheckResult::Fail, format!("the source's user has {rights} rights to write"))
            }
            Ok(Some(_)) => (CheckResult::Pass, "the source's user may only read".to_owned()),
            Ok(None) => (CheckResult::Inconclusive, "the source knows no users".to_owned()),
            Err(why) => (CheckResult::Error, why),
        }
    }

    /// Whether whom a stage needs is there while it may run: in its window, or for as long as it takes from now.
    async fn cover(&self, before: &StageName) -> (CheckResult, String) {
        let stages = &self.at.plan.stages;
        let (Some(stage), Some(gate)) = (stages.stage(before), stages.gate(before)) else {
            return (CheckResult::Error, format!("there is no stage `{before}` behind a gate"));
        };
        let (calendar, _) = match self.at.ledger.amendments().await {
            Ok(changes) => self.at.plan.calendar.amended(&changes),
            Err(error) => return (CheckResult::Error, error.to_string()),
        };
        let now = SystemClock.now();
        let window = stage.window.as_deref().and_then(|name| calendar.window(name));
        let opening = window.and_then(|window| calendar.next_opening(window, None, now));
        let takes = stage.expect.or_else(|| calendar.durations.stage(before.as_str())).unwrap_or(SOME_TIME);
        let span = opening.map_or_else(|| Span::from(now, takes), |opening| opening.span);
        let span = Span { start: span.start.max(now), end: span.end };
        let approvers = vec![(gate.approvers.role.clone(), gate.approvers.min)];
        let said = stage.cover.iter().map(|role| (role.clone(), 1));
        let needs = if stage.cover.is_empty() { approvers } else { said.collect() };
        cover(&needs, &stages.people, span)
    }

    /// The built-in checks.
    async fn built_in(&self, check: &str, before: &StageName, standing: &Standing) -> (CheckResult, String) {
        let stages = &self.at.plan.stages;
        match check {
            "queue.empty" => {
                let quiet = stages.of_kind(StageKind::Drained).map_or(QUIET, |stage| stage.lasts);
                self.empty(quiet).await
            }
            "validate.equal" => self.validate(&["results"]).await,
            "dead.within" => {
                let moving = |kind| matches!(kind, StageKind::Smoke | StageKind::Bulk);
                let begun = stages
                    .stages
                    .iter()
                    .filter(|stage| moving(stage.kind) && standing.stage(&stage.name).attempt > 0);
                let most = begun.map(|stage| stage.most_dead).max().unwrap_or(0);
                match self.dead().await {
                    Ok(dead) if dead <= most => (CheckResult::Pass, format!("{dead} dead, at most {most}")),
                    Ok(dead) => (CheckResult::Fail, format!("{dead} dead, at most {most}")),
                    Err(error) => (CheckResult::Error, error.to_string()),
                }
            }
            "snapshot.checked" | "snapshot.young" => snapshot(&self.at, check, standing),
            "source.readonly" => self.read_only().await,
            "incidents.closed" => {
                let worst = Incident::all(standing).filter(|one| one.open && one.severity == Severity::S1);
                let names: Vec<&str> = worst.map(|incident| incident.name).collect();
                match names.as_slice() {
                    [] => (CheckResult::Pass, "no incident of the severity s1 is open".to_owned()),
                    names => (CheckResult::Fail, format!("open: {}", names.join(", "))),
                }
            }
            "drill.done" => drill::verdict(&self.folder().join(drill::REPORT), &self.at.plan.name),
            "cover.present" => self.cover(before).await,
            _ => match check.strip_prefix("findings.").and_then(Severity::named) {
                Some(severity) => none_open(standing, severity),
                None => (CheckResult::Error, format!("there is no check `{check}`")),
            },
        }
    }
}

/// Whether a snapshot was taken and checked in this run, and how old it is.
fn snapshot(at: &Neighbours, check: &str, standing: &Standing) -> (CheckResult, String) {
    let Some(snapshot) = &at.plan.stages.snapshot else {
        return (CheckResult::Inconclusive, "the plan has no `[snapshot]`".to_owned());
    };
    let last = |hook: &str| {
        let of = standing
            .hooks
            .iter()
            .filter(|((_, _, name), found)| name == hook && found.ended == Some(HookEvent::Done));
        of.map(|(_, found)| found.at).max()
    };
    let Some(taken) = last(&snapshot.take) else {
        return (CheckResult::Fail, format!("hook `{}` has not taken one in this run", snapshot.take));
    };
    let age = Duration::from_micros(u64::try_from(at.micros().saturating_sub(taken)).unwrap_or(0));
    if check == "snapshot.young" {
        let most = snapshot.max_age.unwrap_or(Duration::MAX);
        let said = format!("it is {} s old", age.as_secs());
        return (if age <= most { CheckResult::Pass } else { CheckResult::Fail }, said);
    }
    match &snapshot.check {
        None => {
            (CheckResult::Inconclusive, "it was taken, and the plan has no hook that checks it".to_owned())
        }
        Some(hook) if last(hook).is_some_and(|checked| checked >= taken) => {
            (CheckResult::Pass, "it was taken, and checked after that".to_owned())
        }
        Some(hook) => (CheckResult::Fail, format!("hook `{hook}` has not checked it since it was taken")),
    }
}

#[async_trait]
impl Hands for Crew {
    async fn preflight(&self) -> Vec<Finding> {
        let found = match check::found(&self.global).await {
            Ok(found) => found,
            Err(error) => return vec![failed("plan and site", error.told())],
        };
        let finding = |found: check::Finding| {
            let result = if found.warns { CheckResult::Fail } else { CheckResult::Pass };
            let weight = if found.ok && found.warns { Weight::Should } else { Weight::Must };
            Finding { check: found.what, weight, result, saw: found.says }
        };
        let mut findings: Vec<Finding> = found.into_iter().map(finding).collect();
        let (result, saw) = self.read_only().await;
        findings.push(Finding { check: "source.readonly".to_owned(), weight: Weight::Should, result, saw });
        // Last, and only where nothing else stands in the way: it is the one question that writes.
        let fine = findings.iter().all(|one| one.weight == Weight::Should || one.result == CheckResult::Pass);
        let probed = if fine { self.at.write_probe().await } else { None };
        findings.extend(probed.map(|probed| match probed {
            Ok(saw) => Finding { result: CheckResult::Pass, ..failed(check::WRITE_PROBE, saw) },
            Err(why) => failed(check::WRITE_PROBE, why),
        }));
        findings
    }

    async fn fingerprints(&self) -> Result<Vec<(String, String)>, Trouble> {
        let source = self.at.source().await.map_err(|error| trouble(&error))?;
        let mut columns = Vec::new();
        for entity in &self.at.plan.entities {
            let of = source.columns(entity).await.map_err(|error| trouble(&error.into()))?;
            columns.push(format!("{}: {of:?}", entity.name));
        }
        let [place, target] = self.at.fingerprints();
        Ok(vec![
            ("the source's columns".to_owned(), fingerprint(&columns.join("\n"))),
            ("the source's place".to_owned(), fingerprint(&place)),
            ("the target's place".to_owned(), fingerprint(&target)),
        ])
    }

    async fn calendar(&self) -> Result<Calendar, Trouble> {
        self.at.calendar().await.map_err(|error| trouble(&error))
    }

    async fn carry(&self, carry: Carry, halt: &Halt) -> Result<Carried, Trouble> {
        Box::pin(leg::carry(self, carry, halt)).await.map_err(|error| trouble(&error))
    }

    async fn open(&self) -> Result<u64, Trouble> {
        Ok(self.at.ledger.tally(&self.run.id).await?.total().open())
    }

    async fn dead(&self) -> Result<u64, Trouble> {
        Ok(self.at.ledger.tally(&self.run.id).await?.total().of(RecordState::Dead))
    }

    async fn failed(&self) -> Result<BTreeSet<TenantKey>, Trouble> {
        let filter = DeadFilter { states: vec![RecordState::Dead], ..DeadFilter::default() };
        let (mut found, mut after) = (BTreeSet::new(), None);
        loop {
            let rows = self.at.ledger.list(&self.run.id, &filter, after.as_ref(), PAGE).await?;
            found.extend(rows.iter().filter_map(|row| row.tenant.clone()));
            match rows.into_iter().last() {
                Some(last) => after = Some(last.record),
                None => return Ok(found),
            }
        }
    }

    async fn prove(&self, level: ProofLevel, tenants: &[TenantKey]) -> (CheckResult, String) {
        let mut words = vec![level.as_str()];
        if level != ProofLevel::Counts {
            for tenant in tenants {
                words.extend(["--tenant", tenant.as_str()]);
            }
        }
        self.validate(&words).await
    }

    async fn look(&self, check: &str, before: &StageName, standing: &Standing) -> (CheckResult, String) {
        let Some(own) = self.at.plan.stages.check(check) else {
            return self.built_in(check, before, standing).await;
        };
        let within = own.timeout;
        match tokio::time::timeout(within, self.own(check, &own.ask, within, standing)).await {
            Ok(answer) => answer,
            Err(_) => {
                (CheckResult::Error, format!("it took longer than its time-out of {} s", within.as_secs()))
            }
        }
    }

    async fn empty(&self, apart: Duration) -> (CheckResult, String) {
        let queue = match self.at.queue(Role::Both).await {
            Ok(queue) => queue,
            Err(error) => return (CheckResult::Error, error.told()),
        };
        match empty::terms(&self.at, &self.run, queue.as_ref(), apart, true).await {
            Ok(terms) => empty::verdict(&terms),
            Err(error) => (CheckResult::Error, error.told()),
        }
    }

    async fn call(&self, url: &str, body: String) -> Result<(), String> {
        let options = address(url, Duration::from_secs(30));
        match haulier_target::post(&options, body).await {
            Ok(status) if (200..300).contains(&status) => Ok(()),
            Ok(status) => Err(format!("the webhook answered {status}")),
            Err(error) => Err(format!("the webhook {error}")),
        }
    }

    async fn finish(&self) -> Result<(), Trouble> {
        Ok(self.at.ledger.finish_run(&self.run.id, SystemClock.micros()).await?)
    }

    fn tell(&self, line: &str) {
        ui::note(line);
    }
}
