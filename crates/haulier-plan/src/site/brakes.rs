//! `[brakes]`: what holds the producer or the workers still.

use std::collections::HashSet;
use std::time::Duration;

use haulier_core::brake::{BrakeRule, OnError, Unit, name};

use super::address;
use crate::node::{Node, Table};
use crate::shape;

/// The brakes of a site. Those of the source are off unless the site names them, because each needs a right there.
#[derive(Debug, Clone, PartialEq)]
pub struct BrakesSite {
    /// How often gauges are read.
    pub every: Duration,
    /// How far a replica may be behind.
    pub lag: Option<BrakeRule>,
    /// How many statements may run in the source.
    pub load: Option<BrakeRule>,
    /// How old our own oldest transaction in the source may be.
    pub oldest_transaction: Option<BrakeRule>,
    /// Numbers that a query of the source returns.
    pub queries: Vec<QueryBrake>,
    /// Addresses that must answer 200.
    pub checks: Vec<CheckBrake>,
    /// Messages that may wait in the queue, however slowly it is emptied.
    pub ready: u32,
    /// How long the workers leave a target alone that mostly fails.
    pub breaker: Duration,
}

/// A query of the source.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryBrake {
    /// Its name, limit and so on.
    pub rule: BrakeRule,
    /// A `select` of one number.
    pub sql: String,
}

/// An address.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckBrake {
    /// Its name; its limit is status 200.
    pub rule: BrakeRule,
    /// `http` or `https`.
    pub url: String,
    /// Whether plain text off this machine is accepted.
    pub insecure: bool,
}

impl Default for BrakesSite {
    fn default() -> Self {
        Self {
            every: EVERY,
            lag: None,
            load: None,
            oldest_transaction: None,
            queries: Vec::new(),
            checks: Vec::new(),
            ready: READY,
            breaker: BREAKER,
        }
    }
}

const EVERY: Duration = Duration::from_secs(1);
const READY: u32 = 200;
const BREAKER: Duration = Duration::from_secs(30);
/// So many times its limit is critical, where the site says nothing: 30 s for a lag of 2 s.
const CRITICAL_LAG: f64 = 15.0;
const CRITICAL_LOAD: f64 = 4.0;

/// Reads the table, which may be left out.
pub(super) fn read(site: &Table<'_>) -> BrakesSite {
    let Some(table) = site.get("brakes").and_then(|node| node.table(&shape::BRAKES)) else {
        return BrakesSite::default();
    };
    let seconds = |key, name, factor| brake(&table, key, name, Unit::Seconds, factor);
    let mut names = HashSet::new();
    BrakesSite {
        every: table.get("every").and_then(|node| every(&node)).unwrap_or(EVERY),
        lag: seconds("lag", name::SOURCE_LAG, Some(CRITICAL_LAG)),
        load: brake(&table, "load", name::SOURCE_LOAD, Unit::Number, Some(CRITICAL_LOAD)),
        oldest_transaction: seconds("oldest_transaction", name::OLDEST_TRANSACTION, None),
        queries: each(&table, "query").iter().filter_map(|node| query(node, &mut names)).collect(),
        checks: each(&table, "check").iter().filter_map(|node| check(node, &mut names)).collect(),
        ready: table.number("ready", 1, 10_000_000, READY),
        breaker: table.duration("breaker", BREAKER),
    }
}

fn each<'d>(table: &Table<'d>, key: &'static str) -> Vec<Node<'d>> {
    table.get(key).and_then(|node| node.items()).unwrap_or_default()
}

/// A reading that is older than five seconds counts as none, so they are read more often.
fn every(node: &Node<'_>) -> Option<Duration> {
    node.duration_between(("100ms", Duration::from_millis(100)), ("2s", Duration::from_secs(2)))
}

