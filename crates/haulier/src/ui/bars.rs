//! Progress of a run: bars on a terminal, a line each ten seconds elsewhere, JSON lines on request.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use haulier_core::port::{Clock, EntityTally, Micros, Tally};
use haulier_core::{EntityName, RecordState};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{grouped, json, note};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;

const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows a run while it goes on.
#[derive(Debug)]
pub(crate) struct Watch {
    how: How,
    expected: BTreeMap<EntityName, u64>,
    started: Instant,
    last: Option<(Instant, u64)>,
    rate: f64,
    due: Option<Micros>,
}

#[derive(Debug)]
enum How {
    Bars { all: MultiProgress, bars: BTreeMap<EntityName, ProgressBar>, status: ProgressBar },
    Lines { last: Option<Instant> },
    Json,
    Silent,
}

/// One line of `--json` progress.
#[derive(Debug, Serialize)]
struct Event<'a> {
    event: &'a str,
    elapsed_ms: u128,
    planned: u64,
    landed: u64,
    dead: u64,
    held: u64,
    skipped: u64,
    open: u64,
    retry: u64,
    unknown: u64,
    per_second: f64,
    in_flight: usize,
    flow: &'a str,
}

impl Watch {
    /// Starts to show; `expected` rows an entity, in the plan's order of names.
    pub(crate) fn new(global: &Global, expected: Vec<(EntityName, u64)>) -> Self {
        let how = if global.json {
            How::Json
        } else if global.no_progress {
            How::Silent
        } else if std::io::stderr().is_terminal() {
            bars(&expected)
        } else {
            How::Lines { last: None }
        };
        Self {
            how,
            expected: expected.into_iter().collect(),
            started: Instant::now(),
            last: None,
            rate: 0.0,
            due: None,
        }
    }

    /// Notes when the next record that waits for its time is due.
    pub(crate) fn due(&mut self, due: Option<Micros>) {
        self.due = due;
    }

    /// Shows where the run is now; `flow` says what holds it, or what decides its speed.
    pub(crate) fn show(&mut self, tally: &Tally, in_flight: usize, flow: &str) -> Result<(), CliError> {
        let total = tally.total();
        self.measure(total.of(RecordState::Landed));
        let planned: u64 = self.expected.values().sum::<u64>().max(total.planned);
        let settled = total.planned - total.open().min(total.planned);
        let words = format!(
            "{}/{} settled, {} landed, {} dead, {} held, {} skipped, {} queued{}, {in_flight} in flight, {:.0}/s{}{flow}",
            grouped(settled),
            grouped(planned),
            grouped(total.of(RecordState::Landed)),
            grouped(total.of(RecordState::Dead)),
            grouped(total.of(RecordState::Held)),
            grouped(total.of(RecordState::Skipped)),
            grouped(total.of(RecordState::Queued)),
            waiting(&total, self.due.map(|due| due.saturating_sub(SystemClock.micros()))),
            self.rate,
            if flow.is_empty() { "" } else { "; " },
        );
        match &mut self.how {
            How::Silent => {}
            How::Bars { bars, status, .. } => {
                for (name, bar) in bars {
                    let counts = tally.entities.get(name).cloned().unwrap_or_default();
                    bar.set_length(bar.length().unwrap_or(0).max(counts.planned));
                    bar.set_position(counts.planned - counts.open().min(counts.planned));
                    bar.set_message(lost(&counts));
                }
                status.set_message(words);
            }
            How::Lines { last } => {
                if last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
                    *last = Some(Instant::now());
                    note(format!("{:>7.1}s  {words}", self.started.elapsed().as_secs_f64()));
                }
            }
            How::Json => json(&Event {
                event: "progress",
                elapsed_ms: self.started.elapsed().as_millis(),
                planned,
                landed: total.of(RecordState::Landed),
                dead: total.of(RecordState::Dead),
                held: total.of(RecordState::Held),
                skipped: total.of(RecordState::Skipped),
                open: total.open(),
                retry: total.of(RecordState::Retry),
                unknown: total.of(RecordState::Unknown),
                per_second: (self.rate * 10.0).round() / 10.0,
                in_flight,
                flow,
            })?,
        }
        Ok(())
    }

    /// Takes the bars off the screen.
    pub(crate) fn end(self) {
        if let How::Bars { all, bars, status } = self.how {
            status.finish_and_clear();
            bars.values().for_each(ProgressBar::abandon);
            drop(all);
        }
    }

    /// The landing rate: a moving mean of about five seconds.
    fn measure(&mut self, landed: u64) {
        let now = Instant::now();
        if let Some((then, before)) = self.last {
            let seconds = now.duration_since(then).as_secs_f64();
            if seconds > 0.0 {
                let fresh =
                    f64::from(u32::try_from(landed.saturating_sub(before)).unwrap_or(u32::MAX)) / seconds;
                let weight = (seconds / 5.0).min(1.0);
                self.rate = if self.rate > 0.0 { self.rate * (1.0 - weight) + fresh * weight } else { fresh };
            }
        }
        self.last = Some((now, landed));
    }
}

