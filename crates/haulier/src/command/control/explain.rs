//! `haulier explain`: what each knob comes to, and exactly what makes it so.

use haulier_core::control::{Change, Knob, Side};
use haulier_core::port::ProcessBeat;
use serde::Serialize;

use super::super::status::stamp;
use super::answer::provenance;
use super::turning::{binding, shown};
use super::view::{View, hint_of_none_alive};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Say what each knob comes to, what makes it so, and what every process applied
///
/// Works from any shell, while the run goes on and after everything was killed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also list every change so far: who, when, why, from what to what, until when
    #[arg(long)]
    history: bool,
}

#[derive(Debug, Serialize)]
struct Explained {
    run: String,
    version: u64,
    alive: bool,
    knobs: Vec<Shown>,
    sides: Vec<ShownSide>,
    holds: Vec<ShownHold>,
    ramp: ShownRamp,
    processes: Vec<ShownProcess>,
    history: Option<Vec<ShownChange>>,
}

#[derive(Debug, Serialize)]
struct Shown {
    knob: &'static str,
    set: String,
    ceiling: String,
    effective: String,
    binds: String,
    applied: String,
}

#[derive(Debug, Serialize)]
struct ShownSide {
    side: &'static str,
    state: &'static str,
    since: Option<String>,
    by: Option<String>,
    reason: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Serialize)]
struct ShownHold {
    name: String,
    /// Which side a brake holds; both where it is none.
    side: Option<&'static str>,
    value: Option<String>,
    limit: Option<String>,
    since: Option<String>,
    critical: bool,
    /// Whether all else of the side goes on.
    part: bool,
    seen_by: String,
}

#[derive(Debug, Serialize)]
struct ShownRamp {
    ramp: &'static str,
    colour: Option<&'static str>,
    judged_at: Option<String>,
    words: String,
    workers: Option<u32>,
    rate: Option<f64>,
    next: Option<u32>,
}

#[derive(Debug, Serialize)]
struct ShownProcess {
    process: String,
    role: String,
    version: u64,
    applied_at: Option<String>,
    workers: Option<u32>,
    push_rate: Option<String>,
    fibres: Option<u32>,
    in_flight: u32,
    requests_per_second: f64,
}

#[derive(Debug, Serialize)]
struct ShownChange {
    version: u64,
    at: String,
    by: String,
    reason: Option<String>,
    name: &'static str,
    previous: String,
    value: String,
    forced: bool,
    expires_at: Option<String>,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let run = at.latest_run().await?;
    let view = View::of(&at, &run).await?;
    let mut holds: Vec<ShownHold> = Vec::new();
    if view.emergency {
        let name = format!("emergency file {}", at.emergency().display());
        holds.push(ShownHold::new(name, "this host".to_owned()));
    }
    holds.extend(view.held().map(|(beat, held)| ShownHold::new(held.to_owned(), beat.process.to_string())));
    holds.extend(view.brakes().chain(view.brakes_of_parts()).map(|(beat, side, holding)| ShownHold {
        side: Some(side.as_str()),
        value: Some(holding.value.clone()),
        limit: Some(holding.limit.clone()).filter(|limit| !limit.is_empty()),
        since: Some(stamp(holding.since)),
        critical: holding.critical,
        part: holding.part,
        ..ShownHold::new(holding.name.clone(), beat.process.to_string())
    }));
    let explained = Explained {
        run: run.id.to_string(),
        version: view.history.version(),
        alive: view.alive().next().is_some(),
        knobs: Knob::ALL.into_iter().map(|knob| shown_knob(&view, knob)).collect(),
        sides: Side::ALL.into_iter().map(|side| shown_side(&view, side)).collect(),
        holds,
        ramp: shown_ramp(&view),
        processes: view.alive().map(shown_process).collect(),
        history: args.history.then(|| view.history.changes().iter().map(shown_change).collect()),
    };
    if global.json {
        ui::json(&explained)?;
        return Ok(Exit::Done);
    }
    show(&explained, &view)?;
    Ok(Exit::Done)
}

fn show(explained: &Explained, view: &View) -> Result<(), CliError> {
    ui::line(format!("run {}, control version {}", explained.run, explained.version))?;
    let head = ["knob", "set", "ceiling", "effective", "applied", "binds"];
    ui::line(ui::table(
        &head,
        explained.knobs.iter().map(|knob| {
            [knob.knob, &knob.set, &knob.ceiling, &knob.effective, &knob.applied, &knob.binds]
                .map(str::to_owned)
        }),
    ))?;
    for side in Side::ALL {
        let (valve, change) = view.history.valve(side, view.now);
        let said = change.map_or_else(String::new, |change| format!(" by {}", provenance(change)));
        ui::line(format!("{side} is {valve}{said}"))?;
    }
    if explained.holds.is_empty() {
        ui::line("nothing else holds it")?;
    }
    for hold in &explained.holds {
        ui::line(hold.line())?;
    }
    let ramp = &explained.ramp;
    ui::line(format!("ramp {}: {}", ramp.ramp, ramp.words))?;
    if !explained.alive {
        ui::line(hint_of_none_alive(&view.beats))?;
    }
    let head =
        ["process", "role", "version", "applied", "workers", "rate", "fibres", "in flight", "requests/s"];
    let rows = explained.processes.iter().map(|process| {
        let number = |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
        vec![
            process.process.clone(),
            process.role.clone(),
            process.version.to_string(),
            process.applied_at.clone().unwrap_or_default(),
            number(process.workers),
            process.push_rate.clone().unwrap_or_default(),
            number(process.fibres),
            process.in_flight.to_string(),
            format!("{:.1}", process.requests_per_second),
        ]
    });
    if explained.alive {
        ui::line(ui::table(&head, rows))?;
    }
    if let Some(history) = &explained.history {
        let head = ["version", "at", "by", "what", "from", "to", "until", "forced", "why"];
        let rows = history.iter().map(|change| {
            vec![
                change.version.to_string(),
                change.at.clone(),
                change.by.clone(),
                change.name.to_owned(),
                change.previous.clone(),
                change.value.clone(),
                change.expires_at.clone().unwrap_or_default(),
                if change.forced { "yes".to_owned() } else { String::new() },
                change.reason.clone().unwrap_or_default(),
            ]
        });
        ui::line(ui::table(&head, rows))?;
    }
    Ok(())
}