/// `lag = "2s"`, `load = 25`, or a table with `limit`.
fn brake(
    table: &Table<'_>,
    key: &'static str,
    name: &str,
    unit: Unit,
    critical: Option<f64>,
) -> Option<BrakeRule> {
    let node = table.get(key)?;
    if !node.value.is_table() {
        let limit = amount(&node, unit)?;
        let critical = critical.map(|factor| factor * limit);
        return Some(BrakeRule { critical, ..BrakeRule::new(name, limit, unit) });
    }
    let inner = node.table(&shape::BRAKE)?;
    let need = if unit == Unit::Seconds { "such as \"2s\"" } else { "such as 25" };
    let limit = inner.need("limit", need).and_then(|node| amount(&node, unit));
    let given = critical_of(&inner, unit, limit);
    let on_error = on_error(&inner);
    let limit = limit?;
    let critical = given.or(critical.map(|factor| factor * limit));
    Some(BrakeRule { critical, on_error, ..BrakeRule::new(name, limit, unit) })
}

fn critical_of(table: &Table<'_>, unit: Unit, limit: Option<f64>) -> Option<f64> {
    let node = table.get("critical")?;
    let critical = amount(&node, unit)?;
    if limit.is_some_and(|limit| critical <= limit) {
        return node.wrong("`critical` must be above `limit`", None);
    }
    Some(critical)
}

fn on_error(table: &Table<'_>) -> OnError {
    table.word("on_error", &[("brake", OnError::Brake), ("ignore", OnError::Ignore)], OnError::Brake)
}

fn query(node: &Node<'_>, names: &mut HashSet<String>) -> Option<QueryBrake> {
    let table = node.table(&shape::QUERY_BRAKE)?;
    let name = own_name(&table, names);
    let sql = table.need("sql", "a `select` of one number").and_then(|node| select(&node));
    let limit = match table.get("limit") {
        Some(node) => amount(&node, Unit::Number),
        None => Some(0.0),
    };
    let critical = critical_of(&table, Unit::Number, limit);
    let on_error = on_error(&table);
    let rule = BrakeRule { critical, on_error, ..BrakeRule::new(name?, limit?, Unit::Number) };
    Some(QueryBrake { rule, sql: sql? })
}

fn select(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    let first = text.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
    if ["select", "with", "values"].contains(&first.to_ascii_lowercase().as_str()) {
        return Some(text.to_owned());
    }
    node.wrong(
        "`sql` is no `select`",
        Some(
            "write a `select` that returns one row with one number, such as \"select count(*) from job\""
                .to_owned(),
        ),
    )
}

fn check(node: &Node<'_>, names: &mut HashSet<String>) -> Option<CheckBrake> {
    let table = node.table(&shape::CHECK_BRAKE)?;
    let name = own_name(&table, names);
    let insecure = table.flag("insecure", false);
    let url = table.need("url", "such as \"https://host/ready\"").and_then(|node| {
        let address = address::read(&node, &["http", "https"], "https://host/ready")?;
        if !address.user.is_empty() {
            return node.wrong("`url`: credentials are written into the address", None);
        }
        if address.scheme == "http" {
            address::check_plaintext(&node, &address, insecure, "https");
        }
        Some(node.text()?.value.to_owned())
    });
    let on_error = on_error(&table);
    let rule = BrakeRule { on_error, ..BrakeRule::new(name?, 200.0, Unit::Status) };
    Some(CheckBrake { rule, url: url?, insecure })
}

/// A name that no other brake has: `explain` shows it, and decisions refer to it.
fn own_name(table: &Table<'_>, names: &mut HashSet<String>) -> Option<String> {
    let node = table.need("name", "such as \"nightly-batch\"; `haulier explain` shows it")?;
    let text = node.text()?.value;
    let fits = text.len() <= 40
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !fits {
        return node.wrong(
            format!("`name`: \"{text}\" is not a brake's name"),
            Some("at most 40 lower-case letters, digits and `-`".to_owned()),
        );
    }
    if name::ALL.contains(&text) || !names.insert(text.to_owned()) {
        return node.wrong(format!("`name`: another brake is called \"{text}\""), None);
    }
    Some(text.to_owned())
}

/// A duration in seconds, or a number that is not negative.
fn amount(node: &Node<'_>, unit: Unit) -> Option<f64> {
    if unit == Unit::Seconds {
        return node.duration().map(|duration| duration.as_secs_f64());
    }
    node.amount_that(|amount| amount >= 0.0, "0 or more", None)
}
