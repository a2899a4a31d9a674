//! `haulier validate diff`: both extracts, sorted, and their differences, in one go.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use haulier_core::port::{Clock, Run};
use haulier_core::{SourceKey, port::Ledger};
use haulier_sides::Agreed;
use haulier_validator::diff::{DiffError, Shape, Summary, merge};
use haulier_validator::extract::{ExtractError, ExtractWriter, Manifest};
use haulier_validator::meter::Meter;
use haulier_validator::neutral::Side;
use haulier_validator::report::summary_json;
use jiff::Timestamp;
use serde::Serialize;

use super::judge::{Explanations, Files, Judge, OfTenant};
use super::results::{Basis, Stored, VERSION};
use super::scope::{ScopeArgs, changed_since, since};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::extract::{Place, make_folder, writers};
use crate::command::tuning;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::sides::{self, OneSide, Sides};
use crate::site::Neighbours;
use crate::ui::{self, Counted, grouped};

/// Compare every agreed column of every record on both sides
///
/// Reads both sides at once, sorts, and tells what is missing, extra, changed or doubled, for whom. The extracts stay as evidence,
/// with `differences.csv`, `.json`, `.html` (for people), and `explained.csv`. Results are stored; see `validate results`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Only entities whose stored result is stale, missing or different
    #[arg(long)]
    only_stale: bool,
    /// Only tenants of which the ledger settled a record since then: a time, or how long ago (`2h`)
    #[arg(long, value_name = "TIME", value_parser = since, conflicts_with = "tenant")]
    changed_since: Option<Timestamp>,
    /// Where extracts and differences go [default: `validate` in the site's state folder]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// One entity's result, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Shown {
    entity: String,
    equal: bool,
    figures: serde_json::Value,
    unexplained: OfTenant,
    explained: BTreeMap<String, u64>,
    unreadable: u64,
    tenants: BTreeMap<String, OfTenant>,
    #[serde(skip)]
    summary: Summary,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let stop = process::stop_on_signal()?;
    let sides = Sides::open(&at).await?;
    let meter = Arc::new(Meter::default());
    let work = Box::pin(compare(global, &at, &sides, &args, &meter));
    let ended = tokio::select! {
        ended = work => Some(ended),
        () = stop.cancelled() => None,
    };
    match ended {
        Some(ended) => ended,
        None => {
            meter.stop();
            Ok(tuning::stopped("validate diff"))
        }
    }
}

async fn compare(
    global: &Global,
    at: &Neighbours,
    sides: &Sides,
    args: &Args,
    meter: &Arc<Meter>,
) -> Result<Exit, CliError> {
    let run = at.ledger.latest_run().await?;
    let keys = match args.changed_since {
        Some(since) => changed_since(&*at.ledger, since).await?,
        None => args.scope.keys(),
    };
    if args.changed_since.is_some() && keys.is_empty() {
        ui::note("no tenant has changed since then");
        return Ok(Exit::Done);
    }
    let folder = args.out.clone().unwrap_or_else(|| sides.state.join("validate"));
    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let chosen = args.scope.chosen(sides)?;
    let mut open = Vec::new();
    for agreed in &chosen {
        let basis = Basis::now(sides, &*at.ledger, agreed).await?;
        let stored = Stored::load(&sides.state, "diff", agreed.entity.name.as_str(), &names);
        let good = stored.is_some_and(|stored| {
            stored.equal && stored.stale(&basis, SystemClock.now(), sides.plan.fresh_for).is_none()
        });
        if !(args.only_stale && good) {
            open.push((Arc::clone(agreed), basis));
        }
    }
    if open.is_empty() {
        ui::note("every result is fresh, and nothing differs");
        return Ok(Exit::Done);
    }
    make_folder(&folder.join("x"))?;
    let note = format!(
        "{} against {}, {}",
        sides.fingerprint(Side::Source),
        sides.fingerprint(Side::Target),
        SystemClock.now()
    );
    let mut files = Files::create(&folder, &note)?;
    let expected: u64 = open.iter().map(|(_, basis)| basis.source_rows).sum();
    let (mut source, mut target) = (sides.side(Side::Source), sides.side(Side::Target));
    let counted = [(&source, "source"), (&target, "target")].map(|(side, name)| Counted {
        name: name.to_owned(),
        rows: Arc::clone(&side.rows),
        expected: keys.is_empty().then_some(expected),
    });
    let bench = Bench { sides, ledger: &at.ledger, run, folder, keys, names, meter: Arc::clone(meter) };
    let work = async {
        let tenants = match bench.keys.as_slice() {
            [] => None,
            keys => Some((source.tenant_ids(keys).await?, target.tenant_ids(keys).await?)),
        };
        let agreed: Vec<Arc<Agreed>> = open.iter().map(|(agreed, _)| Arc::clone(agreed)).collect();
        let mut shown = Vec::new();
        for (one, basis) in open {
            let read = bench.read(&mut source, &mut target, &one, &agreed, tenants.as_ref()).await?;
            let (result, back) = bench.judge(&one, basis, read, files, &mut source).await?;
            files = back;
            shown.push(result);
        }
        files.finish()?;
        Ok::<Vec<Shown>, CliError>(shown)
    };
    let shown = Box::pin(ui::watch(global, counted.into(), work)).await?;
    tell(global, &shown, &bench.folder)?;
    Ok(if shown.iter().all(|shown| shown.equal) { Exit::Done } else { Exit::No })
}

