//! How a run goes right now: what is set, what is applied, what was measured, how long it will take and what binds.

use std::time::{Duration, Instant};

use haulier_core::control::{Binding, Knob, Limit, Side, Valve};
use haulier_core::estimate;
use haulier_core::port::{Run, Survey, Tally};
use haulier_core::tolerance::Ramp;
use serde::Serialize;

use super::control::View;
use super::status::stamp;
use crate::site::Neighbours;
use crate::ui::grouped;

const RUNNING: &str = "running";
const BRIEF_FOR: Duration = Duration::from_secs(2);

/// What the queue says of itself. A broker knows what is ready at once, what is delivered and unsettled only
/// from statistics that lag behind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) ready: u64,
    pub(crate) unsettled: Option<u64>,
}

/// What takes longer to learn than the counts, where somebody asked for it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Besides {
    pub(crate) waiting: Option<Waiting>,
    /// The rate at which records settled of late.
    pub(crate) recent: Option<f64>,
    pub(crate) survey: Option<Survey>,
}

/// A run right now. Totals over all living processes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Live {
    #[serde(skip)]
    run_state: &'static str,
    /// What holds the run, or `running`, `finished`, `interrupted`.
    flow: String,
    /// Since when nothing lives, or since when it is held.
    since: Option<String>,
    /// What holds a part of a side while the rest goes on.
    partly: Vec<String>,
    fibres: Turned,
    workers: Turned,
    in_flight: u32,
    produce_rate: Turned,
    push_rate: Turned,
    produced_per_second: f64,
    requests_per_second: f64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
    throttled_share: f64,
    failed_share: f64,
    queue_ready: Option<u64>,
    queue_unsettled: Option<u64>,
    /// Seconds, from the least to the most.
    eta_s: Option<(u64, u64)>,
    /// Who raises the workers.
    ramp: &'static str,
    /// GREEN, AMBER or RED with its evidence, as judged last.
    tolerance: Option<String>,
    /// What decides the speed.
    binds: String,
    expected: u64,
    settled: u64,
    /// Tenants that have a record in the run so far, and those of them with nothing left to do.
    tenants: Option<u64>,
    tenants_done: Option<u64>,
}

#[derive(Debug, Clone, Serialize)]
struct Turned {
    set: String,
    applied: Option<String>,
}

impl Live {
    pub(crate) fn of(run: &Run, tally: &Tally, view: &View, besides: Besides) -> Self {
        let Besides { waiting, recent, survey } = besides;
        let measured = view.measured();
        let total = tally.total();
        let settled = total.planned - total.open().min(total.planned);
        let counted = view.beats.iter().filter_map(|beat| beat.report.as_ref()?.expected).max();
        let expected = total.planned.max(counted.filter(|_| run.produced_at.is_none()).unwrap_or(0));
        let alive = view.alive().next().is_some();
        let run_state = match (run.finished_at, alive) {
            (Some(_), _) => "finished",
            (None, true) => RUNNING,
            (None, false) => "interrupted",
        };
        let held = held(view);
        let (flow, since) = match (run_state, &held) {
            (RUNNING, Some((why, since))) => (why.clone(), since.clone()),
            ("interrupted", _) => {
                (run_state.to_owned(), view.beats.iter().map(|beat| beat.at).max().map(stamp))
            }
            _ => (run_state.to_owned(), None),
        };
        let turned =
            |knob: Knob| Turned { set: text(view.effective(knob).limit), applied: applied(view, knob) };
        let (throttled_share, failed_share) = measured.shares();
        let quantile = |share| measured.latencies.quantile_ms(share).map(tenth);
        let moving = run_state == RUNNING && held.is_none();
        let rates: Vec<f64> = [overall(run, settled, view), recent].into_iter().flatten().collect();
        let eta = moving.then(|| estimate::remaining(settled, expected, &rates)).flatten();
        Self {
            run_state,
            flow,
            since,
            partly: partly(view),
            fibres: turned(Knob::Fibres),
            workers: turned(Knob::Workers),
            in_flight: view.alive().map(|beat| beat.in_flight).sum(),
            produce_rate: turned(Knob::ProduceRate),
            push_rate: turned(Knob::PushRate),
            produced_per_second: tenth(measured.produced_per_second),
            requests_per_second: tenth(measured.requests_per_second),
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            throttled_share,
            failed_share,
            queue_ready: waiting.map(|waiting| waiting.ready),
            queue_unsettled: waiting.and_then(|waiting| waiting.unsettled),
            eta_s: eta.map(|(early, late)| (early.as_secs(), late.as_secs())),
            ramp: view.ramp().as_str(),
            tolerance: view.found().map(|found| found.words.clone()),
            binds: binds(run, view, measured.requests_per_second, waiting),
            expected,
            settled,
            tenants: survey.map(|survey| survey.tenants),
            tenants_done: survey.map(|survey| survey.tenants_done),
        }
    }

