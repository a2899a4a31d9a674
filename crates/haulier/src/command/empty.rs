//! `haulier empty`: whether the queue is known to be empty, term by term.

use std::time::{Duration, Instant};

use haulier_core::RecordState;
use haulier_core::port::{Queue, Run};
use haulier_core::stage::CheckResult;
use serde::Serialize;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::{Neighbours, Role};
use crate::ui;

/// A broker's count of unsettled messages may be this old.
const STALE: Duration = Duration::from_secs(15);

/// Prove that the queue is empty, term by term: exit 0 yes, 1 no
///
/// Asks the broker twice, apart by the quiet time, and the ledger. What cannot be known is not empty. Where the ledger has nothing
/// open, the looks wait up to fifteen seconds for the broker's count to follow, because some brokers count every five seconds.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds between the two looks at the broker
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    quiet: u64,
}

/// One term of the proof.
#[derive(Debug, Serialize)]
pub(crate) struct Term {
    term: &'static str,
    value: String,
    wanted: &'static str,
    holds: bool,
}

impl Term {
    fn zero(term: &'static str, value: u64) -> Self {
        Self { term, value: ui::grouped(value), wanted: "0", holds: value == 0 }
    }
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let run = at.latest_run().await?;
    let queue = at.queue(Role::Consume).await?;
    let staged = !at.ledger.entries(&run.id, 0).await?.is_empty();
    let terms = terms(&at, &run, queue.as_ref(), Duration::from_secs(args.quiet), staged).await?;
    let empty = terms.iter().all(|term| term.holds);
    if global.json {
        ui::json(&serde_json::json!({ "run": run.id.as_str(), "empty": empty, "terms": terms }))?;
    } else {
        let rows = terms.iter().map(|t| {
            let holds = if t.holds { "ok" } else { "NO" };
            vec![holds.to_owned(), t.term.to_owned(), t.value.clone(), t.wanted.to_owned()]
        });
        ui::line(ui::table(&["", "term", "is", "wanted"], rows))?;
        ui::line(if empty {
            "the queue is known to be empty"
        } else {
            "the queue is NOT known to be empty"
        })?;
    }
    Ok(if empty { Exit::Done } else { Exit::No })
}

/// Every term. A run that walks stages reads its source in legs, so only its controller knows what was read.
pub(crate) async fn terms(
    at: &Neighbours,
    run: &Run,
    queue: &dyn Queue,
    quiet: Duration,
    staged: bool,
) -> Result<Vec<Term>, CliError> {
    let nothing_open =
        (staged || run.produced_at.is_some()) && at.ledger.tally(&run.id).await?.total().open() == 0;
    let mut terms = both_looks(queue, quiet, nothing_open).await;

    let tally = at.ledger.tally(&run.id).await?;
    let total = tally.total();
    let accounted = total.states.values().sum::<u64>() - total.open();
    if !staged {
        terms.push(Term {
            term: "ledger: everything was read",
            value: if run.produced_at.is_some() { "yes" } else { "no" }.to_owned(),
            wanted: "yes",
            holds: run.produced_at.is_some(),
        });
    }
    terms.push(Term {
        term: "ledger: planned = landed + dead + held + skipped",
        value: format!("{} = {}", ui::grouped(total.planned), ui::grouped(accounted)),
        wanted: "equal",
        holds: total.planned == accounted && tally.check_conserved().is_ok(),
    });
    for state in [RecordState::Queued, RecordState::Sending, RecordState::Retry, RecordState::Unknown] {
        let term = match state {
            RecordState::Sending => "ledger: sending",
            RecordState::Retry => "ledger: retry",
            RecordState::Unknown => "ledger: unknown",
            RecordState::Queued
            | RecordState::Held
            | RecordState::Landed
            | RecordState::Dead
            | RecordState::Skipped => "ledger: queued",
        };
        terms.push(Term::zero(term, total.of(state)));
    }
    Ok(terms)
}

/// What the terms come to, as a check answers. A broker that does not answer is no proof of anything.
pub(crate) fn verdict(terms: &[Term]) -> (CheckResult, String) {
    let wrong: Vec<String> = terms
        .iter()
        .filter(|term| !term.holds)
        .map(|term| format!("{} is {}, wanted {}", term.term, term.value, term.wanted))
        .collect();
    let unanswered = terms.iter().any(|term| !term.holds && term.wanted == "an answer");
    match wrong.is_empty() {
        true => (CheckResult::Pass, format!("{} terms hold", terms.len())),
        false if unanswered => (CheckResult::Inconclusive, wrong.join("; ")),
        false => (CheckResult::Fail, wrong.join("; ")),
    }
}

/// Looks twice, apart by the quiet time, and begins anew while the broker may still be counting what was settled a moment ago: its
/// count may say nothing because it is from before that work, and something because it is from the middle of it.
async fn both_looks(queue: &dyn Queue, quiet: Duration, nothing_open: bool) -> Vec<Term> {
    let since = Instant::now();
    loop {
        let mut terms = broker("first look", queue).await;
        let wait = nothing_open && since.elapsed() < STALE;
        let empty = |terms: &[Term]| terms.iter().all(|term| term.holds);
        if wait && !empty(&terms) {
            tokio::time::sleep(Duration::from_millis(500)).await;
            continue;
        }
        tokio::time::sleep(quiet).await;
        terms.extend(broker("second look", queue).await);
        if empty(&terms) || !wait {
            return terms;
        }
    }
}

async fn broker(look: &'static str, queue: &dyn Queue) -> Vec<Term> {
    match queue.depth().await {
        Ok(depth) => {
            let first = look == "first look";
            vec![
                Term::zero(
                    if first { "broker, first look: ready" } else { "broker, second look: ready" },
                    depth.ready,
                ),
                Term::zero(
                    if first { "broker, first look: unsettled" } else { "broker, second look: unsettled" },
                    depth.unsettled,
                ),
                Term::zero(
                    if first { "broker, first look: delayed" } else { "broker, second look: delayed" },
                    depth.delayed,
                ),
            ]
        }
        Err(error) => vec![Term { term: look, value: error.to_string(), wanted: "an answer", holds: false }],
    }
}
