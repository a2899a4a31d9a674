//! Signs of life.

use std::time::{Duration, Instant};

use haulier_core::port::ProcessBeat;
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;

const EVERY: Duration = Duration::from_secs(2);
/// Below the ten seconds after which others take over the claims.
const FENCE_AFTER: Duration = Duration::from_secs(8);

/// Beats until `ended`, then says good-bye.
pub(crate) async fn keep_beating(shared: &Shared, ended: &CancellationToken) {
    let mut last = Instant::now();
    while !ended.is_cancelled() {
        let beat = tokio::time::timeout(EVERY, shared.ledger.beat(&beat(shared, false))).await;
        match beat {
            Ok(Ok(())) => {
                last = Instant::now();
                shared.fence.reopen();
            }
            Ok(Err(error)) => tracing::warn!(error = %error, "the ledger does not take the sign of life"),
            Err(_) => tracing::warn!("the ledger does not answer the sign of life"),
        }
        if last.elapsed() >= FENCE_AFTER && !shared.fence.token().is_cancelled() {
            tracing::error!("no sign of life for 8 s: what is in hand is dropped, others will take it over");
            shared.fence.close();
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = ended.cancelled() => {}
        }
    }
    if let Err(error) = shared.ledger.beat(&beat(shared, true)).await {
        tracing::debug!(error = %error, "the good-bye was not taken; the claims end by themselves");
    }
}

fn beat(shared: &Shared, ended: bool) -> ProcessBeat {
    ProcessBeat {
        process: shared.process.clone(),
        run: shared.run.clone(),
        role: shared.settings.role.to_owned(),
        host: shared.settings.host.clone(),
        pid: std::process::id(),
        at: shared.clock.micros(),
        in_flight: u32::try_from(shared.slots.out()).unwrap_or(u32::MAX),
        ended,
    }
}
