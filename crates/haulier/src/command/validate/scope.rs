//! Which entities and tenants a validation is of.

use std::collections::BTreeSet;
use std::sync::Arc;

use haulier_core::port::{DeadFilter, Ledger};
use haulier_core::{RecordState, SourceKey};
use haulier_sides::Agreed;
use jiff::Timestamp;

use crate::error::CliError;
use crate::exit::Exit;
use crate::sides::Sides;

const PAGE: u32 = 1000;

/// Which entities and tenants.
#[derive(Debug, clap::Args)]
pub(crate) struct ScopeArgs {
    /// Only this entity; may be given more than once
    #[arg(long)]
    pub(crate) entity: Vec<String>,
    /// Only this tenant, by its key in the source; may be given more than once
    #[arg(long)]
    pub(crate) tenant: Vec<String>,
}

impl ScopeArgs {
    /// The tenants' keys.
    pub(crate) fn keys(&self) -> Vec<SourceKey> {
        self.tenant.iter().map(|key| SourceKey::from_canonical(key)).collect()
    }

    /// The entities.
    pub(crate) fn chosen(&self, sides: &Sides) -> Result<Vec<Arc<Agreed>>, CliError> {
        sides.chosen(&self.entity)
    }
}

/// A point in time, or how long ago it was: `2024-03-30T20:30:00Z`, `90m`, `2h`.
pub(crate) fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let ago = text.parse::<jiff::SignedDuration>().map_err(|_| {
        "write a time such as `2024-03-30T20:30:00Z`, or how long ago it was, such as `90m` or `2h`"
            .to_owned()
    })?;
    use haulier_core::port::Clock;
    crate::clock::SystemClock.now().checked_sub(ago).map_err(|_| "that is too long ago".to_owned())
}

/// The tenants of records that the ledger has settled since then.
pub(crate) async fn changed_since(ledger: &dyn Ledger, since: Timestamp) -> Result<Vec<SourceKey>, CliError> {
    let Some(run) = ledger.latest_run().await? else {
        return Err(CliError::new(Exit::No, "there has been no run yet").hint("`haulier run` starts one"));
    };
    let filter =
        DeadFilter { states: RecordState::ALL.to_vec(), entity: None, kinds: Vec::new(), tenant: None };
    let mut tenants = BTreeSet::new();
    let mut last = None;
    loop {
        let page = ledger.list(&run.id, &filter, last.as_ref(), PAGE).await?;
        let Some(end) = page.last() else { break };
        last = Some(end.record.clone());
        let recent = page.iter().filter(|row| row.since >= since.as_microsecond());
        tenants.extend(recent.filter_map(|row| row.tenant.as_ref()).map(|tenant| tenant.as_str().to_owned()));
    }
    Ok(tenants.iter().map(|tenant| SourceKey::from_canonical(tenant)).collect())
}
