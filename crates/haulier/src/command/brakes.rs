//! What watches while this process works: gauges, the queue, the tolerance law, and brakes that became critical.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::RunId;
use haulier_core::brake::{Holding, name};
use haulier_core::control::{Change, History, Knob, RampReport, Side, Turn, Valve};
use haulier_core::port::{Clock, Ledger, Queue, Run};
use haulier_throttle::brakes::{Board, of_target, watch_gauge, watch_queue};
use haulier_throttle::{Controls, Leader, Meter};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::SystemClock;
use crate::error::CliError;
use crate::process;
use crate::site::Neighbours;

/// The watching tasks of a producing process; they end when this is dropped.
pub(super) fn watch_all(
    at: &Neighbours,
    run: &Run,
    queue: Arc<dyn Queue>,
    board: &Board,
    meter: &Arc<Meter>,
    found: watch::Sender<Option<RampReport>>,
) -> Result<JoinSet<()>, CliError> {
    let mut tasks = JoinSet::new();
    let clock = || Arc::new(SystemClock) as Arc<dyn Clock>;
    for gauge in at.gauges()? {
        tasks.spawn(watch_gauge(gauge, clock(), board.clone()));
    }
    let published = Arc::clone(meter);
    let parcels = move || published.totals().parcels;
    tasks.spawn(watch_queue(queue, parcels, at.ready(), clock(), board.clone()));
    if let Some(workers) = at.bounds().remove(&Knob::Workers) {
        let leader = Leader {
            ledger: Arc::clone(&at.ledger),
            clock: clock(),
            run: run.id.clone(),
            tolerance: at.tolerance(),
            ramp: at.ramp(),
            workers,
        };
        tasks.spawn(leader.lead(found));
    }
    Ok(tasks)
}

/// How often is looked whether the target's brakes are critical.
const LOOK: Duration = Duration::from_millis(250);

/// A critical brake pauses its side until a person resumes it: on record, and for all processes. Every process watches its
/// own brakes, those of the target among them where it pushes.
pub(super) async fn pause_when_critical(
    ledger: Arc<dyn Ledger>,
    run: RunId,
    board: Board,
    push: Option<Arc<Controls>>,
) {
    let mut watched = board.watch();
    let mut known: HashSet<String> = HashSet::new();
    loop {
        let target = push.iter().flat_map(|push| of_target(push, SystemClock.micros()));
        let critical: Vec<(Side, Holding)> = watched
            .borrow_and_update()
            .values()
            .cloned()
            .chain(target.map(|holding| (Side::Push, holding)))
            .filter(|(_, holding)| holding.critical)
            .collect();
        known.retain(|name| critical.iter().any(|(_, holding)| holding.name == *name));
        for (side, holding) in critical {
            if !known.contains(&holding.name) && pause(ledger.as_ref(), &run, side, &holding).await {
                tracing::error!(%side, brake = %holding, "a brake is critical: the side is paused until somebody resumes it");
                if let Some(push) = push.as_ref().filter(|_| holding.name == name::TARGET_BREAKER) {
                    push.flow.forget_openings();
                }
                known.insert(holding.name);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            changed = watched.changed() => if changed.is_err() { return },
        }
    }
}

async fn pause(ledger: &dyn Ledger, run: &RunId, side: Side, holding: &Holding) -> bool {
    loop {
        let kept = async {
            let history = History::new(ledger.changes(run, 0).await?);
            let now = SystemClock.micros();
            let valve = history.valve(side, now).0;
            if valve == Valve::Paused {
                return Ok(true);
            }
            let change = Change {
                version: history.version() + 1,
                at: now,
                by: format!("brake {} on {}", holding.name, process::host()),
                reason: Some(format!("critical: {holding}")),
                turn: Turn::Valve(side, Valve::Paused),
                previous: valve.to_string(),
                forced: false,
                expires: None,
            };
            ledger.change(run, history.version(), &[change]).await
        };
        match kept.await {
            Ok(true) => return true,
            // Somebody else turned something at the same time.
            Ok(false) => {}
            Err(error) => {
                let _: &haulier_core::port::LedgerError = &error;
                tracing::warn!(%error, "the pause could not be kept; the brake itself still holds");
                return false;
            }
        }
    }
}
