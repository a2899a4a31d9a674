//! `haulier dead`: records that need a person.

use std::collections::{BTreeMap, HashSet};

use haulier_core::port::{Clock, Judgement, RecordRow, Run};
use haulier_core::{RecordRef, RecordState, TenantKey};
use serde::Serialize;

mod which;

use which::Which;

use super::status::stamp;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::ui;

const PAGE: u32 = 1000;

/// List, explain, retry, waive or export records that need a person
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List dead and held records
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// Count those with the same entity, kind and reason instead
        #[arg(long)]
        by: Option<By>,
    },
    /// Show one record: what happened, what people decided, and what can be done about it
    Show {
        /// Its entity, or ENTITY/KEY
        entity: String,
        /// Its source key
        key: Option<String>,
    },
    /// Send again, with fresh attempts; with `--state skipped` also what was waived
    Retry {
        #[command(flatten)]
        which: Which,
    },
    /// Waive: leave out, with a reason that stays on record, in this run and all later ones until the row's content changes
    Skip {
        #[command(flatten)]
        which: Which,
        /// All dead and held records, where no other option says which
        #[arg(long)]
        all: bool,
        /// Why
        #[arg(long, value_parser = reason)]
        reason: String,
    },
    /// Print them all as CSV
    Export {
        #[command(flatten)]
        which: Which,
    },
}

/// By what records are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum By {
    /// Entity, kind and reason
    Reason,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a waiver without a reason cannot be understood later".to_owned()),
        text => Ok(text.to_owned()),
    }
}

#[derive(Debug, Serialize)]
struct Shown<'a> {
    entity: &'a str,
    key: &'a str,
    tenant: Option<&'a str>,
    state: &'a str,
    kind: Option<&'a str>,
    status: Option<u16>,
    attempts: u32,
    since: String,
    waits_for: Option<String>,
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    judgements: Vec<Judged>,
}

#[derive(Debug, Serialize)]
struct Judged {
    at: String,
    by: String,
    /// The reason of a waiver; a retry has none.
    waived: Option<String>,
}

impl From<Judgement> for Judged {
    fn from(judgement: Judgement) -> Self {
        Self { at: stamp(judgement.at), by: judgement.by, waived: judgement.waived }
    }
}

impl<'a> Shown<'a> {
    fn of(row: &'a RecordRow) -> Self {
        Self {
            entity: row.record.entity.as_str(),
            key: row.record.key.as_str(),
            tenant: row.tenant.as_ref().map(TenantKey::as_str),
            state: row.state.as_str(),
            kind: row.failure.as_ref().map(|failure| failure.kind.as_str()),
            status: row.failure.as_ref().and_then(|failure| failure.status),
            attempts: row.attempts,
            since: stamp(row.since),
            waits_for: row.waits_for.as_ref().map(ToString::to_string),
            reason: row.failure.as_ref().map(|failure| failure.reason.as_str()),
            judgements: Vec::new(),
        }
    }

    fn cells(&self) -> Vec<String> {
        vec![
            self.entity.to_owned(),
            self.key.to_owned(),
            self.tenant.unwrap_or("").to_owned(),
            self.state.to_owned(),
            self.kind.unwrap_or("").to_owned(),
            self.status.map_or_else(String::new, |status| status.to_string()),
            self.attempts.to_string(),
            self.since.clone(),
            self.waits_for.clone().unwrap_or_default(),
            self.reason.unwrap_or("").to_owned(),
        ]
    }
}

const HEAD: [&str; 10] =
    ["entity", "key", "tenant", "state", "kind", "status", "attempts", "since", "waits for", "reason"];

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let run = at.latest_run().await?;
    match args.what {
        What::List { which, by: Some(By::Reason), .. } => count(global, &at, &run, &which).await,
        What::List { which, limit, by: None } => list(global, &at, &run, &which, limit).await,
        What::Show { entity, key } => show(global, &at, &run, &Which::one(entity, key)).await,
        What::Retry { which } => judge(&at, &run, &which, None).await,
        What::Skip { which, all, .. } if !all && which.is_all() => {
            Err(CliError::new(Exit::Usage, "this would waive every dead and held record")
                .hint("say which by `--entity`, `--key`, `--kind`, `--tenant` or `--state`, or say `--all`"))
        }
        What::Skip { which, reason, .. } => judge(&at, &run, &which, Some(&reason)).await,
        What::Export { which } => export(&at, &run, &which).await,
    }
}

