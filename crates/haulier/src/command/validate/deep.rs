//! `haulier validate deep`: every mapped field of every record of chosen tenants, read back one by one.

use std::collections::{BTreeMap, HashMap};
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{StreamExt, stream};
use haulier_core::plan::Entity;
use haulier_core::port::{DeadFilter, KeyRange, Push, RecordRow, Run, Target, Throttle};
use haulier_core::{Record, RecordRef, RecordState, Row, SourceKey, TargetId, TenantKey};
use haulier_sides::Whole;
use haulier_validator::extract::Part;
use serde::Serialize;

use super::scope::ScopeArgs;
use crate::args::Global;
use crate::command::extract::make_folder;
use crate::command::idmap::csv_error;
use crate::command::tuning;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::sides::{Sides, Standing};
use crate::site::Neighbours;
use crate::ui::{self, Counted, grouped};

const PAGE: u32 = 1000;

/// Compare every mapped field of every record of chosen tenants
///
/// Reads the records fresh from the source, with everything that belongs to the tenants, and each of them back from the target by its
/// id. What changed in the source since it was sent stands apart. Differences go to `deep.csv`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Where the differences go [default: `validate` in the site's state folder]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// One entity's result.
#[derive(Debug, Default, Serialize)]
struct Shown {
    entity: String,
    records: u64,
    same: u64,
    different: u64,
    missing: u64,
    unreadable: u64,
    /// Records that changed in the source since they were sent, or that the ledger does not call landed.
    explained: BTreeMap<String, u64>,
}

/// What became of one record.
enum Found {
    Same,
    /// Fields with both values.
    Different(Vec<haulier_sides::FieldDifference>),
    Missing,
    Unreadable(String, String),
    Explained(&'static str),
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    if args.scope.tenant.is_empty() {
        return Err(CliError::new(Exit::Usage, "`validate deep` needs a `--tenant`").hint(
            "it reads every record back one by one: name the tenants, such as those of the smoke stage",
        ));
    }
    let at = Neighbours::open(global).await?;
    let stop = process::stop_on_signal()?;
    let sides = Sides::open(&at).await?;
    let run = at.latest_run().await?;
    let rows = Arc::new(AtomicU64::new(0));
    let counted = Counted { name: "records".to_owned(), rows: Arc::clone(&rows), expected: None };
    let desk = Desk {
        target: at.target()?,
        throttle: haulier_throttle::Flow::new(at.push_rate()),
        at: &at,
        sides: &sides,
        run,
        tenants: args.scope.tenant.iter().map(|key| TenantKey::new(key.as_str())).collect(),
        rows,
    };
    let folder = args.out.clone().unwrap_or_else(|| sides.state.join("validate"));
    let work = desk.all(&args.scope.entity, &folder);
    let ended = tokio::select! {
        ended = ui::watch(global, vec![counted], work) => Some(ended),
        () = stop.cancelled() => None,
    };
    let Some(ended) = ended else { return Ok(tuning::stopped("validate deep")) };
    let shown = ended?;
    let equal = shown.iter().all(|one| one.different + one.missing + one.unreadable == 0);
    if global.json {
        for one in &shown {
            ui::json(one)?;
        }
    } else {
        let rows = shown.iter().map(|one| {
            let words: Vec<String> =
                one.explained.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
            let mut row = vec![one.entity.clone()];
            row.extend([one.records, one.same, one.different, one.missing, one.unreadable].map(grouped));
            row.push(words.join(", "));
            row
        });
        let head = ["entity", "records", "same", "different", "missing", "unreadable", "explained"];
        ui::line(ui::table(&head, rows))?;
        ui::note(format!("differences are in {}", folder.join("deep.csv").display()));
    }
    Ok(if equal { Exit::Done } else { Exit::No })
}

struct Desk<'s> {
    target: Arc<dyn Target>,
    throttle: haulier_throttle::Flow,
    at: &'s Neighbours,
    sides: &'s Sides,
    run: Run,
    tenants: Vec<TenantKey>,
    rows: Arc<AtomicU64>,
}