/// What waits for its time, and how long the first of it still does.
fn waiting(total: &EntityTally, due: Option<Micros>) -> String {
    let (retry, unknown) = (total.of(RecordState::Retry), total.of(RecordState::Unknown));
    if retry + unknown == 0 {
        return String::new();
    }
    let next = due.map_or_else(String::new, |due| match due.div_euclid(1_000_000) {
        ..1 => " (due)".to_owned(),
        seconds => format!(" (next in {seconds} s)"),
    });
    format!(", {} retry and {} unknown{next}", grouped(retry), grouped(unknown))
}

/// What of an entity needs a person.
fn lost(counts: &EntityTally) -> String {
    let words = [(RecordState::Dead, "dead"), (RecordState::Held, "held")]
        .map(|(state, word)| (counts.of(state), word));
    let words = words
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", grouped(*count)));
    words.collect::<Vec<_>>().join(", ")
}

fn bars(expected: &[(EntityName, u64)]) -> How {
    let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(5));
    let width = expected.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or(0);
    // The template is a constant of ours; if it did not parse the plain default style would serve.
    let style =
        ProgressStyle::with_template("{prefix} [{bar:32}] {human_pos:>9}/{human_len:9} {percent:>3}% {msg}")
            .map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("=> "));
    let mut made = BTreeMap::new();
    for (name, rows) in expected {
        let bar = all.add(ProgressBar::new(*rows).with_style(style.clone()));
        bar.set_prefix(format!("{:<width$}", name.as_str()));
        made.insert(name.clone(), bar);
    }
    let line = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let status = all.add(ProgressBar::new_spinner().with_style(line));
    How::Bars { all, bars: made, status }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(states: &[(RecordState, u64)]) -> EntityTally {
        EntityTally { planned: states.iter().map(|(_, n)| n).sum(), states: states.iter().copied().collect() }
    }

    #[test]
    fn a_wait_says_for_what_and_how_long() {
        let waits = tally(&[(RecordState::Retry, 2), (RecordState::Unknown, 1000)]);
        assert_eq!(waiting(&waits, Some(41_700_000)), ", 2 retry and 1,000 unknown (next in 41 s)");
        assert_eq!(waiting(&waits, Some(-5)), ", 2 retry and 1,000 unknown (due)");
        assert_eq!(waiting(&tally(&[(RecordState::Queued, 3)]), Some(7)), "");
    }

    #[test]
    fn a_bar_tells_what_it_lost() {
        assert_eq!(
            lost(&tally(&[(RecordState::Landed, 9), (RecordState::Held, 2), (RecordState::Dead, 1)])),
            "1 dead, 2 held"
        );
        assert_eq!(lost(&tally(&[(RecordState::Landed, 9)])), "");
    }
}
