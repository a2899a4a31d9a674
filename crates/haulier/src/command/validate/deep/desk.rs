//! Reads the chosen tenants' records of each entity, and keeps what was found: differences for people, and the evidence.

use std::collections::{BTreeMap, HashMap};
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use haulier_core::plan::Entity;
use haulier_core::port::{Clock, KeyRange, RecordRow, Run, Target};
use haulier_core::{RecordState, SourceKey, TargetId, TenantKey};
use haulier_sides::Whole;
use haulier_validator::extract::{Part, Sealed};
use jiff::Timestamp;
use serde::Serialize;

use super::compare::{Compared, Found};
use crate::clock::SystemClock;
use crate::command::extract::make_folder;
use crate::command::idmap::csv_error;
use crate::command::validate::results::{Basis, Stored, VERSION};
use crate::error::CliError;
use crate::sides::{self, Narrow, Sides};
use crate::site::Neighbours;
use crate::ui;

const PAGE: u32 = 1000;

/// One entity's result.
#[derive(Debug, Default, Serialize)]
pub(super) struct Shown {
    pub(super) entity: String,
    pub(super) records: u64,
    pub(super) same: u64,
    pub(super) different: u64,
    pub(super) missing: u64,
    pub(super) unreadable: u64,
    /// Records that changed in the source since they were sent, or that the ledger does not call landed.
    pub(super) explained: BTreeMap<String, u64>,
}

/// What stays the same over the entities.
pub(super) struct Desk<'s> {
    pub(super) target: Arc<dyn Target>,
    pub(super) throttle: haulier_throttle::Flow,
    pub(super) at: &'s Neighbours,
    pub(super) sides: &'s Sides,
    pub(super) run: Run,
    pub(super) tenants: Vec<SourceKey>,
    pub(super) folder: PathBuf,
    pub(super) rows: Arc<AtomicU64>,
}

/// `deep.csv`: what differs, for people.
type Differences = csv::Writer<BufWriter<Part>>;

impl Desk<'_> {
    /// Compares these entities, and stores each result with its evidence.
    pub(super) async fn all(&self, open: &[(&Entity, Basis)]) -> Result<Vec<Shown>, CliError> {
        let path = self.folder.join("deep.csv");
        make_folder(&path)?;
        let mut out = csv::Writer::from_writer(BufWriter::new(Part::create(&path)?));
        out.write_record(["entity", "tenant", "key", "field", "source", "target"]).map_err(csv_error)?;
        let mut shown = Vec::new();
        for (entity, basis) in open {
            let when = SystemClock.now();
            let file = self.folder.join("deep").join(format!("{}.csv", entity.name));
            make_folder(&file)?;
            let mut evidence = csv::Writer::from_writer(Sealed::create(&file)?);
            evidence
                .write_record(["tenant", "key", "target_id", "result", "source_sha256", "target_sha256"])
                .map_err(csv_error)?;
            let one = self.entity(entity, &mut out, &mut evidence).await?;
            let sealed = evidence.into_inner().map_err(csv::IntoInnerError::into_error)?;
            let sha256 = sealed.finish()?;
            self.store(
                &one,
                basis,
                when,
                &[("records.file", file.display().to_string()), ("records.sha256", sha256)],
            )?;
            shown.push(one);
        }
        let part = out.into_inner().map_err(csv::IntoInnerError::into_error)?;
        part.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
        Ok(shown)
    }

    fn store(
        &self,
        one: &Shown,
        basis: &Basis,
        when: Timestamp,
        evidence: &[(&str, String)],
    ) -> Result<(), CliError> {
        let evidence = evidence.iter().map(|(name, text)| ((*name).to_owned(), text.clone()));
        Stored {
            haulier_result: VERSION,
            level: "deep".to_owned(),
            entity: one.entity.clone(),
            tenants: self.tenants.iter().map(ToString::to_string).collect(),
            when: when.to_string(),
            equal: one.is_equal(),
            figures: serde_json::json!({
                "records": one.records, "same": one.same, "different": one.different,
                "missing": one.missing, "unreadable": one.unreadable,
            }),
            explained: one.explained.clone(),
            evidence: evidence.collect(),
            basis: basis.clone(),
        }
        .store(&self.sides.state)
    }

    async fn entity(
        &self,
        entity: &Entity,
        out: &mut Differences,
        evidence: &mut csv::Writer<Sealed>,
    ) -> Result<Shown, CliError> {
        let mut shown = Shown { entity: entity.name.to_string(), ..Shown::default() };
        let read = match sides::narrow(entity, &self.tenants) {
            Narrow::To(narrowed) => *narrowed,
            Narrow::All | Narrow::ByReading => entity.clone(),
            Narrow::Nothing => return Ok(shown),
        };
        let mut whole = whole(self.sides, entity).await?;
        let ledger = self.ledger_rows(entity).await?;
        let wanted: Vec<TenantKey> = self.tenants.iter().map(|key| TenantKey::new(key.as_str())).collect();
        let mut after: Option<SourceKey> = None;
        loop {
            let source = &self.sides.database.source;
            let chunk = source.chunk(&read, &KeyRange::default(), after.as_ref(), PAGE).await?;
            let Some(last) = chunk.last() else { break };
            after = Some(last.key.clone());
            let own = chunk
                .into_iter()
                .filter(|row| row.tenant.as_ref().is_some_and(|tenant| wanted.contains(tenant)))
                .collect();
            for compared in self.compare(&mut whole, own, &ledger).await? {
                note(entity, &compared, out, evidence)?;
                shown.add(&compared.found);
            }
        }
        Ok(shown)
    }

    /// What the ledger knows of the tenants' records.
    async fn ledger_rows(&self, entity: &Entity) -> Result<HashMap<SourceKey, RecordRow>, CliError> {
        let mut found = HashMap::new();
        let states = RecordState::ALL.to_vec();
        sides::each(&*self.at.ledger, &self.run, &entity.name, states, &self.tenants, |row| {
            found.insert(row.record.key.clone(), row);
        })
        .await?;
        Ok(found)
    }
}

