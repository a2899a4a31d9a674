//! The lease of the one controller: taken before anything else, renewed while it lives.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::Micros;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Controller;
use crate::Trouble;

/// How long a lease lasts that nobody renews.
pub const LEASE: Duration = Duration::from_secs(10);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(2);

/// The lease while it is held.
pub(super) struct Lease {
    /// Cancelled when somebody else has it, or it could not be renewed in time.
    pub(super) lost: CancellationToken,
    task: JoinHandle<()>,
}

fn until(now: Micros) -> Micros {
    now.saturating_add(Micros::try_from(LEASE.as_micros()).unwrap_or(Micros::MAX))
}

/// Takes the lease, and keeps it until it is given back.
pub(super) async fn take(controller: &Controller) -> Result<Lease, Trouble> {
    let desk = controller.desk.clone();
    let process = controller.process.clone();
    let now = desk.clock.micros();
    let held = desk.log.hold_controller_lease(&desk.run, &process, now, until(now)).await?;
    if held.holder != process {
        return Err(Trouble::Held { run: desk.run.to_string(), holder: held.holder.to_string() });
    }
    let lost = CancellationToken::new();
    let token = lost.clone();
    let task = tokio::spawn(async move {
        let mut good_until = until(now);
        loop {
            tokio::time::sleep(RENEW).await;
            let now = desk.clock.micros();
            match desk.log.hold_controller_lease(&desk.run, &process, now, until(now)).await {
                Ok(held) if held.holder == process => good_until = held.until,
                Ok(_) => break token.cancel(),
                Err(error) => {
                    tracing::warn!(%error, "the controller's lease cannot be renewed");
                    if now >= good_until {
                        break token.cancel();
                    }
                }
            }
        }
    });
    Ok(Lease { lost, task })
}

impl Lease {
    /// Ends the renewals and gives it back. One that cannot be given back runs out by itself.
    pub(super) async fn give_back(self, controller: &Controller) {
        self.task.abort();
        let desk = &controller.desk;
        let log = Arc::clone(&desk.log);
        if let Err(error) = log.release_controller_lease(&desk.run, &controller.process).await {
            tracing::debug!(%error, "the controller's lease runs out by itself");
        }
    }
}
