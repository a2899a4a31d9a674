//! The producer's lease: one producer a run.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use haulier_core::ProcessId;
use haulier_core::port::{LedgerError, Micros, ProcessBeat};
use tokio::sync::watch;

use crate::ProduceError;
use crate::shared::Shared;

/// Until when nobody else can hold the lease, by both clocks: the one stands still while the machine sleeps, the other one may
/// be set.
#[derive(Debug, Default)]
pub(crate) struct Standing(watch::Sender<Option<Until>>);

#[derive(Debug, Clone, Copy)]
struct Until {
    instant: Instant,
    time: Micros,
}

/// Waits until the lease is known to be this process's. What a producer has read must not be admitted after another one took
/// over: it may be older than what that one admitted.
pub(crate) async fn stands(shared: &Shared) -> Result<(), ProduceError> {
    let mut standing = shared.standing.0.subscribe();
    let known = standing.wait_for(|until| {
        until.is_some_and(|until| Instant::now() < until.instant && shared.clock.micros() < until.time)
    });
    tokio::select! {
        biased;
        // The sender is ours, and lives.
        _ = known => Ok(()),
        () = shared.stop.cancelled() => Err(ProduceError::Overtaken),
    }
}

const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// The part of the lease for which it is taken for sure.
const SURE: f64 = 0.8;

/// Takes the lease. A producer that was killed holds it until it runs out, so another holder is waited for that long;
/// one that lives renews it, and is named in the error. `false` where the stop came first.
pub(crate) async fn take(shared: &Shared, process: &ProcessId) -> Result<bool, ProduceError> {
    let (start, patience) = (Instant::now(), shared.settings.silent_after.mul_f64(1.1));
    let mut told = false;
    loop {
        match hold(shared, process).await {
            Err(LedgerError::LeaseHeld { .. }) if shared.stop.is_cancelled() => return Ok(false),
            Err(LedgerError::LeaseHeld { holder, host, pid, .. }) if start.elapsed() < patience => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%holder, host, pid, "another producer holds the lease; waiting, in case it is dead");
                }
            }
            Err(LedgerError::LeaseHeld { holder, .. }) if is_from_the_future(shared, &holder).await => {
                tracing::warn!(%holder, "the producer that holds the lease fell silent, and its clock was ahead; its lease is over");
                shared.ledger.release_producer_lease(&shared.run, &holder).await?;
            }
            taken => return Ok(taken.map(|()| true)?),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = shared.stop.cancelled() => {}
        }
    }
}

/// Whether a holder that has been waited for gives its signs of life by a clock that was ahead of ours. One that lives has
/// given another one since.
async fn is_from_the_future(shared: &Shared, holder: &ProcessId) -> bool {
    let silent_after = shared.settings.silent_after;
    let last = async || {
        let beats = shared.ledger.processes(&shared.run).await.ok()?;
        beats.into_iter().find(|beat| beat.process == *holder).map(|beat| beat.at)
    };
    let Some(at) = last().await.filter(|at| *at > shared.clock.micros().saturating_add(micros(silent_after)))
    else {
        return false;
    };
    tokio::select! {
        () = tokio::time::sleep(silent_after) => last().await == Some(at),
        () = shared.stop.cancelled() => false,
    }
}

/// Renews the lease until the stop. A ledger that cannot be reached is no reason to end: nothing is produced without
/// it, and when it is back it says whether another producer has taken over.
pub(crate) async fn keep(shared: &Shared, process: &ProcessId) -> Result<(), ProduceError> {
    let epoch = shared.epoch();
    loop {
        tokio::select! {
            () = tokio::time::sleep(shared.settings.silent_after.mul_f64(0.3)) => {}
            () = shared.stop.cancelled() => return Ok(()),
        }
        match hold(shared, process).await {
            Ok(()) if shared.epoch() == epoch => {}
            Ok(()) => return Err(ProduceError::Overtaken),
            Err(error) if error.is_passing() => {
                tracing::warn!(error = %error, "the producer's lease could not be renewed");
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Gives the lease back, so that nobody waits for its end.
pub(crate) async fn give_back(shared: &Shared, process: &ProcessId) {
    let back = async {
        shared.ledger.release_producer_lease(&shared.run, process).await?;
        beat(shared, process, true).await
    };
    if let Err(error) = back.await {
        tracing::warn!(error = %error, "the producer lease could not be given back; it ends by itself");
    }
}

async fn hold(shared: &Shared, process: &ProcessId) -> Result<(), LedgerError> {
    let (begun, now) = (Instant::now(), shared.clock.micros());
    let span = micros(shared.settings.silent_after);
    let lease =
        shared.ledger.hold_producer_lease(&shared.run, process, now, now.saturating_add(span)).await?;
    let before = shared.epoch.swap(lease.epoch, Ordering::Relaxed);
    if before == 0 || before == lease.epoch {
        let until = Until {
            instant: begun + shared.settings.silent_after.mul_f64(SURE),
            time: now.saturating_add(micros(shared.settings.silent_after.mul_f64(SURE))),
        };
        shared.standing.0.send_replace(Some(until));
    }
    beat(shared, process, false).await
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

/// A sign of life: the lease decides, this one is for people.
async fn beat(shared: &Shared, process: &ProcessId, ended: bool) -> Result<(), LedgerError> {
    let Some(host) = shared.host.clone() else { return Ok(()) };
    let beat = ProcessBeat {
        process: process.clone(),
        run: shared.run.clone(),
        role: "producer".to_owned(),
        host,
        pid: std::process::id(),
        at: shared.clock.micros(),
        in_flight: 0,
        ended,
        report: None,
    };
    shared.ledger.beat(&beat).await
}
