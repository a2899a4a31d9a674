//! Progress of a reading: rows, rows a second, and how long it will still take.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{grouped, note};
use crate::args::Global;

const LOOK_EVERY: Duration = Duration::from_millis(250);
const LINE_EVERY: Duration = Duration::from_secs(10);
/// The rate is that of so many looks.
const LOOKS: usize = 40;

/// Something that is counted while it is done.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    /// What it is called.
    pub(crate) name: String,
    /// Rows so far.
    pub(crate) rows: Arc<AtomicU64>,
    /// Rows in all, where that is known.
    pub(crate) expected: Option<u64>,
}

impl Counted {
    /// Rows.
    pub(crate) fn rows(name: &str, rows: &Arc<AtomicU64>, expected: Option<u64>) -> Self {
        Self { name: name.to_owned(), rows: Arc::clone(rows), expected }
    }
}

/// One line of `--json` progress, on stderr.
#[derive(Debug, Serialize)]
struct Event<'a> {
    event: &'a str,
    what: &'a str,
    elapsed_ms: u128,
    rows: u64,
    expected: Option<u64>,
    per_second: f64,
    eta_s: Option<f64>,
}

/// Waits for `work` and shows meanwhile how far it has come.
pub(crate) async fn watch<T>(global: &Global, counted: Vec<Counted>, work: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let mut tick = tokio::time::interval(LOOK_EVERY);
    let mut looks: Vec<VecDeque<(Instant, u64)>> = vec![VecDeque::new(); counted.len()];
    let bar = (!global.json && !global.no_progress && std::io::stderr().is_terminal()).then(spinner);
    let mut last_line = started;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                }
                return done;
            }
            _ = tick.tick() => {}
        }
        let mut words = Vec::with_capacity(counted.len());
        let due = last_line.elapsed() >= LINE_EVERY;
        for (one, looks) in counted.iter().zip(&mut looks) {
            let rows = one.rows.load(Ordering::Relaxed);
            looks.push_back((Instant::now(), rows));
            if looks.len() > LOOKS {
                looks.pop_front();
            }
            let rate = rate(looks);
            let eta = eta(one.expected, rows, rate);
            words.push(told(one, rows, rate, eta));
            if global.json && due && !global.no_progress {
                let event = Event {
                    event: "progress",
                    what: &one.name,
                    elapsed_ms: started.elapsed().as_millis(),
                    rows,
                    expected: one.expected,
                    per_second: (rate * 10.0).round() / 10.0,
                    eta_s: eta.map(f64::round),
                };
                // An event that cannot be encoded is no reason to stop.
                note(serde_json::to_string(&event).unwrap_or_default());
            }
        }
        let words = words.join(" · ");
        match &bar {
            Some(bar) => bar.set_message(words),
            None if due && !global.json && !global.no_progress => {
                note(format!("{:>7.1}s  {words}", started.elapsed().as_secs_f64()));
            }
            None => {}
        }
        if due {
            last_line = Instant::now();
        }
    }
}

fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5)).with_style(style)
}

fn rate(looks: &VecDeque<(Instant, u64)>) -> f64 {
    let (Some((then, before)), Some((now, rows))) = (looks.front(), looks.back()) else { return 0.0 };
    let seconds = now.duration_since(*then).as_secs_f64();
    if seconds <= 0.0 {
        return 0.0;
    }
    f64::from(u32::try_from(rows.saturating_sub(*before)).unwrap_or(u32::MAX)) / seconds
}

/// Seconds that are left; none before a hundredth is done.
fn eta(expected: Option<u64>, rows: u64, rate: f64) -> Option<f64> {
    let left = expected?.checked_sub(rows)?;
    let enough = rows.saturating_mul(100) >= expected? && rate > 0.0;
    enough.then(|| f64::from(u32::try_from(left).unwrap_or(u32::MAX)) / rate)
}

fn told(one: &Counted, rows: u64, rate: f64, eta: Option<f64>) -> String {
    let of = one.expected.map_or_else(String::new, |expected| format!("/{}", grouped(expected)));
    let left = eta.map_or_else(String::new, |eta| format!(", {eta:.0} s left"));
    format!("{} {}{of} rows, {rate:.0}/s{left}", one.name, grouped(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_foretold_before_a_hundredth_is_done() {
        assert_eq!(eta(Some(1000), 9, 10.0), None);
        assert_eq!(eta(Some(1000), 500, 10.0), Some(50.0));
        assert_eq!(eta(Some(1000), 500, 0.0), None);
        assert_eq!(eta(None, 500, 10.0), None);
        assert_eq!(eta(Some(10), 11, 1.0), None);
    }
}
