//! The answer to a change: what it was, what it is, and which processes applied it after how long.

use std::time::{Duration, Instant};

use haulier_core::control::{Change, Knob, Side, Turn};
use haulier_core::port::Run;
use serde::Serialize;

use super::super::status::stamp;
use super::turning::{Wish, binding, shown};
use super::view::View;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// A living process that has not applied a change by then is named.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

#[derive(Debug, Serialize)]
struct Answer {
    event: &'static str,
    run: String,
    version: u64,
    dry_run: bool,
    turned: Vec<Turned>,
    applied: Vec<Applied>,
    missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Turned {
    name: &'static str,
    previous: String,
    /// What was asked for; absent for a mere reading.
    value: Option<String>,
    effective: String,
    binds: String,
    forced: bool,
    expires_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct Applied {
    process: String,
    role: String,
    host: String,
    after_ms: u128,
    workers: Option<u32>,
    fibres: Option<u32>,
}

pub(super) async fn give(
    global: &Global,
    at: &Neighbours,
    run: &Run,
    view: View,
    wishes: &[Wish],
    changes: &[Change],
    dry_run: bool,
) -> Result<Exit, CliError> {
    let turned: Vec<Turned> = wishes.iter().map(|wish| turned(&view, wish, changes)).collect();
    let mut answer = Answer {
        event: "turned",
        run: run.id.to_string(),
        version: view.history.version(),
        dry_run,
        turned,
        applied: Vec::new(),
        missing: Vec::new(),
    };
    if !changes.is_empty() && !dry_run {
        await_processes(at, run, changes, &mut answer).await?;
    }
    if global.json {
        ui::json(&answer)?;
    } else {
        show(&answer, changes.is_empty(), &view)?;
    }
    Ok(if answer.missing.is_empty() { Exit::Done } else { Exit::No })
}

fn turned(view: &View, wish: &Wish, changes: &[Change]) -> Turned {
    let change = changes.iter().find(|change| change.turn.key() == wish.key);
    let (effective, binds) = if let Some(knob) = Knob::named(wish.key) {
        let effective = view.effective(knob);
        (shown(effective.limit), binding(view, wish.key, &effective.binds))
    } else if let Some(Turn::Ramp(_)) = wish.turn {
        let said = view.history.ramp(view.now).map_or_else(String::new, |(_, change)| provenance(change));
        (view.ramp().to_string(), said)
    } else {
        let side = Side::ALL.into_iter().find(|side| side.as_str() == wish.key).unwrap_or(Side::Push);
        let (valve, change) = view.history.valve(side, view.now);
        let held = view.emergency.then(|| "emergency file PAUSE".to_owned());
        let said = change.map_or_else(String::new, provenance);
        (if held.is_some() { "paused".to_owned() } else { valve.to_string() }, held.unwrap_or(said))
    };
    Turned {
        name: wish.key,
        previous: wish.previous.clone(),
        value: wish.turn.map(|turn| turn.value()),
        effective,
        binds,
        forced: change.is_some_and(|change| change.forced),
        expires_at: change.and_then(|change| change.expires).map(stamp),
    }
}

/// Waits until the living processes that it concerns have applied the newest of the changes.
async fn await_processes(
    at: &Neighbours,
    run: &Run,
    changes: &[Change],
    answer: &mut Answer,
) -> Result<(), CliError> {
    let started = Instant::now();
    let concerned = |side: Side| {
        changes.iter().any(|change| match change.turn {
            Turn::Knob(knob, _) => knob.side() == side,
            Turn::Valve(of, _) => of == side,
            Turn::Ramp(_) => side == Side::Push,
        })
    };
    loop {
        let view = View::of(at, run).await?;
        answer.missing.clear();
        let mut serving: Vec<_> = Side::ALL
            .into_iter()
            .filter(|side| concerned(*side))
            .flat_map(|side| view.serving(side))
            .collect();
        serving.sort_by(|one, other| one.process.cmp(&other.process));
        serving.dedup_by(|one, other| one.process == other.process);
        for beat in serving {
            let process = beat.process.to_string();
            let report = beat.report.as_ref().filter(|report| report.version >= answer.version);
            match report {
                Some(_) if answer.applied.iter().any(|applied| applied.process == process) => {}
                Some(report) => answer.applied.push(Applied {
                    process,
                    role: beat.role.clone(),
                    host: beat.host.clone(),
                    after_ms: started.elapsed().as_millis(),
                    workers: report.workers,
                    fibres: report.fibres,
                }),
                None => answer.missing.push(process),
            }
        }
        if answer.missing.is_empty() || started.elapsed() >= PATIENCE {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn show(answer: &Answer, only_read: bool, view: &View) -> Result<(), CliError> {
    for turned in &answer.turned {
        let binds = if turned.binds.is_empty() { String::new() } else { format!(", {}", turned.binds) };
        let until = turned.expires_at.as_ref().map_or_else(String::new, |at| format!(" until {at}"));
        ui::line(match &turned.value {
            None => format!("{}: {}{binds}", turned.name, turned.effective),
            Some(value) => {
                let forced = if turned.forced { " by force" } else { "" };
                format!(
                    "{}: {} -> {value}{forced}{until}; effective {}{binds}",
                    turned.name, turned.previous, turned.effective
                )
            }
        })?;
    }
    if answer.dry_run {
        ui::note("a dry run: nothing was changed");
    } else if !only_read {
        for applied in &answer.applied {
            let share = [("workers", applied.workers), ("fibres", applied.fibres)];
            let share: Vec<String> =
                share.iter().filter_map(|(name, share)| Some(format!("{name} {}", (*share)?))).collect();
            ui::line(format!(
                "applied by {} ({}) after {} ms: {}",
                applied.process,
                applied.role,
                applied.after_ms,
                share.join(", ")
            ))?;
        }
        for process in &answer.missing {
            ui::note(format!("{process} has not applied it within {} s", PATIENCE.as_secs()));
        }
        if answer.applied.is_empty() && answer.missing.is_empty() {
            ui::note("it is kept, and holds for the processes that start next");
            if view.alive().next().is_none() {
                ui::note(super::view::hint_of_none_alive(&view.beats));
            }
        }
    }
    Ok(())
}

/// Who changed it, when, why, until when.
pub(super) fn provenance(change: &Change) -> String {
    let reason = change.reason.as_ref().map_or_else(String::new, |reason| format!(" \"{reason}\""));
    let until = change.expires.map_or_else(String::new, |at| format!(" until {}", stamp(at)));
    let forced = if change.forced { ", forced" } else { "" };
    format!("{} at {}{reason}{until}{forced}", change.by, stamp(change.at))
}
