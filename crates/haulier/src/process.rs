//! This process: its name among others, and the signals that stop it.

use std::hash::{BuildHasher, Hasher, RandomState};

use haulier_core::{ProcessId, RunId};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::error::CliError;
use crate::exit::Exit;

/// This host's name.
pub(crate) fn host() -> String {
    let named = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| std::fs::read_to_string("/etc/hostname"));
    named.map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}

/// Who gives commands here, for the record: the user and the host.
pub(crate) fn operator() -> String {
    let user = ["HAULIER_OPERATOR", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.trim().is_empty()));
    format!("{}@{}", user.as_deref().map_or("somebody", str::trim), host())
}

fn four_hex() -> String {
    format!("{:04x}", RandomState::new().build_hasher().finish() & 0xffff)
}

/// A name that no other process of any host or time has.
pub(crate) fn process_id() -> ProcessId {
    ProcessId::new(format!("{}-{}-{}{}", host(), std::process::id(), four_hex(), four_hex()))
}

/// A name for a new run, from its time.
pub(crate) fn run_id(now: jiff::Timestamp) -> RunId {
    RunId::new(format!("r-{}-{}", now.strftime("%Y%m%d-%H%M%S"), four_hex()))
}

/// A token that the first SIGINT or SIGTERM cancels. The second ends the process at once; the ledger has what it needs.
pub(crate) fn stop_on_signal() -> Result<CancellationToken, CliError> {
    on_signal(Some(
        "stopping: nothing new is taken, what is in flight ends first; a second signal ends at once",
    ))
}

/// The same for who only looks on: nothing but the looking ends.
pub(crate) fn end_on_signal() -> Result<CancellationToken, CliError> {
    on_signal(None)
}

fn on_signal(said: Option<&'static str>) -> Result<CancellationToken, CliError> {
    let stop = CancellationToken::new();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let token = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if token.is_cancelled() {
                #[expect(
                    clippy::exit,
                    reason = "the operator asked twice; every outcome is in the ledger or will be looked up"
                )]
                std::process::exit(i32::from(Exit::Stopped.number()));
            }
            if let Some(said) = said {
                tracing::warn!("{said}");
            }
            token.cancel();
        }
    });
    Ok(stop)
}
