//! `haulier validate counts`: how many records both sides have.

use std::collections::BTreeMap;
use std::sync::Arc;

use haulier_core::SourceKey;
use haulier_core::port::{Clock, Run};
use haulier_sides::{Agreed, Job};
use haulier_validator::line::{self, Field};
use haulier_validator::neutral::Side;
use serde::Serialize;
use tokio::sync::mpsc;

use super::results::{Basis, Stored, VERSION};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::sides::{self, OneSide, Sides, Standing};
use crate::site::Neighbours;
use crate::ui::{self, grouped};

/// Count records on both sides, also while a run goes on
///
/// Records that the ledger does not call landed (dead, held, left out, in flight, not yet read) are taken into account, as they were
/// before and after the target was counted.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this entity; may be given more than once
    #[arg(long)]
    entity: Vec<String>,
    /// Count each tenant's records, which reads both sides to their end
    #[arg(long)]
    by_tenant: bool,
}

/// One line of the result.
#[derive(Debug, Serialize)]
struct Shown {
    entity: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    source: u64,
    target: u64,
    /// How many fewer the target may have: at least those that are dead or left out, at most all that have not landed.
    explained: (u64, u64),
    words: BTreeMap<&'static str, u64>,
    equal: bool,
}

/// How many records are not, or not yet, in the target, and why.
type Words = BTreeMap<&'static str, u64>;

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let sides = Sides::open(&at).await?;
    let chosen = sides.chosen(&args.entity)?;
    let run = at.ledger.latest_run().await?;
    let (mut source, mut target) = (sides.side(Side::Source)?, sides.side(Side::Target)?);
    let mut shown = Vec::new();
    for agreed in &chosen {
        let when = SystemClock.now();
        // Asked first: what is read from now on may count twice among those that may be missing, but never not at all.
        let planned = planned(&at, run.as_ref(), agreed).await?;
        let before = open(&sides, &at, run.as_ref(), agreed, args.by_tenant).await?;
        let (there, here) = if args.by_tenant {
            (by_tenant(&mut target, agreed).await?, by_tenant(&mut source, agreed).await?)
        } else {
            let all = |count| BTreeMap::from([(String::new(), count)]);
            (all(target.reader.count(agreed).await?), all(source.reader.count(agreed).await?))
        };
        let mut words = before;
        let after = open(&sides, &at, run.as_ref(), agreed, args.by_tenant).await?;
        let sure: BTreeMap<String, u64> =
            after.iter().map(|(name, words)| (name.clone(), certain(words))).collect();
        let rows: u64 = here.values().sum();
        if let Some(unread) = planned.map(|planned| rows.saturating_sub(planned)).filter(|unread| *unread > 0)
        {
            // What the run has not read yet may be in the target from an earlier run, or not.
            words.entry(String::new()).or_default().insert("not yet read", unread);
        }
        let mut equal = true;
        let names: std::collections::BTreeSet<&String> =
            here.keys().chain(there.keys()).chain(words.keys()).collect();
        for name in names {
            let words = words.get(name).cloned().unwrap_or_default();
            let most = words.values().sum();
            let least = certain(&words).min(sure.get(name).copied().unwrap_or(0));
            let line = Shown::new(
                agreed,
                args.by_tenant.then(|| name.clone()),
                (here.get(name).copied().unwrap_or(0), there.get(name).copied().unwrap_or(0)),
                (least, most),
                words,
            );
            equal &= line.equal;
            shown.push(line);
        }
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        Stored {
            haulier_result: VERSION,
            level: "counts".to_owned(),
            entity: agreed.entity.name.to_string(),
            tenants: Vec::new(),
            when: when.to_string(),
            equal,
            figures: serde_json::json!({ "source": sum(&here), "target": sum(&there) }),
            explained: words.values().flatten().map(|(word, count)| ((*word).to_owned(), *count)).collect(),
            evidence: BTreeMap::new(),
            basis: Basis::of(&sides, &*at.ledger, agreed, &[]).await?,
        }
        .store(&sides.state)?;
    }
    tell(global, &shown, args.by_tenant)?;
    Ok(if shown.iter().all(|line| line.equal) { Exit::Done } else { Exit::No })
}

impl Shown {
    fn new(
        agreed: &Agreed,
        tenant: Option<String>,
        (source, target): (u64, u64),
        explained: (u64, u64),
        words: Words,
    ) -> Self {
        let missing = source.checked_sub(target);
        let equal = missing.is_some_and(|missing| (explained.0..=explained.1).contains(&missing));
        Self { entity: agreed.entity.name.to_string(), tenant, source, target, explained, words, equal }
    }
}

/// Those that cannot be in the target; of the others nobody knows yet.
fn certain(words: &Words) -> u64 {
    words.iter().filter(|(word, _)| matches!(**word, "dead" | "skipped")).map(|(_, count)| *count).sum()
}