/// What stays the same over the entities.
struct Bench<'s> {
    sides: &'s Sides,
    ledger: &'s Arc<dyn Ledger>,
    run: Option<Run>,
    folder: PathBuf,
    keys: Vec<SourceKey>,
    names: Vec<String>,
    meter: Arc<Meter>,
}

/// Ids of the chosen tenants on both sides.
type Ids = std::collections::HashMap<String, SourceKey>;

/// Both sides of one entity, read and not yet compared.
struct BothRead {
    when: Timestamp,
    writers: [ExtractWriter; 2],
    source: haulier_sides::Read,
    target: haulier_sides::Read,
    known: Explanations,
}

impl Bench<'_> {
    async fn read(
        &self,
        source: &mut OneSide<'_>,
        target: &mut OneSide<'_>,
        agreed: &Arc<Agreed>,
        chosen: &[Arc<Agreed>],
        tenants: Option<&(Ids, Ids)>,
    ) -> Result<BothRead, CliError> {
        let when = SystemClock.now();
        let folders = [self.folder.join("source"), self.folder.join("target")];
        let open = |side: &OneSide<'_>, folder: &std::path::Path| {
            let place = Place { folder, compress: false, tenant: None };
            writers(side, agreed, &[place], 2, &self.meter)
        };
        let [source_folder, target_folder] = &folders;
        let (left, right) = (open(source, source_folder)?, open(target, target_folder)?);
        // While a run goes on, what is in flight now may have landed when the target is read.
        let live = self.run.as_ref().is_some_and(|run| run.finished_at.is_none());
        source.learn(agreed).await?;
        let known = if live { self.explanations(source, agreed).await? } else { Explanations::new() };
        let index = (source.is_needed(agreed, chosen), target.is_needed(agreed, chosen));
        let (left, right) = tokio::join!(
            sides::stream(source, agreed, left, tenants.map(|(ids, _)| ids), None, index.0),
            sides::stream(target, agreed, right, tenants.map(|(_, ids)| ids), None, index.1),
        );
        let (left, right) = (left?, right?);
        let first = |mut writers: Vec<ExtractWriter>| {
            writers.pop().ok_or_else(|| CliError::bug(anyhow::anyhow!("an extract has no writer")))
        };
        Ok(BothRead {
            when,
            writers: [first(left.writers)?, first(right.writers)?],
            source: left.read,
            target: right.read,
            known,
        })
    }

    /// Why records of the source are not in the target, by their neutral keys.
    async fn explanations(&self, source: &OneSide<'_>, agreed: &Agreed) -> Result<Explanations, CliError> {
        let Some(run) = &self.run else { return Ok(Explanations::new()) };
        let standings = sides::standings(&**self.ledger, run, &agreed.entity.name).await?;
        let keys: Vec<SourceKey> = standings.keys().cloned().collect();
        let mut neutral = self.sides.key_neutral(agreed, Side::Source)?;
        let lines = self.sides.database.key_lines(&source.naturals, agreed, &mut neutral, &keys).await?;
        Ok(lines.into_iter().filter_map(|(key, line)| Some((line, standings.get(&key)?.clone()))).collect())
    }

    async fn judge(
        &self,
        agreed: &Arc<Agreed>,
        basis: Basis,
        read: BothRead,
        mut files: Files,
        source: &mut OneSide<'_>,
    ) -> Result<(Shown, Files), CliError> {
        let entity = agreed.entity.name.to_string();
        let BothRead { when, writers: [left, right], source: from, target: to, known } = read;
        let (mut explained, open) = self.unmapped(agreed, &from, &mut files).await?;
        let shape = Shape {
            entity: entity.clone(),
            a: Side::Source.as_str().to_owned(),
            b: Side::Target.as_str().to_owned(),
            columns: agreed.columns.all().iter().map(|column| column.name.clone()).collect(),
            key: agreed.columns.key(),
            tenant: agreed.tenant,
            escaped: true,
        };
        let meter = Arc::clone(&self.meter);
        // The thread of the comparison asks, when the first difference comes; this task answers.
        let (ask, asked) = tokio::sync::oneshot::channel::<()>();
        let (answer, answered) = std::sync::mpsc::channel::<Result<Explanations, CliError>>();
        let comparing = tokio::task::spawn_blocking(move || {
            let lines = std::thread::scope(|scope| {
                let other = scope.spawn(|| right.into_lines());
                (left.into_lines(), other.join())
            });
            let (mut a, mut b) = match lines {
                (a, Ok(b)) => (a?, b?),
                (_, Err(_)) => return Err(CliError::bug(anyhow::anyhow!("a sort ended by itself"))),
            };
            let (summary, told) = {
                let mut judge = Judge::new(&mut files, known, move || {
                    // Nobody waits for a task that has gone.
                    let _gone = ask.send(());
                    answered.recv().map_err(CliError::bug)?
                });
                let summary = merge(&shape, &mut a, &mut b, &mut judge, &meter);
                if let Some(failed) = judge.failed.take() {
                    return Err(failed);
                }
                let summary = match summary {
                    Ok(summary) => summary,
                    Err(DiffError::Extract(error)) => return Err(error.into()),
                    Err(error) => return Err(error.into()),
                };
                (summary, (judge.explained, judge.unexplained, judge.tenants))
            };
            let manifests = [a, b].map(|lines| match lines.finish(when) {
                Ok(manifest) => Ok(Some(manifest)),
                // That keys come twice is in the result; such a file is no evidence.
                Err(ExtractError::Doubled { .. }) => Ok(None),
                Err(error) => Err(error),
            });
            Ok((summary, told, manifests, shape, files))
        });
        if asked.await.is_ok() {
            // Nobody hears it when the comparison ended meanwhile.
            let _gone = answer.send(self.explanations(source, agreed).await);
        }
        let (summary, told, manifests, shape, files) = comparing.await.map_err(CliError::bug)??;
        let (words, unexplained, tenants) = told;
        for (word, count) in words {
            *explained.entry(word).or_default() += count;
        }
        let unreadable = open + to.problem_count;
        for problem in to.problems.iter().take(20) {
            ui::note(format!("the target's {problem}"));
        }
        if to.twice > 0 {
            ui::note(format!(
                "{entity}: the list moved while it was read: {} records came twice and count once",
                to.twice
            ));
        }
        let mut evidence = BTreeMap::new();
        for (side, manifest) in ["source", "target"].into_iter().zip(manifests) {
            if let Some(Manifest { sha256, .. }) = manifest? {
                evidence.insert(format!("{side}.sha256"), sha256);
                let file = self.folder.join(side).join(format!("{entity}.csv"));
                evidence.insert(format!("{side}.file"), file.display().to_string());
            }
        }
        let equal = unexplained.sum() == 0 && !summary.is_doubled() && unreadable == 0;
        let figures = summary_json(&shape, &summary);
        let stored = Stored {
            haulier_result: VERSION,
            level: "diff".to_owned(),
            entity: entity.clone(),
            tenants: self.names.clone(),
            when: when.to_string(),
            equal,
            figures: figures.clone(),
            explained: explained.clone(),
            evidence,
            basis,
        };
        stored.store(&self.sides.state)?;
        Ok((Shown { entity, equal, figures, unexplained, explained, unreadable, tenants, summary }, files))
    }

    /// Rows of the source that cannot be mapped: explained where the ledger says so of them.
    async fn unmapped(
        &self,
        agreed: &Agreed,
        read: &haulier_sides::Read,
        files: &mut Files,
    ) -> Result<(BTreeMap<String, u64>, u64), CliError> {
        let mut explained = BTreeMap::new();
        if read.problem_count == 0 {
            return Ok((explained, 0));
        }
        let standings = match &self.run {
            Some(run) => sides::standings(&**self.ledger, run, &agreed.entity.name).await?,
            None => std::collections::HashMap::new(),
        };
        let entity = agreed.entity.name.as_str();
        let mut open = read.problem_count;
        for problem in &read.problems {
            match standings.get(&SourceKey::from_canonical(&problem.id)) {
                Some(standing) => {
                    *explained.entry(standing.word.to_owned()).or_default() += 1;
                    open -= 1;
                    files.explained([entity, "", "missing", &problem.id, standing.word, &standing.reason])?;
                }
                None => ui::note(format!("the source's {problem}")),
            }
        }
        Ok((explained, open))
    }
}