    /// `running`, `interrupted` or `finished`.
    pub(crate) fn run_state(&self) -> &'static str {
        self.run_state
    }

    /// Rows that the run has, as far as they were counted, and those with nothing left to do.
    pub(crate) fn progress(&self) -> (u64, u64) {
        (self.settled, self.expected)
    }

    /// What holds the run, or else what decides its speed.
    pub(crate) fn brief(&self) -> String {
        let mut words = match &self.since {
            Some(since) => format!("{} since {since}", self.flow),
            None if self.flow == RUNNING => format!("bound by {}", self.binds),
            None => self.flow.clone(),
        };
        for partly in &self.partly {
            words += ", ";
            words += partly;
        }
        words
    }

    /// In a few lines for people.
    pub(crate) fn lines(&self) -> Vec<String> {
        let partly: String = self.partly.iter().map(|partly| format!(" | {partly}")).collect();
        let tenants = match (self.tenants_done, self.tenants) {
            (Some(done), Some(all)) => format!(" | {} of {} tenants done", grouped(done), grouped(all)),
            _ => String::new(),
        };
        let since = self.since.as_ref().map_or_else(String::new, |since| format!(" since {since}"));
        let turned = |turned: &Turned| match &turned.applied {
            Some(applied) if *applied != turned.set => format!("{} (applied {applied})", turned.set),
            Some(_) | None => turned.set.clone(),
        };
        let ms = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.0}"));
        let depth = match (self.queue_ready, self.queue_unsettled) {
            (Some(ready), Some(unsettled)) => {
                format!(" | queue {} ready, {} unsettled", grouped(ready), grouped(unsettled))
            }
            (Some(ready), None) => format!(" | queue {} ready", grouped(ready)),
            _ => String::new(),
        };
        let eta = self.eta_s.map_or_else(String::new, |(early, late)| {
            let time = |seconds| span(Duration::from_secs(seconds));
            format!(" | ETA {} to {}", time(early), time(late))
        });
        let mut lines = vec![
            format!("flow: {}{since}{partly} | speed bound by {}{eta}{tenants}", self.flow, self.binds),
            format!(
                "produce: fibres {} | rate {} (measured {:.1}/s)",
                turned(&self.fibres),
                turned(&self.produce_rate),
                self.produced_per_second
            ),
            format!(
                "push: workers {}, {} in flight | rate {} (measured {:.1}/s) | p50 {} p95 {} p99 {} ms | 429 {:.1} % 5xx {:.1} %{depth}",
                turned(&self.workers),
                self.in_flight,
                turned(&self.push_rate),
                self.requests_per_second,
                ms(self.p50_ms),
                ms(self.p95_ms),
                ms(self.p99_ms),
                self.throttled_share * 100.0,
                self.failed_share * 100.0,
            ),
        ];
        if self.ramp != Ramp::Off.as_str() {
            let words = self.tolerance.as_deref().unwrap_or("not judged yet");
            lines.push(format!("ramp {}: {words}", self.ramp));
        }
        lines
    }
}

/// [`Live::brief`] for progress lines, looked up again when it is two seconds old.
#[derive(Debug, Default)]
pub(crate) struct Brief(Option<(Instant, String)>);

impl Brief {
    pub(crate) async fn of(&mut self, at: &Neighbours, run: &Run, tally: &Tally) -> &str {
        if self.0.as_ref().is_none_or(|(looked_at, _)| looked_at.elapsed() >= BRIEF_FOR) {
            // What cannot be read is not shown.
            let view = View::of(at, run).await.ok();
            let words = view.map(|view| Live::of(run, tally, &view, Besides::default()).brief());
            self.0 = Some((Instant::now(), words.unwrap_or_default()));
        }
        self.0.as_ref().map_or("", |(_, words)| words)
    }
}

