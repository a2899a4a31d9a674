//! Whether machine, clocks and plan are ready: room on disks, servers' clocks, what the plan leaves open.

use haulier_core::plan::Lint;
use haulier_core::port::Micros;

use super::{Finding, bad, good, warning};
use crate::site::Preflight;
use crate::site::room::said;

/// What the record is called that a run's preflight writes.
pub(crate) const WRITE_PROBE: &str = "target: write probe";

/// Room for ledger and queue.
pub(super) fn rooms(at: &Preflight) -> Vec<Finding> {
    let (rooms, least) = at.rooms();
    let finding = |room: crate::site::room::Room| {
        let (what, folder) = (format!("room: {}", room.of), room.folder.display());
        match room.free {
            Ok(free) if free >= least => good(what, format!("{} free in {folder}", said(free))),
            Ok(free) => bad(
                what,
                format!(
                    "{} free in {folder}, and it takes {} (`least_free` of the site's `[preflight]`)",
                    said(free),
                    said(least)
                ),
            ),
            Err(why) => bad(what, format!("{folder} cannot be asked: {why}")),
        }
    };
    rooms.into_iter().map(finding).collect()
}

/// How far servers' clocks are off.
pub(super) async fn clocks(at: &Preflight) -> Vec<Finding> {
    let (clocks, most) = at.clocks().await;
    let finding = |(name, off)| {
        let what = format!("clock: {name}");
        match off {
            Ok(Some(0)) => good(what, "it agrees with ours"),
            Ok(Some(off)) if Micros::abs(off) <= most => good(what, ahead(off)),
            Ok(Some(off)) => bad(
                what,
                format!(
                    "{}, and {} is allowed (`clocks` of the site's `[preflight]`): set the clocks",
                    ahead(off),
                    seconds(most)
                ),
            ),
            Ok(None) => warning(what, "its replies have no `Date`, so nobody can tell"),
            Err(why) => bad(what, why),
        }
    };
    clocks.into_iter().map(finding).collect()
}

/// The write probe, which only a run's preflight carries out.
pub(super) fn write_probe(at: &Preflight) -> Option<Finding> {
    let probe = at.plan.stages.write_probe.as_ref()?;
    let way = if probe.remove.is_some() { "writes and removes" } else { "writes" };
    Some(good(WRITE_PROBE, format!("the preflight of a run {way} a marked record at {}", probe.path)))
}

/// What the plan leaves open.
pub(super) fn open(lint: Lint) -> Finding {
    let what = format!("plan: {}", lint.what);
    if lint.blocks { bad(what, lint.says) } else { warning(what, lint.says) }
}

fn ahead(off: Micros) -> String {
    let way = if off > 0 { "ahead of" } else { "behind" };
    format!("it is {} {way} ours", seconds(Micros::abs(off)))
}

fn seconds(micros: Micros) -> String {
    format!("{}.{:03} s", micros / 1_000_000, micros % 1_000_000 / 1_000)
}
