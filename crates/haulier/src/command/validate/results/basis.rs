//! What a result rests on, as it is now.

use std::collections::BTreeMap;

use haulier_core::plan::Entity;
use haulier_core::port::{Ledger, Tally};
use haulier_core::{RecordState, SourceKey};
use haulier_sides::Agreed;
use haulier_validator::neutral::Side;
use serde::{Deserialize, Serialize};

use crate::error::CliError;
use crate::sides::{self, Sides};

/// What a result rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Basis {
    pub(crate) plan: String,
    pub(crate) column_set: String,
    pub(crate) source: String,
    pub(crate) target: String,
    /// Rows of the source.
    pub(crate) source_rows: u64,
    /// The newest run and its counts of the records.
    pub(crate) ledger: String,
}

impl Basis {
    /// That of a result of now, of an entity's agreed columns: of these tenants, or of all when none is named.
    pub(crate) async fn of(
        sides: &Sides,
        ledger: &dyn Ledger,
        agreed: &Agreed,
        tenants: &[SourceKey],
    ) -> Result<Self, CliError> {
        Self::with(sides, ledger, &agreed.entity, agreed.columns.digest(), tenants).await
    }

    /// The same of other columns, by their digest.
    pub(crate) async fn with(
        sides: &Sides,
        ledger: &dyn Ledger,
        entity: &Entity,
        column_set: String,
        tenants: &[SourceKey],
    ) -> Result<Self, CliError> {
        let source_rows = match sides.count(entity, tenants).await? {
            Some(rows) => rows,
            None => sides.database.source.count(entity).await?,
        };
        let ledger = match ledger.latest_run().await? {
            None => String::new(),
            Some(run) if tenants.is_empty() => {
                format!("{} {}", run.id, told(&ledger.tally(&run.id).await?, entity))
            }
            Some(run) => {
                let mut states: BTreeMap<&str, u64> = BTreeMap::new();
                let all = RecordState::ALL.to_vec();
                sides::each(ledger, &run, &entity.name, all, tenants, |row| {
                    *states.entry(row.state.as_str()).or_default() += 1;
                })
                .await?;
                let states = states.iter().map(|(state, count)| format!("{state}={count}"));
                format!("{} {}", run.id, states.collect::<Vec<_>>().join(" "))
            }
        };
        Ok(Self {
            plan: sides.plan.digest.clone(),
            column_set,
            source: sides.fingerprint(Side::Source).to_owned(),
            target: sides.fingerprint(Side::Target).to_owned(),
            source_rows,
            ledger,
        })
    }
}

fn told(tally: &Tally, entity: &Entity) -> String {
    let Some(counts) = tally.entities.get(&entity.name) else { return "nothing".to_owned() };
    let states = counts.states.iter().map(|(state, count)| format!("{}={count}", state.as_str()));
    states.collect::<Vec<_>>().join(" ")
}