/// Records that the ledger does not call landed, by tenant (as extracts name it) and word.
async fn open(
    sides: &Sides,
    at: &Neighbours,
    run: Option<&Run>,
    agreed: &Agreed,
    split: bool,
) -> Result<BTreeMap<String, Words>, CliError> {
    let mut words: BTreeMap<String, Words> = BTreeMap::new();
    let Some(run) = run else { return Ok(words) };
    let standings = sides::standings(&*at.ledger, run, &agreed.entity.name, &[]).await?;
    let names = if split { tenant_names(sides, standings.values()).await? } else { BTreeMap::new() };
    for standing in standings.values().filter(|standing| !standing.known) {
        let name = standing.tenant.as_ref().and_then(|tenant| names.get(tenant.as_str())).cloned();
        let of = words.entry(name.unwrap_or_default()).or_default();
        *of.entry(standing.word).or_default() += 1;
    }
    Ok(words)
}

/// How extracts name tenants, by their keys in the source.
async fn tenant_names(
    sides: &Sides,
    standings: impl Iterator<Item = &Standing>,
) -> Result<BTreeMap<String, String>, CliError> {
    let keys: std::collections::BTreeSet<String> =
        standings.filter_map(|standing| Some(standing.tenant.as_ref()?.as_str().to_owned())).collect();
    let keys: Vec<SourceKey> = keys.iter().map(|key| SourceKey::from_canonical(key)).collect();
    let root = sides.agreed.iter().find(|agreed| agreed.entity.name == sides.plan.tenant);
    let Some(root) = root else { return Ok(BTreeMap::new()) };
    let mut neutral = sides.key_neutral(root, Side::Source)?;
    let lines = sides.database.key_lines(&sides.agreed, root, &mut neutral, &keys).await?;
    Ok(lines.into_iter().map(|(key, line)| (key.as_str().to_owned(), cell(&line, 0))).collect())
}

/// How many rows a run that still reads has read so far.
async fn planned(at: &Neighbours, run: Option<&Run>, agreed: &Agreed) -> Result<Option<u64>, CliError> {
    let Some(run) = run.filter(|run| run.produced_at.is_none()) else { return Ok(None) };
    let tally = at.ledger.tally(&run.id).await?;
    Ok(Some(tally.entities.get(&agreed.entity.name).map_or(0, |counts| counts.planned)))
}

/// Each tenant's records, by reading them all.
async fn by_tenant(side: &mut OneSide<'_>, agreed: &Arc<Agreed>) -> Result<BTreeMap<String, u64>, CliError> {
    side.learn(agreed).await?;
    let (out, mut batches) = mpsc::channel::<haulier_sides::Batch>(8);
    let job = Job {
        agreed: Arc::clone(agreed),
        naturals: Arc::new(side.naturals.clone()),
        neutral: Some(side.all.neutral(agreed, side.side)?),
        index: None,
        tenants: None,
        ask: None,
        out: Some(out),
        rows: Arc::clone(&side.rows),
    };
    let column = agreed.tenant;
    let counting = async {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        while let Some(batch) = batches.recv().await {
            for line in batch.lines() {
                let name = column.map_or_else(String::new, |column| cell(line, column));
                *counts.entry(name).or_default() += 1;
            }
        }
        counts
    };
    let reading = async {
        let read = side.reader.read(&job).await;
        drop(job);
        read
    };
    let (read, mut counts) = tokio::join!(reading, counting);
    let read = read?;
    if read.problem_count > 0 {
        *counts.entry(String::new()).or_default() += read.problem_count;
    }
    Ok(counts)
}

fn cell(text: &[u8], column: usize) -> String {
    let cell = line::cells(text).nth(column);
    match cell.as_deref().map(line::field) {
        Some(Field::Text(text)) => text.into_owned(),
        Some(Field::Null | Field::Missing) | None => String::new(),
    }
}

fn tell(global: &Global, shown: &[Shown], by_tenant: bool) -> Result<(), CliError> {
    if global.json {
        for line in shown {
            ui::json(line)?;
        }
        return Ok(());
    }
    let rows = shown.iter().map(|line| {
        let words: Vec<String> =
            line.words.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
        let mut row = vec![line.entity.clone()];
        row.extend(line.tenant.clone());
        row.extend([line.source, line.target, line.explained.1].map(grouped));
        row.push(if line.equal { "equal" } else { "DIFFERENT" }.to_owned());
        row.push(words.join(", "));
        row
    });
    let mut head = vec!["entity", "source", "target", "explained", "result", "why"];
    if by_tenant {
        head.insert(1, "tenant");
    }
    ui::line(ui::table(&head, rows))
}