fn tell(global: &Global, shown: &[Shown], folder: &std::path::Path) -> Result<(), CliError> {
    if global.json {
        for one in shown {
            ui::json(one)?;
        }
        return Ok(());
    }
    let rows = shown.iter().map(|one| {
        let summary = &one.summary;
        let explained: u64 = one.explained.values().sum();
        let words: Vec<String> =
            one.explained.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
        let counts = [summary.a, summary.b, summary.equal, one.unexplained.sum(), explained];
        let doubled = summary.doubled_a + summary.doubled_b;
        let mut row = vec![one.entity.clone()];
        row.extend(counts.map(grouped));
        row.extend([doubled, one.unreadable].map(grouped));
        row.push(if one.equal { "equal" } else { "DIFFERENT" }.to_owned());
        row.push(words.join(", "));
        row
    });
    let head = [
        "entity",
        "source",
        "target",
        "equal",
        "unexplained",
        "explained",
        "doubled",
        "unreadable",
        "result",
        "why",
    ];
    ui::line(ui::table(&head, rows))?;
    for one in shown.iter().filter(|one| one.summary.a == 0 && one.summary.b == 0) {
        ui::note(format!("{}: 0 rows on both sides", one.entity));
    }
    ui::note(format!("extracts and differences are in {}", folder.display()));
    Ok(())
}
