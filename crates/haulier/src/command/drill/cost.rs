//! What a kill cost: what the ledger and a validation say of the run afterwards.

use std::process::Stdio;
use std::time::Duration;

use haulier_core::RecordState;
use haulier_core::plan::StageKind;
use haulier_core::port::{DeadFilter, LedgerError, Run, Tally};
use tokio::process::Command;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;

/// Between two questions to a ledger that is away.
const AGAIN: Duration = Duration::from_millis(100);

/// The run's counts, once the ledger answers.
pub(super) async fn tally(at: &Neighbours, run: &Run) -> Result<Tally, CliError> {
    patiently(async || at.ledger.tally(&run.id).await).await
}

/// Asks a ledger that may just have been killed until it answers; the caller has the patience.
pub(super) async fn patiently<T>(ask: impl AsyncFn() -> Result<T, LedgerError>) -> Result<T, CliError> {
    loop {
        match ask().await {
            Err(error) if error.is_passing() => tokio::time::sleep(AGAIN).await,
            other => return Ok(other?),
        }
    }
}

/// Missing, extra and changed records that nothing explains.
pub(super) async fn differences(
    global: &Global,
    at: &Neighbours,
    run: &Run,
    smoke: bool,
) -> Result<[u64; 3], CliError> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["validate", "diff", "--json", "--no-progress", "--plan"])
        .arg(&global.plan)
        .arg("--site")
        .arg(&global.site);
    if smoke {
        let tenants =
            at.plan.stages.of_kind(StageKind::Smoke).map(|stage| stage.tenants.clone()).unwrap_or_default();
        for tenant in tenants {
            command.arg("--tenant").arg(tenant.as_str());
        }
    }
    let output = command.stdin(Stdio::null()).output().await?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(CliError::new(Exit::No, format!("run {} cannot be validated: {said}", run.id)));
    }
    let mut found = [0; 3];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        for (sum, name) in found.iter_mut().zip(["missing", "extra", "changed"]) {
            *sum += value
                .pointer(&format!("/unexplained/{name}"))
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0);
        }
    }
    Ok(found)
}

/// Records that workers began more than once. An attempt that never began, because a parent was missing or the record was given
/// back, does not count in the ledger.
pub(super) async fn repeated(at: &Neighbours, run: &Run) -> Result<u64, CliError> {
    let states = vec![RecordState::Landed];
    let filter = DeadFilter { states, entity: None, kinds: Vec::new(), tenant: None };
    let (mut count, mut after) = (0, None);
    loop {
        let page = at.ledger.list(&run.id, &filter, after.as_ref(), 1000).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.record.clone());
        count += page.iter().filter(|row| row.attempts > 1).count() as u64;
    }
}
