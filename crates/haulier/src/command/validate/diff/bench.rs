//! Reads both sides of an entity, and asks the ledger why they may differ.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use haulier_core::SourceKey;
use haulier_core::port::{Clock, Ledger, Run};
use haulier_sides::{Agreed, Read};
use haulier_validator::extract::ExtractWriter;
use haulier_validator::meter::Meter;
use haulier_validator::neutral::Side;
use jiff::Timestamp;

use super::judge::Explanations;
use crate::clock::SystemClock;
use crate::command::extract::{Place, writers};
use crate::error::CliError;
use crate::sides::{self, Ids, OneSide, Sides};

/// What stays the same over the entities.
pub(super) struct Bench<'s> {
    pub(super) sides: &'s Sides,
    pub(super) ledger: &'s Arc<dyn Ledger>,
    pub(super) run: Option<Run>,
    pub(super) folder: PathBuf,
    pub(super) keys: Vec<SourceKey>,
    pub(super) names: Vec<String>,
    pub(super) meter: Arc<Meter>,
}

/// Both sides of one entity, read and not yet compared.
pub(super) struct BothRead {
    pub(super) when: Timestamp,
    pub(super) writers: [ExtractWriter; 2],
    pub(super) source: Read,
    pub(super) target: Read,
    pub(super) known: Explanations,
}

impl Bench<'_> {
    /// Reads both sides at once.
    pub(super) async fn read(
        &self,
        source: &mut OneSide<'_>,
        target: &mut OneSide<'_>,
        agreed: &Arc<Agreed>,
        chosen: &[Arc<Agreed>],
        tenants: Option<&(Ids, Ids)>,
    ) -> Result<BothRead, CliError> {
        let when = SystemClock.now();
        let folders = [self.folder.join("source"), self.folder.join("target")];
        let open = |side: &OneSide<'_>, folder: &Path| {
            let place = Place { folder, compress: false, tenant: None };
            writers(side, agreed, &[place], 2, &self.meter)
        };
        let [source_folder, target_folder] = &folders;
        let (left, right) = (open(source, source_folder)?, open(target, target_folder)?);
        // While a run goes on, what is in flight now may have landed when the target is read.
        let live = self.run.as_ref().is_some_and(|run| run.finished_at.is_none());
        let known = if live { self.explanations(agreed).await? } else { Explanations::new() };
        let index = (source.is_needed(agreed, chosen), target.is_needed(agreed, chosen));
        let (left, right) = tokio::join!(
            sides::stream(source, agreed, left, tenants.map(|(ids, _)| ids), None, index.0),
            sides::stream(target, agreed, right, tenants.map(|(_, ids)| ids), None, index.1),
        );
        let (left, right) = (left?, right?);
        if self.keys.is_empty() {
            sides::refuse_lacking(agreed, Side::Target, &right.read)?;
        }
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
    pub(super) async fn explanations(&self, agreed: &Agreed) -> Result<Explanations, CliError> {
        let Some(run) = &self.run else { return Ok(Explanations::new()) };
        let standings = sides::standings(&**self.ledger, run, &agreed.entity.name, &self.keys).await?;
        let keys: Vec<SourceKey> = standings.keys().cloned().collect();
        let mut neutral = self.sides.key_neutral(agreed, Side::Source)?;
        let lines = self.sides.database.key_lines(&self.sides.agreed, agreed, &mut neutral, &keys).await?;
        Ok(lines.into_iter().filter_map(|(key, line)| Some((line, standings.get(&key)?.clone()))).collect())
    }
}