impl Desk<'_> {
    async fn all(&self, names: &[String], folder: &std::path::Path) -> Result<Vec<Shown>, CliError> {
        let path = folder.join("deep.csv");
        make_folder(&path)?;
        let mut out = csv::Writer::from_writer(BufWriter::new(Part::create(&path)?));
        out.write_record(["entity", "tenant", "key", "field", "source", "target"]).map_err(csv_error)?;
        for name in names {
            self.at.entity(name)?;
        }
        let mut shown = Vec::new();
        // A deferred field's own entity is the same record once more.
        let entities = self.sides.plan.entities.iter().filter(|entity| entity.deferred_of.is_none());
        for entity in entities
            .filter(|entity| names.is_empty() || names.iter().any(|name| name == entity.name.as_str()))
        {
            shown.push(self.entity(entity, &mut out).await?);
        }
        let part = out.into_inner().map_err(csv::IntoInnerError::into_error)?;
        part.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
        Ok(shown)
    }

    async fn entity(
        &self,
        entity: &Entity,
        out: &mut csv::Writer<BufWriter<Part>>,
    ) -> Result<Shown, CliError> {
        let mut types = self.sides.types.clone();
        if !types.contains_key(&entity.name) {
            types.insert(entity.name.clone(), self.sides.database.source.columns(entity).await?);
        }
        let mut whole = Whole::new(entity, &types)?;
        let ledger = self.ledger_rows(entity).await?;
        let mut shown = Shown { entity: entity.name.to_string(), ..Shown::default() };
        let mut after: Option<SourceKey> = None;
        loop {
            let chunk =
                self.sides.database.source.chunk(entity, &KeyRange::default(), after.as_ref(), PAGE).await?;
            let Some(last) = chunk.last() else { break };
            after = Some(last.key.clone());
            let own: Vec<Row> = chunk
                .into_iter()
                .filter(|row| row.tenant.as_ref().is_some_and(|tenant| self.tenants.contains(tenant)))
                .collect();
            for (row, found) in self.compare(&mut whole, own, &ledger).await? {
                shown.records += 1;
                let tenant = row.tenant.as_ref().map_or("", TenantKey::as_str);
                let mut line = |field: &str, source: &str, target: &str| {
                    let cells = [entity.name.as_str(), tenant, row.key.as_str(), field, source, target];
                    out.write_record(cells).map_err(csv_error)
                };
                match found {
                    Found::Same => shown.same += 1,
                    Found::Different(fields) => {
                        shown.different += 1;
                        for field in fields {
                            line(&field.field, &field.source, &field.target)?;
                        }
                    }
                    Found::Missing => {
                        shown.missing += 1;
                        line("", "present", "missing")?;
                    }
                    Found::Unreadable(field, reason) => {
                        shown.unreadable += 1;
                        ui::note(format!("{}/{}, field `{field}`: {reason}", entity.name, row.key));
                    }
                    Found::Explained(word) => *shown.explained.entry(word.to_owned()).or_default() += 1,
                }
            }
        }
        Ok(shown)
    }

    /// What the ledger knows of the tenants' records.
    async fn ledger_rows(&self, entity: &Entity) -> Result<HashMap<SourceKey, RecordRow>, CliError> {
        let mut found = HashMap::new();
        for tenant in &self.tenants {
            let filter = DeadFilter {
                states: RecordState::ALL.to_vec(),
                entity: Some(entity.name.clone()),
                kinds: Vec::new(),
                tenant: Some(tenant.clone()),
            };
            let mut last: Option<RecordRef> = None;
            loop {
                let page = self.at.ledger.list(&self.run.id, &filter, last.as_ref(), PAGE).await?;
                let Some(end) = page.last() else { break };
                last = Some(end.record.clone());
                found.extend(page.into_iter().map(|row| (row.record.key.clone(), row)));
            }
        }
        Ok(found)
    }

    async fn compare(
        &self,
        whole: &mut Whole,
        rows: Vec<Row>,
        ledger: &HashMap<SourceKey, RecordRow>,
    ) -> Result<Vec<(Row, Found)>, CliError> {
        let entity = whole.entity().clone();
        let mut wanted = Vec::new();
        for row in &rows {
            let record = whole.mapped(row).record;
            wanted.extend(record.iter().flat_map(|record| refs_of(&entity, record)).flatten());
        }
        let ids = self.at.ledger.target_ids(&wanted).await?;
        let mut asked: Vec<(Row, Option<Found>, Option<Task>)> = Vec::with_capacity(rows.len());
        for row in rows {
            let known = ledger.get(&row.key);
            let standing = known.and_then(Standing::of);
            let task = whole.mapped(&row).record.zip(known.and_then(|known| known.target_id.clone()));
            asked.push(match (standing, task) {
                (Some(standing), _) => (row, Some(Found::Explained(standing.word)), None),
                (None, None) => (row, Some(Found::Missing), None),
                (None, Some((record, id))) => {
                    let refs = refs_of(&entity, &record).into_iter().map(|wanted| ids.get(&wanted?).cloned());
                    let changed =
                        known.is_some_and(|known| known.landed.is_some_and(|landed| landed != record.hash));
                    let task = Task { refs: refs.collect(), record, id, changed };
                    (row, None, Some(task))
                }
            });
        }
        let entity = &entity;
        let reading = asked.into_iter().map(|(row, found, task)| async move {
            let held = match &task {
                Some(task) => Some(self.read(entity, task).await?),
                None => None,
            };
            Ok::<_, CliError>((row, found, task, held))
        });
        let mut reading = stream::iter(reading).buffered(self.at.validate_pages().max(1));
        let mut all = Vec::new();
        while let Some(read) = reading.next().await {
            let (row, found, task, held) = read?;
            self.rows.fetch_add(1, Ordering::Relaxed);
            let found = match (found, task, held) {
                (Some(found), ..) => found,
                (None, Some(task), Some(Some(held))) => {
                    let held: serde_json::Value = serde_json::from_str(&held).map_err(CliError::bug)?;
                    match whole.compare(&row, &task.refs, &held) {
                        Ok(fields) if fields.is_empty() => Found::Same,
                        Ok(_) if task.changed => Found::Explained("changed in the source since it was sent"),
                        Ok(fields) => Found::Different(fields),
                        Err((field, reason)) => Found::Unreadable(field, reason),
                    }
                }
                (None, ..) => Found::Missing,
            };
            all.push((row, found));
        }
        Ok(all)
    }

    /// The record as the target holds it; what may pass is tried again, as the plan says.
    async fn read(&self, entity: &Entity, task: &Task) -> Result<Option<String>, CliError> {
        let push = Push {
            entity,
            record: &task.record,
            refs: &task.refs,
            known: Some(&task.id),
            unsure: false,
            idempotency_key: "",
        };
        let throttle: &dyn Throttle = &self.throttle;
        let retry = self.sides.plan.retry;
        let mut attempt = 1;
        loop {
            match self.target.read(push, throttle).await {
                Ok(held) => return Ok(held),
                Err(failure) if failure.kind.is_passing() && !retry.exhausted(attempt) => {
                    tokio::time::sleep(retry.wait(attempt, 1.0, failure.retry_after)).await;
                    attempt += 1;
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

/// What one reading needs.
struct Task {
    record: Record,
    refs: Vec<Option<TargetId>>,
    id: TargetId,
    /// Whether the source holds something else than what landed.
    changed: bool,
}

fn refs_of(entity: &Entity, record: &Record) -> Vec<Option<RecordRef>> {
    let keys = entity.refs.iter().zip(&record.refs);
    keys.map(|(reference, key)| Some(RecordRef { entity: reference.entity.clone(), key: key.clone()? }))
        .collect()
}
