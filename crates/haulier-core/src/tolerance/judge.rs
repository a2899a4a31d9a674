//! GREEN, AMBER or RED, and the evidence in words.

use std::fmt;
use std::time::Duration;

use super::{Tolerance, Window};

/// What a window says about the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Colour {
    /// Every signal is inside its bounds.
    Green,
    /// One is close to its bound.
    Amber,
    /// One is beyond it.
    Red,
}

impl Colour {
    /// The word that tables, JSON and the ledger use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::Red => "RED",
        }
    }

    /// Reads what [`Colour::as_str`] wrote.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Green, Self::Amber, Self::Red].into_iter().find(|colour| colour.as_str() == word)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The figures of one judged window. Shares are between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Attempts that were judged.
    pub results: u64,
    /// Over how long.
    pub over: Duration,
    /// The 95th percentile of answered attempts; `None` when none was answered.
    pub p95: Option<Duration>,
    /// Its bound.
    pub limit: Duration,
    /// Share of failed attempts.
    pub failed: f64,
    /// Share of attempts that the target asked to send later.
    pub throttled: f64,
    /// Share of attempts that ended with every slot out.
    pub saturated: f64,
    /// Answered attempts a second.
    pub throughput: f64,
}

impl Evidence {
    /// Works the figures out of a window that lasted `over`.
    pub(super) fn of(window: &Window, over: Duration, limit: Duration) -> Self {
        let results = window.results();
        let share = |part: u64| ratio(part, results);
        Self {
            results,
            over,
            p95: window.latency.quantile(0.95),
            limit,
            failed: share(window.failed),
            throttled: share(window.throttled),
            saturated: share(window.saturated),
            throughput: count(window.answered()) / over.as_secs_f64().max(0.001),
        }
    }

    /// The colour that the bounds give to these figures.
    ///
    /// Asking for less is AMBER as long as the target answers others: it teaches a rate, and fewer workers would be too
    /// coarse an answer to a limit on the rate. Nothing but refusals is RED.
    #[must_use]
    pub fn colour(&self, tolerance: &Tolerance) -> Colour {
        let latency = self.p95.map_or(0.0, |p95| p95.as_secs_f64() / self.limit.as_secs_f64().max(1e-6));
        let refused = self.p95.is_none() && self.throttled > 0.0;
        if latency > 1.0 || self.failed > tolerance.red_failures || refused {
            Colour::Red
        } else if latency > tolerance.amber_latency
            || self.failed > tolerance.amber_failures
            || self.throttled > 0.01
        {
            Colour::Amber
        } else {
            Colour::Green
        }
    }
}

impl fmt::Display for Evidence {
    /// `p95 181 <= 240 ms, errors 0.0 %, 429 0.0 %, 58.0/s, at the limit 96 % (290 results in 5 s)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.p95 {
            Some(p95) => {
                let sign = if p95 <= self.limit { "<=" } else { ">" };
                write!(f, "p95 {} {sign} {} ms", p95.as_millis(), self.limit.as_millis())?;
            }
            None => f.write_str("no answer")?,
        }
        write!(
            f,
            ", errors {:.1} %, 429 {:.1} %, {:.1}/s, at the limit {:.0} % ({} results in {:.0} s)",
            self.failed * 100.0,
            self.throttled * 100.0,
            self.throughput,
            self.saturated * 100.0,
            self.results,
            self.over.as_secs_f64(),
        )
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "counts of some seconds are far below 2^52")]
fn count(number: u64) -> f64 {
    number as f64
}
