//! Which entities and tenants a validation is of.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Clock, DeadFilter, Ledger};
use haulier_core::{RecordState, SourceKey};
use haulier_sides::Agreed;
use jiff::Timestamp;

use super::results::{Basis, Stored};
use crate::clock::SystemClock;
use crate::command::extract::folder_of_all;
use crate::error::CliError;
use crate::exit::Exit;
use crate::sides::Sides;

const PAGE: u32 = 1000;

/// What is compared, and where that goes.
#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    pub(crate) scope: ScopeArgs,
    #[command(flatten)]
    pub(crate) fresh: FreshArgs,
    /// Where the files go [default: `validate` in the site's state folder; of some tenants a folder of theirs in it]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl CompareArgs {
    /// Where the files of these tenants go, or of all when none is named.
    pub(crate) fn folder(&self, sides: &Sides, tenants: &[String]) -> PathBuf {
        self.out.clone().unwrap_or_else(|| {
            let all = sides.state.join("validate");
            folder_of_all(tenants).map_or(all.clone(), |of| all.join(of))
        })
    }
}

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
    /// The tenants' keys, each once, in order.
    pub(crate) fn keys(&self) -> Vec<SourceKey> {
        let keys: BTreeSet<&String> = self.tenant.iter().collect();
        keys.into_iter().map(|key| SourceKey::from_canonical(key)).collect()
    }

    /// The entities.
    pub(crate) fn chosen(&self, sides: &Sides) -> Result<Vec<Arc<Agreed>>, CliError> {
        sides.chosen(&self.entity)
    }
}

/// Only what is not proved already, or may not be any more.
#[derive(Debug, clap::Args)]
pub(crate) struct FreshArgs {
    /// Only entities whose stored result is stale, missing or different
    #[arg(long)]
    only_stale: bool,
    /// Only tenants of which the ledger settled a record since then: a time, or how long ago (`2h`)
    #[arg(long, value_name = "TIME", value_parser = since, conflicts_with = "tenant")]
    changed_since: Option<Timestamp>,
}

impl FreshArgs {
    /// The tenants' keys, of all tenants none; nothing where none has changed.
    pub(crate) async fn keys(
        &self,
        scope: &ScopeArgs,
        ledger: &dyn Ledger,
    ) -> Result<Option<Vec<SourceKey>>, CliError> {
        let Some(since) = self.changed_since else { return Ok(Some(scope.keys())) };
        let keys = changed_since(ledger, since).await?;
        Ok((!keys.is_empty()).then_some(keys))
    }

    /// Whether tenants are chosen by what has changed.
    pub(crate) fn chooses(&self) -> bool {
        self.changed_since.is_some()
    }

    /// Whether the comparison is to be made, where this is the result of the last one.
    pub(crate) fn is_open(&self, stored: Option<&Stored>, now: &Basis, fresh_for: Duration) -> bool {
        let good =
            |stored: &Stored| stored.equal && stored.stale(now, SystemClock.now(), fresh_for).is_none();
        !(self.only_stale && stored.is_some_and(good))
    }
}

/// A point in time, or how long ago it was: `2024-03-30T20:30:00Z`, `90m`, `2h`.
fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let ago = text.parse::<jiff::SignedDuration>().map_err(|_| {
        "write a time such as `2024-03-30T20:30:00Z`, or how long ago it was, such as `90m` or `2h`"
            .to_owned()
    })?;
    SystemClock.now().checked_sub(ago).map_err(|_| "that is too long ago".to_owned())
}

/// The tenants of records that the ledger has settled since then.
async fn changed_since(ledger: &dyn Ledger, since: Timestamp) -> Result<Vec<SourceKey>, CliError> {
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