/// An entity's fields, made ready to be compared.
pub(super) async fn whole(sides: &Sides, entity: &Entity) -> Result<Whole, CliError> {
    let mut types = sides.types.clone();
    if !types.contains_key(&entity.name) {
        types.insert(entity.name.clone(), sides.database.source.columns(entity).await?);
    }
    Ok(Whole::new(entity, &types)?)
}

/// Writes what was found of a record.
fn note(
    entity: &Entity,
    compared: &Compared,
    out: &mut Differences,
    evidence: &mut csv::Writer<Sealed>,
) -> Result<(), CliError> {
    let Compared { row, found, id, source, target } = compared;
    let tenant = row.tenant.as_ref().map_or("", TenantKey::as_str);
    let mut line = |field: &str, source: &str, target: &str| {
        let cells = [entity.name.as_str(), tenant, row.key.as_str(), field, source, target];
        out.write_record(cells).map_err(csv_error)
    };
    match found {
        Found::Same | Found::Explained(_) => {}
        Found::Different(fields) => {
            for field in fields {
                line(&field.field, &field.source, &field.target)?;
            }
        }
        Found::Missing => line("", "present", "missing")?,
        Found::Unreadable(field, reason) => {
            ui::note(format!("{}/{}, field `{field}`: {reason}", entity.name, row.key));
        }
    }
    let digest = |text: &Option<String>| text.clone().unwrap_or_default();
    let id = id.as_ref().map_or("", TargetId::as_str);
    evidence
        .write_record([tenant, row.key.as_str(), id, found.word(), &digest(source), &digest(target)])
        .map_err(csv_error)
}

impl Shown {
    fn add(&mut self, found: &Found) {
        self.records += 1;
        match found {
            Found::Same => self.same += 1,
            Found::Different(_) => self.different += 1,
            Found::Missing => self.missing += 1,
            Found::Unreadable(..) => self.unreadable += 1,
            Found::Explained(word) => *self.explained.entry((*word).to_owned()).or_default() += 1,
        }
    }

    /// Whether nothing unexplained differs.
    pub(super) fn is_equal(&self) -> bool {
        self.different + self.missing + self.unreadable == 0
    }
}
