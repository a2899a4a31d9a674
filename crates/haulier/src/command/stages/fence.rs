//! Holds the workers of a run that walks stages while it has no controller, or is paused.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::RunId;
use haulier_core::brake::{Holding, name};
use haulier_core::control::Side;
use haulier_core::port::{Clock, Ledger, LedgerError, Micros};
use haulier_core::stage::{RunState, Standing};
use haulier_throttle::brakes::Board;

use crate::clock::SystemClock;

/// How often is looked whether the controller lives.
const LOOK: Duration = Duration::from_secs(1);

/// Puts the brake up while no controller lives or the run is paused, and takes it down after. A run without stages needs none.
pub(crate) async fn hold_without_controller(ledger: Arc<dyn Ledger>, run: RunId, board: Board) {
    let (mut standing, mut since): (Standing, Option<(&str, Micros)>) = (Standing::default(), None);
    loop {
        match why_held(&*ledger, &run, &mut standing).await {
            Ok(why) => {
                let before = since.filter(|(before, _)| Some(*before) == why);
                since = why.map(|why| before.unwrap_or_else(|| (why, SystemClock.micros())));
                let holding = since.map(|(why, since)| Holding {
                    name: name::CONTROLLER.to_owned(),
                    value: why.to_owned(),
                    limit: String::new(),
                    since,
                    critical: false,
                    part: false,
                });
                board.put(Side::Push, name::CONTROLLER, holding.as_ref());
            }
            // A process that cannot read the ledger is held by its own fence.
            Err(error) => tracing::debug!(%error, "the ledger does not answer"),
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn why_held(
    ledger: &dyn Ledger,
    run: &RunId,
    standing: &mut Standing,
) -> Result<Option<&'static str>, LedgerError> {
    for entry in ledger.entries(run, standing.version).await? {
        if let Err(misstep) = standing.apply(&entry) {
            tracing::warn!(%misstep, "the stage log does not hold together");
        }
    }
    if standing.version == 0 {
        return Ok(None);
    }
    let lease = ledger.controller_lease(run).await?;
    if lease.is_none_or(|lease| !lease.is_live(SystemClock.micros())) {
        return Ok(Some("none walks the stages"));
    }
    let still = matches!(
        standing.run,
        RunState::Pausing | RunState::Paused | RunState::RollingBack | RunState::RollbackFailed
    );
    Ok(still.then_some("the run is paused"))
}
