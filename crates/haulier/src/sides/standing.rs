//! Records that the ledger does not call landed, and why: what explains a difference.

use std::collections::HashMap;

use haulier_core::port::{DeadFilter, Ledger, RecordRow, Run};
use haulier_core::{EntityName, RecordState, SourceKey, TenantKey};

use crate::error::CliError;

const PAGE: u32 = 1000;

/// Why a record is not, or not yet, in the target as it is in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its tenant.
    pub(crate) tenant: Option<TenantKey>,
    /// Whether it landed before, so that the target has it.
    pub(crate) known: bool,
    /// `dead`, `held`, `skipped` (also waived), `in flight`.
    pub(crate) word: &'static str,
    /// The last failure, or the reason why it was left out.
    pub(crate) reason: String,
}

impl Standing {
    /// That of one record; nothing where it has landed.
    pub(crate) fn of(row: &RecordRow) -> Option<Self> {
        let word = match row.state {
            RecordState::Landed => return None,
            RecordState::Dead => "dead",
            RecordState::Held => "held",
            // One that landed earlier and did not change is in the target.
            RecordState::Skipped if row.target_id.is_some() => return None,
            RecordState::Skipped => "skipped",
            RecordState::Queued | RecordState::Sending | RecordState::Retry | RecordState::Unknown => {
                "in flight"
            }
        };
        let reason = match (&row.failure, &row.waits_for) {
            (Some(failure), _) => failure.reason.clone(),
            (None, Some(parent)) => format!("it waits for {parent}"),
            (None, None) => String::new(),
        };
        Some(Self { tenant: row.tenant.clone(), known: row.target_id.is_some(), word, reason })
    }
}

/// The records of an entity that the ledger does not call landed: of these tenants, or of all when none is named.
pub(crate) async fn standings(
    ledger: &dyn Ledger,
    run: &Run,
    entity: &EntityName,
    tenants: &[SourceKey],
) -> Result<HashMap<SourceKey, Standing>, CliError> {
    let states = RecordState::ALL.into_iter().filter(|state| *state != RecordState::Landed).collect();
    let mut found = HashMap::new();
    each(ledger, run, entity, states, tenants, |row| {
        if let Some(standing) = Standing::of(&row) {
            found.insert(row.record.key, standing);
        }
    })
    .await?;
    Ok(found)
}

/// The ledger's records of an entity in these states: of these tenants, or of all when none is named.
pub(crate) async fn each(
    ledger: &dyn Ledger,
    run: &Run,
    entity: &EntityName,
    states: Vec<RecordState>,
    tenants: &[SourceKey],
    mut take: impl FnMut(RecordRow),
) -> Result<(), CliError> {
    let mut filter = DeadFilter { states, entity: Some(entity.clone()), kinds: Vec::new(), tenant: None };
    let mut tenants = tenants.iter();
    filter.tenant = tenants.next().map(|tenant| TenantKey::new(tenant.as_str()));
    loop {
        let mut last = None;
        loop {
            let page = ledger.list(&run.id, &filter, last.as_ref(), PAGE).await?;
            let Some(end) = page.last() else { break };
            last = Some(end.record.clone());
            page.into_iter().for_each(&mut take);
        }
        let Some(next) = tenants.next() else { return Ok(()) };
        filter.tenant = Some(TenantKey::new(next.as_str()));
    }
}