async fn list(
    global: &Global,
    at: &Neighbours,
    run: &Run,
    which: &Which,
    limit: usize,
) -> Result<Exit, CliError> {
    let rows = which.find(at, run, limit.saturating_add(1)).await?;
    let shown: Vec<Shown<'_>> = rows.iter().take(limit).map(Shown::of).collect();
    if global.json {
        for row in &shown {
            ui::json(row)?;
        }
    } else if shown.is_empty() {
        ui::line(format!("run {} has no such dead or held records", run.id))?;
    } else {
        ui::line(ui::table(
            &HEAD,
            shown.iter().map(|row| row.cells().into_iter().map(|cell| printable(&cell)).collect::<Vec<_>>()),
        ))?;
    }
    if rows.len() > limit {
        ui::note(format!("there are more than {limit}; `--limit N` shows more, `haulier dead export` all"));
    }
    let reasons: HashSet<_> = shown.iter().map(|row| (row.entity, row.kind, row.reason)).collect();
    if !global.json && shown.len() >= 20 && reasons.len() * 4 <= shown.len() {
        ui::note("many have the same reason; `haulier dead list --by reason` counts them");
    }
    Ok(if rows.is_empty() { Exit::Done } else { Exit::No })
}

/// Counts the records with the same entity, state, kind and reason, the most first.
async fn count(global: &Global, at: &Neighbours, run: &Run, which: &Which) -> Result<Exit, CliError> {
    let rows = which.find(at, run, usize::MAX).await?;
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for row in rows.iter().map(Shown::of) {
        *counts.entry((row.entity, row.state, row.kind, row.reason)).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, records)| std::cmp::Reverse(*records));
    if global.json {
        for ((entity, state, kind, reason), records) in &counts {
            ui::json(&serde_json::json!({
                "records": records, "entity": entity, "state": state, "kind": kind, "reason": reason
            }))?;
        }
    } else if !counts.is_empty() {
        let cells = counts.iter().map(|((entity, state, kind, reason), records)| {
            let cells = [*entity, *state, kind.unwrap_or(""), reason.unwrap_or("")].map(printable);
            std::iter::once(ui::grouped(*records)).chain(cells).collect::<Vec<_>>()
        });
        ui::line(ui::table(&["records", "entity", "state", "kind", "reason"], cells))?;
    }
    Ok(if counts.is_empty() { Exit::Done } else { Exit::No })
}

/// Control characters could drive the terminal; what a target wrote is not trusted.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

async fn show(global: &Global, at: &Neighbours, run: &Run, which: &Which) -> Result<Exit, CliError> {
    let found = which.find_in(at, run, 1, RecordState::ALL.to_vec()).await?;
    let Some(row) = found.into_iter().next() else {
        return Err(CliError::new(Exit::No, format!("run {} knows no record {which}", run.id))
            .hint("keys are written as `haulier dead list` and `haulier idmap export` print them"));
    };
    let judgements = at.ledger.judgements(&row.record).await?;
    let judgements: Vec<Judged> = judgements.into_iter().map(Judged::from).collect();
    if global.json {
        ui::json(&Shown { judgements, ..Shown::of(&row) })?;
        return Ok(Exit::Done);
    }
    let cells = Shown::of(&row).cells();
    for (name, cell) in HEAD.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        ui::line(format!("{name:<10} {}", printable(&cell)))?;
    }
    for Judged { at, by, waived } in &judgements {
        let what = waived.as_ref().map_or_else(|| "retry".to_owned(), |reason| format!("waived: {reason}"));
        ui::line(format!("{:<10} {at} by {}: {}", "judged", printable(by), printable(&what)))?;
    }
    if let Some(failure) = row.failure.as_ref().filter(|_| row.state != RecordState::Skipped) {
        ui::line(format!("{:<10} {}", "remedy", failure.kind.action().1))?;
    }
    Ok(Exit::Done)
}

async fn judge(at: &Neighbours, run: &Run, which: &Which, waive: Option<&str>) -> Result<Exit, CliError> {
    let by = process::operator();
    let rows = which.find(at, run, usize::MAX).await?;
    let records: Vec<RecordRef> = rows.into_iter().map(|row| row.record).collect();
    let mut done = 0;
    for records in records.chunks(PAGE as usize) {
        done += at.ledger.judge(&run.id, records, waive, &by, SystemClock.micros()).await?;
    }
    if let Some(hint) = which.doubt(done) {
        ui::note(hint);
    }
    match waive {
        Some(reason) => ui::line(format!("{} records are left out: {reason}", ui::grouped(done)))?,
        None => ui::line(format!("{} records are due again; `haulier run` sends them", ui::grouped(done)))?,
    }
    Ok(if done == 0 { Exit::No } else { Exit::Done })
}

async fn export(at: &Neighbours, run: &Run, which: &Which) -> Result<Exit, CliError> {
    let mut out = csv::Writer::from_writer(std::io::BufWriter::new(std::io::stdout()));
    out.write_record(HEAD).map_err(super::idmap::csv_error)?;
    for row in which.find(at, run, usize::MAX).await? {
        out.write_record(Shown::of(&row).cells()).map_err(super::idmap::csv_error)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}
