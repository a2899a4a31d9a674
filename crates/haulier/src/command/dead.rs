//! `haulier dead`: records that need a person.

use haulier_core::port::{Clock, DeadFilter, RecordRow, Run};
use haulier_core::{FailureKind, RecordRef, RecordState, SourceKey, TenantKey};
use serde::Serialize;

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
    },
    /// Show one record: what happened, and what can be done about it
    Show {
        /// Its entity
        entity: String,
        /// Its source key
        key: String,
    },
    /// Send again, with fresh attempts
    Retry {
        #[command(flatten)]
        which: Which,
    },
    /// Waive: leave out for good, with a reason that stays on record
    Skip {
        #[command(flatten)]
        which: Which,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Print them all as CSV
    Export {
        #[command(flatten)]
        which: Which,
    },
}

/// Which records; without any option all dead and held ones.
#[derive(Debug, clap::Args)]
struct Which {
    /// Only this entity
    #[arg(long)]
    entity: Option<String>,
    /// Only these source keys
    #[arg(long, requires = "entity", num_args = 1..)]
    key: Vec<String>,
    /// Only this kind of failure
    #[arg(long, value_parser = kind)]
    kind: Option<FailureKind>,
    /// Only this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Only `dead` or only `held`
    #[arg(long, value_parser = ["dead", "held"])]
    state: Option<String>,
}

fn kind(word: &str) -> Result<FailureKind, String> {
    let known = || FailureKind::ALL.map(FailureKind::as_str).join(", ");
    FailureKind::from_word(word).ok_or_else(|| format!("not a kind of failure; there are {}", known()))
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
        What::List { which, limit } => list(global, &at, &run, &which, limit).await,
        What::Show { entity, key } => show(global, &at, &run, &entity, &key).await,
        What::Retry { which } => judge(&at, &run, &which, None).await,
        What::Skip { which, reason } => judge(&at, &run, &which, Some(&reason)).await,
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
    let rows = find(at, run, which, limit.saturating_add(1)).await?;
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
    Ok(if rows.is_empty() { Exit::Done } else { Exit::No })
}

/// Control characters could drive the terminal; what a target wrote is not trusted.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

async fn show(
    global: &Global,
    at: &Neighbours,
    run: &Run,
    entity: &str,
    key: &str,
) -> Result<Exit, CliError> {
    let which = Which {
        entity: Some(entity.to_owned()),
        key: vec![key.to_owned()],
        kind: None,
        tenant: None,
        state: None,
    };
    let Some(row) = find_in(at, run, &which, 1, RecordState::ALL.to_vec()).await?.into_iter().next() else {
        return Err(CliError::new(Exit::No, format!("run {} knows no record {entity}/{key}", run.id))
            .hint("keys are written as `haulier dead list` and `haulier idmap export` print them"));
    };
    if global.json {
        ui::json(&Shown::of(&row))?;
        return Ok(Exit::Done);
    }
    let cells = Shown::of(&row).cells();
    for (name, cell) in HEAD.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        ui::line(format!("{name:<10} {}", printable(&cell)))?;
    }
    if let Some(failure) = &row.failure {
        ui::line(format!("{:<10} {}", "remedy", failure.kind.action().1))?;
    }
    Ok(Exit::Done)
}

async fn judge(at: &Neighbours, run: &Run, which: &Which, waive: Option<&str>) -> Result<Exit, CliError> {
    let by = process::operator();
    let mut done = 0;
    loop {
        let rows = find(at, run, which, PAGE as usize).await?;
        let records: Vec<RecordRef> = rows.into_iter().map(|row| row.record).collect();
        if records.is_empty() {
            break;
        }
        let changed = at.ledger.judge(&run.id, &records, waive, &by, SystemClock.micros()).await?;
        done += changed;
        if changed == 0 {
            break;
        }
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
    for row in find(at, run, which, usize::MAX).await? {
        out.write_record(Shown::of(&row).cells()).map_err(super::idmap::csv_error)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

async fn find(at: &Neighbours, run: &Run, which: &Which, limit: usize) -> Result<Vec<RecordRow>, CliError> {
    let states = match which.state.as_deref() {
        Some("dead") => vec![RecordState::Dead],
        Some("held") => vec![RecordState::Held],
        Some(_) | None => vec![RecordState::Dead, RecordState::Held],
    };
    find_in(at, run, which, limit, states).await
}

async fn find_in(
    at: &Neighbours,
    run: &Run,
    which: &Which,
    limit: usize,
    states: Vec<RecordState>,
) -> Result<Vec<RecordRow>, CliError> {
    let filter = DeadFilter {
        states,
        entity: which.entity.as_deref().map(|name| at.entity(name)).transpose()?,
        kinds: which.kind.into_iter().collect(),
        tenant: which.tenant.as_deref().map(TenantKey::new),
    };
    let keys: Vec<SourceKey> = which.key.iter().map(|key| SourceKey::from_canonical(key)).collect();
    let mut found: Vec<RecordRow> = Vec::new();
    let mut last: Option<RecordRef> = None;
    while found.len() < limit {
        let page = at.ledger.list(&run.id, &filter, last.as_ref(), PAGE).await?;
        let Some(end) = page.last() else { break };
        last = Some(end.record.clone());
        found.extend(page.into_iter().filter(|row| keys.is_empty() || keys.contains(&row.record.key)));
    }
    found.truncate(limit);
    Ok(found)
}