impl ShownHold {
    fn new(name: String, seen_by: String) -> Self {
        Self {
            name,
            side: None,
            value: None,
            limit: None,
            since: None,
            critical: false,
            part: false,
            seen_by,
        }
    }

    fn line(&self) -> String {
        let Some(side) = self.side else { return format!("held: {} (seen by {})", self.name, self.seen_by) };
        let value = self.value.as_deref().unwrap_or_default();
        let limit = self.limit.as_ref().map_or_else(String::new, |limit| format!(", limit {limit}"));
        let since = self.since.as_ref().map_or_else(String::new, |since| format!(", since {since}"));
        let critical = if self.critical { ", critical" } else { "" };
        let part = if self.part { "a part of " } else { "" };
        format!(
            "{part}{side} is held by brake {}: {value}{limit}{since}{critical} (seen by {})",
            self.name, self.seen_by
        )
    }
}

fn shown_ramp(view: &View) -> ShownRamp {
    let found = view.found();
    ShownRamp {
        ramp: view.ramp().as_str(),
        colour: found.and_then(|found| found.colour).map(haulier_core::tolerance::Colour::as_str),
        judged_at: found.map(|found| stamp(found.at)),
        words: found.map_or_else(|| "nothing was judged yet".to_owned(), |found| found.words.clone()),
        workers: found.map(|found| found.state.workers),
        rate: found.and_then(|found| found.state.rate).map(|(rate, _)| rate),
        next: found.and_then(|found| found.state.offer),
    }
}

fn shown_knob(view: &View, knob: Knob) -> Shown {
    let effective = view.effective(knob);
    let reports = view.serving(knob.side()).filter_map(|beat| beat.report.as_ref());
    let parts: Vec<f64> = reports
        .filter_map(|report| match knob {
            Knob::Fibres => report.fibres.map(f64::from),
            Knob::Chunk => report.chunk.map(f64::from),
            Knob::Workers => report.workers.map(f64::from),
            Knob::ProduceRate => report.produce_rate.map(haulier_core::control::Limit::number),
            Knob::PushRate => report.push_rate.map(haulier_core::control::Limit::number),
        })
        .collect();
    let sum: f64 = parts.iter().sum();
    let applied = if parts.is_empty() {
        String::new()
    } else if sum.is_finite() {
        shown(haulier_core::control::Limit::At((sum * 1000.0).round() / 1000.0))
    } else {
        shown(haulier_core::control::Limit::None)
    };
    Shown {
        knob: knob.as_str(),
        set: shown(view.set(knob)),
        ceiling: match view.ceiling(knob) {
            haulier_core::control::Limit::None => String::new(),
            ceiling @ haulier_core::control::Limit::At(_) => shown(ceiling),
        },
        effective: shown(effective.limit),
        binds: binding(view, knob.as_str(), &effective.binds),
        applied,
    }
}

fn shown_side(view: &View, side: Side) -> ShownSide {
    let (valve, change) = view.history.valve(side, view.now);
    ShownSide {
        side: side.as_str(),
        state: valve.as_str(),
        since: change.map(|change| stamp(change.at)),
        by: change.map(|change| change.by.clone()),
        reason: change.and_then(|change| change.reason.clone()),
        until: change.and_then(|change| change.expires).map(stamp),
    }
}

fn shown_process(beat: &ProcessBeat) -> ShownProcess {
    let report = beat.report.as_ref();
    ShownProcess {
        process: beat.process.to_string(),
        role: beat.role.clone(),
        version: report.map_or(0, |report| report.version),
        applied_at: report.map(|report| stamp(report.applied_at)),
        workers: report.and_then(|report| report.workers),
        push_rate: report.and_then(|report| report.push_rate).map(shown),
        fibres: report.and_then(|report| report.fibres),
        in_flight: beat.in_flight,
        requests_per_second: report.map_or(0.0, |report| report.measured.requests_per_second),
    }
}

fn shown_change(change: &Change) -> ShownChange {
    ShownChange {
        version: change.version,
        at: stamp(change.at),
        by: change.by.clone(),
        reason: change.reason.clone(),
        name: change.turn.key(),
        previous: change.previous.clone(),
        value: change.turn.value(),
        forced: change.forced,
        expires_at: change.expires.map(stamp),
    }
}
