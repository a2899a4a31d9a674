//! Load over time: what landed, how many workers were set, how long the target took to answer, and what failed.

use std::time::Duration;

use haulier_core::control::{Measured, Sample};
use haulier_core::port::Micros;

use super::chart::{self, Chart, Form, Series};
use super::gather::Paper;
use super::sections::Section;
use crate::command::status::stamp;

/// Samples of all processes within so long are one point: as long as each of them looks back.
const TOGETHER: Micros = 10_000_000;

/// One point of time, of all processes together.
struct Point {
    from: Micros,
    until: Micros,
    measured: Measured,
}

pub(super) fn section(paper: &Paper) -> Section {
    let rows = paper.controls.iter().map(|change| {
        vec![
            stamp(change.at),
            change.by.clone(),
            format!("{} {} -> {}", change.turn.key(), change.previous, change.turn.value()),
            change.reason.clone().unwrap_or_default(),
            if change.forced { "forced" } else { "" }.to_owned(),
        ]
    });
    let mut section = Section::new("Load over time");
    if let Some((start, end)) = span(paper) {
        let points = points(&paper.samples, start, end);
        section = section.lines(told(paper, &points, start, end));
        section.picture = Some(chart::svg(&charts(paper, &points, start, end)));
    }
    section.table(&["when", "who", "what", "why", ""], rows, "Nobody turned anything.")
}

/// From the first landing or sample to the last.
fn span(paper: &Paper) -> Option<(Micros, Micros)> {
    let (pace, bucket) = &paper.pace;
    let landed = pace.iter().flat_map(|(at, _)| [*at, at.saturating_add(*bucket)]);
    let all = || landed.clone().chain(paper.samples.iter().map(|sample| sample.at));
    Some((all().min()?, all().max()?))
}

/// Samples by time, those of several processes merged.
fn points(samples: &[Sample], start: Micros, end: Micros) -> Vec<Point> {
    // No more points than a chart can show.
    let width = ((end.saturating_sub(start)) / 120).max(TOGETHER);
    let mut points: Vec<Point> = Vec::new();
    for sample in samples {
        // The middle of what it looks back on.
        let middle = sample.at.saturating_sub(TOGETHER / 2).saturating_sub(start).max(0);
        let from = start.saturating_add(middle / width * width);
        match points.last_mut().filter(|point| point.from == from) {
            Some(point) => point.measured.merge(&sample.measured),
            None => points.push(Point {
                from,
                until: from.saturating_add(width).min(end),
                measured: sample.measured.clone(),
            }),
        }
    }
    points
}

fn seconds(micros: Micros) -> f64 {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0)).as_secs_f64()
}

fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// The same in words, for those who see no picture.
fn told(paper: &Paper, points: &[Point], start: Micros, end: Micros) -> Vec<String> {
    let (pace, bucket) = &paper.pace;
    let long = seconds(*bucket).max(1e-6);
    let fastest = pace.iter().map(|(_, landed)| count(*landed) / long).fold(0.0, f64::max);
    let mut lines = vec![format!(
        "Records landed from {} to {}, at most {fastest:.1} a second over {long:.0} s.",
        stamp(start),
        stamp(end)
    )];
    let mut all = Measured::default();
    points.iter().for_each(|point| all.merge(&point.measured));
    if let [Some(p50), Some(p95), Some(p99)] = [0.5, 0.95, 0.99].map(|share| all.latencies.quantile_ms(share))
    {
        let worst = points.iter().filter_map(|point| point.measured.latencies.quantile_ms(0.95));
        lines.push(format!(
            "The target answered within p50 {p50:.0} ms, p95 {p95:.0} ms, p99 {p99:.0} ms; the highest p95 of a point of time was {:.0} ms.",
            worst.fold(0.0, f64::max)
        ));
        let (throttled, failed) = all.shares();
        lines.push(format!(
            "Of all answers {:.2} % asked for less (429, or 503 with Retry-After), and {:.2} % failed (other 5xx, time-outs, lost connections).",
            throttled * 100.0,
            failed * 100.0
        ));
    } else {
        lines.push("Nobody kept latencies and errors of this run.".to_owned());
    }
    lines
}

