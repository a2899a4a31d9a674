//! Signs of life.

use haulier_core::ProcessId;
use haulier_core::port::{Micros, ProcessBeat};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::shared::Shared;

/// Beats until `ended`, then says good-bye. Closes the fence when the ledger took no sign of life for too long.
pub(crate) async fn keep_beating(shared: &Shared, ended: &CancellationToken) {
    tokio::select! {
        () = beat_on(shared) => {}
        () = watch_the_time(shared) => {}
        () = ended.cancelled() => {}
    }
    say_good_bye(shared, &shared.fence.process()).await;
}

async fn beat_on(shared: &Shared) {
    // Five a span, so that four may fail before others take over.
    let every = shared.settings.silent_after / 5;
    let mut before = shared.fence.process();
    loop {
        shared.fence.close_if_late();
        let process = shared.fence.process();
        if process != before {
            // Its claims need not wait until it counts as silent.
            say_good_bye(shared, &before).await;
            before = process.clone();
            shared.name.send_replace(process.clone());
        }
        // What the ledger keeps is the time at which the call began.
        let (instant, time) = (Instant::now(), shared.clock.micros());
        match timeout(every, shared.ledger.beat(&beat(shared, &process, time, false))).await {
            Ok(Ok(())) => shared.fence.beaten(&process, instant, time),
            Ok(Err(error)) => tracing::warn!(error = %error, "the ledger does not take the sign of life"),
            Err(_) => tracing::warn!("the ledger does not answer the sign of life"),
        }
        sleep(every).await;
    }
}

async fn watch_the_time(shared: &Shared) {
    loop {
        sleep_until(shared.fence.next_look()).await;
        if shared.fence.close_if_late() {
            tracing::error!(
                "the ledger took no sign of life for too long: what is in hand is dropped, because others take it over"
            );
        }
    }
}

async fn say_good_bye(shared: &Shared, process: &ProcessId) {
    let good_bye = beat(shared, process, shared.clock.micros(), true);
    match timeout(shared.settings.silent_after / 5, shared.ledger.beat(&good_bye)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::debug!(error = %error, "the good-bye was not taken; the claims end by themselves");
        }
        Err(_) => tracing::debug!("the good-bye was not answered; the claims end by themselves"),
    }
}

fn beat(shared: &Shared, process: &ProcessId, at: Micros, ended: bool) -> ProcessBeat {
    ProcessBeat {
        process: process.clone(),
        run: shared.run.clone(),
        role: shared.settings.role.to_owned(),
        host: shared.settings.host.clone(),
        pid: std::process::id(),
        at,
        in_flight: u32::try_from(shared.controls.in_flight()).unwrap_or(u32::MAX),
        ended,
        report: None,
    }
}