/// What holds the run, and since when.
fn held(view: &View) -> Option<(String, Option<String>)> {
    if view.emergency {
        return Some(("paused by the emergency file PAUSE".to_owned(), None));
    }
    if let Some((_, held)) = view.held().next() {
        return Some((format!("held: {held}"), None));
    }
    let mut words = Vec::new();
    let mut since = None;
    for side in Side::ALL {
        let (valve, change) = view.history.valve(side, view.now);
        if let Some(change) = change.filter(|_| valve != Valve::Open) {
            let reason = change.reason.as_ref().map_or_else(String::new, |reason| format!(" \"{reason}\""));
            let until = change.expires.map_or_else(String::new, |at| format!(" until {}", stamp(at)));
            words.push(format!("{side} {valve} by {}{reason}{until}", change.by));
            since = since.or(Some(stamp(change.at)));
        }
    }
    for (_, side, holding) in view.brakes() {
        words.push(format!("{side} held by brake {}", holding.at(view.now)));
        since = since.or(Some(stamp(holding.since)));
    }
    (!words.is_empty()).then(|| (words.join(", "), since))
}

/// What holds a part of a side, and by whom it is seen.
fn partly(view: &View) -> Vec<String> {
    let words = |(_, side, holding): (_, Side, &haulier_core::brake::Holding)| {
        format!("a part of {side} held by brake {}", holding.at(view.now))
    };
    view.brakes_of_parts().map(words).collect()
}

/// The rate over the whole run, pauses left out.
fn overall(run: &Run, settled: u64, view: &View) -> Option<f64> {
    let paused = view.history.paused(Side::Push, run.started_at, view.now);
    let active = view.now.saturating_sub(run.started_at).saturating_sub(paused);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (settled, seconds) = (settled as f64, active as f64 / 1e6);
    (seconds >= 5.0).then(|| settled / seconds)
}

/// What all living processes of a knob's side applied together.
fn applied(view: &View, knob: Knob) -> Option<String> {
    let mut sum: Option<f64> = None;
    for report in view.serving(knob.side()).filter_map(|beat| beat.report.as_ref()) {
        let part = match knob {
            Knob::Fibres => report.fibres.map(f64::from),
            Knob::Chunk => report.chunk.map(f64::from),
            Knob::Workers => report.workers.map(f64::from),
            Knob::ProduceRate => report.produce_rate.map(Limit::number),
            Knob::PushRate => report.push_rate.map(Limit::number),
        };
        if let Some(part) = part {
            sum = Some(sum.unwrap_or(0.0) + part);
        }
    }
    let limit =
        |sum: f64| if sum.is_finite() { Limit::At((sum * 1000.0).round() / 1000.0) } else { Limit::None };
    sum.map(|sum| text(limit(sum)))
}

/// What decides the speed: the side that the other one waits for, and there the knob that is reached.
fn binds(run: &Run, view: &View, requests_per_second: f64, waiting: Option<Waiting>) -> String {
    let starved = run.produced_at.is_none() && waiting.is_some_and(|waiting| waiting.ready == 0);
    let (rate, many) =
        if starved { (Knob::ProduceRate, Knob::Fibres) } else { (Knob::PushRate, Knob::Workers) };
    let reached = |limit: Limit| limit.finite().is_some_and(|limit| requests_per_second >= 0.9 * limit);
    let effective = view.effective(rate);
    let by_rate = if starved { effective.limit != Limit::None } else { reached(effective.limit) };
    let knob = if by_rate || effective.limit == Limit::At(0.0) { rate } else { many };
    let effective = view.effective(knob);
    match effective.binds {
        Binding::Pause | Binding::Drain | Binding::Held(_) => effective.binds.to_string(),
        Binding::Nothing
        | Binding::Start
        | Binding::Ceiling
        | Binding::Operator
        | Binding::Adaptive
        | Binding::Window(_) => format!("{knob} = {} ({})", text(effective.limit), effective.binds),
    }
}

fn text(limit: Limit) -> String {
    limit.to_string()
}

fn tenth(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// A time for people: `45s`, `12m`, `3h05m`, `2d04h`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7_199 => format!("{}m", (seconds + 30) / 60),
        7_200..=172_799 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_well() {
        let shown = [45, 700, 11_100, 190_000].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(shown, ["45s", "12m", "3h05m", "2d04h"]);
    }
}
