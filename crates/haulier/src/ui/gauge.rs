//! Progress of a reading: rows, rows a second, and how long it will still take.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use haulier_validator::meter::Meter;
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
    /// Bytes, where these tell how long it takes, in place of rows.
    pub(crate) bytes: Option<Bytes>,
}

/// Bytes on their way.
#[derive(Debug, Clone)]
pub(crate) struct Bytes {
    /// Counts them.
    pub(crate) meter: Arc<Meter>,
    /// In all.
    pub(crate) expected: u64,
}

impl Counted {
    /// Rows.
    pub(crate) fn rows(name: &str, rows: &Arc<AtomicU64>, expected: Option<u64>) -> Self {
        Self { name: name.to_owned(), rows: Arc::clone(rows), expected, bytes: None }
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
    let mut looks: Vec<[VecDeque<(Instant, u64)>; 2]> = vec![Default::default(); counted.len()];
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
        for (one, [looks, byte_looks]) in counted.iter().zip(&mut looks) {
            let rows = one.rows.load(Ordering::Relaxed);
            let rate = look(looks, rows);
            let eta = match &one.bytes {
                None => eta(one.expected, rows, rate),
                Some(bytes) => {
                    let done = bytes.meter.bytes();
                    eta(Some(bytes.expected), done, look(byte_looks, done))
                }
            };
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

/// Notes how far it is, and gives how much came in a second of late.
fn look(looks: &mut VecDeque<(Instant, u64)>, count: u64) -> f64 {
    looks.push_back((Instant::now(), count));
    if looks.len() > LOOKS {
        looks.pop_front();
    }
    rate(looks)
}

fn rate(looks: &VecDeque<(Instant, u64)>) -> f64 {
    let (Some((then, before)), Some((now, rows))) = (looks.front(), looks.back()) else { return 0.0 };
    let seconds = now.duration_since(*then).as_secs_f64();
    if seconds <= 0.0 {
        return 0.0;
    }
    float(rows.saturating_sub(*before)) / seconds
}

/// Seconds that are left; none before a hundredth is done.
fn eta(expected: Option<u64>, rows: u64, rate: f64) -> Option<f64> {
    let left = expected?.checked_sub(rows)?;
    let enough = rows.saturating_mul(100) >= expected? && rate > 0.0;
    enough.then(|| float(left) / rate)
}

/// Precise enough for what a person waits for: in steps of 1,024 where it is large.
fn float(count: u64) -> f64 {
    match u32::try_from(count) {
        Ok(count) => f64::from(count),
        Err(_) => f64::from(u32::try_from(count >> 10).unwrap_or(u32::MAX)) * 1024.0,
    }
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
        // Bytes of files that are larger than 32 bits can count.
        assert_eq!(eta(Some(40 << 30), 20 << 30, f64::from(1 << 30)), Some(20.0));
    }
}
