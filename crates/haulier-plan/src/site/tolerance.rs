//! `[tolerance]`: the bounds that the target's owner agreed to, and how the workers are ramped.

use std::time::Duration;

use haulier_core::tolerance::{Ramp, Tolerance};

use crate::node::Table;
use crate::shape;

/// Tolerance and ramp of a site.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToleranceSite {
    /// The bounds.
    pub bounds: Tolerance,
    /// Who raises, until an operator says otherwise; nobody where the site names no tolerance.
    pub ramp: Ramp,
}

impl Default for ToleranceSite {
    fn default() -> Self {
        Self { bounds: Tolerance::default(), ramp: Ramp::Off }
    }
}

/// Reads the table, which may be left out.
pub(super) fn read(site: &Table<'_>) -> ToleranceSite {
    let Some(table) = site.get("tolerance").and_then(|node| node.table(&shape::TOLERANCE)) else {
        return ToleranceSite::default();
    };
    let standard = Tolerance::default();
    let words = Ramp::ALL.map(|ramp| (ramp.as_str(), ramp));
    let given = |key| {
        let node = table.get(key)?;
        let duration = node.duration()?;
        if duration.is_zero() {
            node.wrong(format!("`{key}` must be more than 0"), None)
        } else {
            Some(duration)
        }
    };
    let red = number(&table, "failures", 0.0, 100.0).map_or(standard.red_failures, |percent| percent / 100.0);
    let bounds = Tolerance {
        p95: given("p95"),
        baseline: given("baseline"),
        baseline_factor: number(&table, "factor", 1.1, 100.0).unwrap_or(standard.baseline_factor),
        red_failures: red,
        amber_failures: red / 4.0,
        window: window(&table).unwrap_or(standard.window),
        start: table.number("start", 1, 10_000, standard.start),
        floor: table.number("floor", 1, 10_000, standard.floor),
        ..standard
    };
    if let (Some(node), Some(_)) = (table.get("factor"), bounds.p95) {
        node.notes.add(node.at, "`factor` has no use beside `p95`, which is absolute");
    }
    ToleranceSite { bounds, ramp: table.word("ramp", &words, Ramp::default()) }
}

fn window(table: &Table<'_>) -> Option<Duration> {
    let node = table.get("window")?;
    node.duration_between(("2s", Duration::from_secs(2)), ("5m", Duration::from_mins(5)))
}

fn number(table: &Table<'_>, key: &'static str, least: f64, most: f64) -> Option<f64> {
    let must = format!("between {least} and {most}");
    table.get(key)?.amount_that(|amount| (least..=most).contains(&amount), &must, None)
}
