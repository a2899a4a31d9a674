//! Holds the workers of a run that walks stages while it has no controller.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::RunId;
use haulier_core::brake::{Holding, name};
use haulier_core::control::Side;
use haulier_core::port::{Clock, Ledger, LedgerError};
use haulier_throttle::brakes::Board;

use crate::clock::SystemClock;

/// How often is looked whether the controller lives.
const LOOK: Duration = Duration::from_secs(1);

/// Puts the brake up while no controller lives, and takes it down when one does. A run without stages needs none.
pub(crate) async fn hold_without_controller(ledger: Arc<dyn Ledger>, run: RunId, board: Board) {
    let (mut staged, mut since) = (false, None);
    loop {
        match is_left_alone(&*ledger, &run, &mut staged).await {
            Ok(alone) => {
                since = if alone { since.or_else(|| Some(SystemClock.micros())) } else { None };
                let holding = since.map(|since| Holding {
                    name: name::CONTROLLER.to_owned(),
                    value: "none walks the stages".to_owned(),
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

async fn is_left_alone(ledger: &dyn Ledger, run: &RunId, staged: &mut bool) -> Result<bool, LedgerError> {
    *staged = *staged || !ledger.entries(run, 0).await?.is_empty();
    if !*staged {
        return Ok(false);
    }
    let lease = ledger.controller_lease(run).await?;
    Ok(lease.is_none_or(|lease| !lease.is_live(SystemClock.micros())))
}