fn charts(paper: &Paper, points: &[Point], start: Micros, end: Micros) -> Vec<Chart> {
    let whole = seconds(end.saturating_sub(start)).max(1e-6);
    let part = |at: Micros| (seconds(at.saturating_sub(start)) / whole).clamp(0.0, 1.0);
    let chart = |title: &str, unit: &str, series| Chart {
        title: title.to_owned(),
        unit: unit.to_owned(),
        span: (stamp(start), stamp(end)),
        series,
    };
    let series = |name: &str, form, points| Series { name: name.to_owned(), form, points };
    let (pace, bucket) = &paper.pace;
    let long = seconds(*bucket).max(1e-6);
    let rate =
        pace.iter().map(|(at, landed)| (part(*at), part(at.saturating_add(*bucket)), count(*landed) / long));
    let set: Vec<(f64, f64)> = paper
        .controls
        .iter()
        .filter(|change| change.turn.key() == "push.workers")
        .filter_map(|change| Some((part(change.at), change.turn.value().parse().ok()?)))
        .collect();
    let ends = set.iter().skip(1).map(|(at, _)| *at).chain([1.0]);
    let workers = set.iter().zip(ends).map(|((from, workers), until)| (*from, until, *workers)).collect();
    let latency = |name: &str, share| {
        let value = |point: &Point| {
            Some((part(point.from), part(point.until), point.measured.latencies.quantile_ms(share)?))
        };
        series(name, Form::Line, points.iter().filter_map(value).collect())
    };
    // Side by side within a point of time, so that neither hides the other.
    let errors = |name: &str, half: f64, of: fn((f64, f64)) -> f64| {
        let value = |point: &Point| {
            let (from, until) = (part(point.from), part(point.until));
            let start = from + (until - from) * half;
            (start, start + (until - from) / 2.0, of(point.measured.shares()) * 100.0)
        };
        series(name, Form::Bars, points.iter().map(value).filter(|(.., share)| *share > 0.0).collect())
    };
    vec![
        chart("Records landed a second", "", vec![series("records a second", Form::Bars, rate.collect())]),
        chart("Workers set", "", vec![series("workers", Form::Steps, workers)]),
        chart(
            "Latency of the target",
            "ms",
            vec![latency("p50", 0.5), latency("p95", 0.95), latency("p99", 0.99)],
        ),
        chart(
            "Errors, of all answers",
            "%",
            vec![
                errors("failed", 0.0, |(_, failed)| failed),
                errors("asked for less", 0.5, |(less, _)| less),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::ProcessId;

    fn sample(second: i64, process: &str, ms: u64, failed: u32) -> Sample {
        let mut measured = Measured { failed, ..Measured::default() };
        measured.latencies.add(Duration::from_millis(ms));
        Sample { at: second * 1_000_000, process: ProcessId::new(process), measured }
    }

    #[test]
    fn samples_of_several_processes_are_one_point() {
        let samples = [sample(5, "a", 10, 0), sample(9, "b", 100, 1), sample(17, "a", 20, 0)];
        let found = points(&samples, 0, 15_000_000);
        let of: Vec<(i64, i64, u64, u32)> = found
            .iter()
            .map(|point| (point.from, point.until, point.measured.latencies.count(), point.measured.failed))
            .collect();
        assert_eq!(of, [(0, 10_000_000, 2, 1), (10_000_000, 15_000_000, 1, 0)]);
    }

    #[test]
    fn a_long_run_has_no_more_points_than_a_chart_shows() {
        let samples: Vec<Sample> = (0..8640).map(|turn| sample(turn * 10, "a", 5, 0)).collect();
        assert!(points(&samples, 0, 86_400_000_000).len() <= 121);
    }
}
