//! `[produce]`, `[push]`, `[validate]`, `[state]`, `[preflight]`: all of them may be left out.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{PreflightSite, ProduceSite, PushSite, ValidateSite, secret};
use crate::node::Table;
use crate::{scalar, shape};

/// The settings that have defaults.
pub(super) struct Settings {
    pub(super) produce: ProduceSite,
    pub(super) push: PushSite,
    pub(super) validate: ValidateSite,
    pub(super) state: PathBuf,
    pub(super) preflight: PreflightSite,
}

/// Reads the five tables.
pub(super) fn read(site: &Table<'_>, folder: &Path) -> Settings {
    let produce = site.get("produce").and_then(|node| node.table(&shape::PRODUCE));
    let push = site.get("push").and_then(|node| node.table(&shape::PUSH));
    let validate = site.get("validate").and_then(|node| node.table(&shape::SITE_VALIDATE));
    let state = site.get("state").and_then(|node| node.table(&shape::STATE));
    let number = |table: &Option<Table<'_>>, key, most, absent| {
        table.as_ref().map_or(absent, |table| table.number(key, 1, most, absent))
    };
    let most = |table: &Option<Table<'_>>, key, most| {
        table.as_ref().and_then(|table| Some(table.get(key)?.number(1, most)?.try_into().unwrap_or(u32::MAX)))
    };
    let settings = Settings {
        produce: ProduceSite {
            fibres: number(&produce, "fibres", 1_000, 4),
            rate: produce.as_ref().and_then(|table| rate(table, "rate")),
            chunk: number(&produce, "chunk", 100_000, 5_000),
            max_fibres: most(&produce, "max_fibres", 1_000),
            max_rate: produce.as_ref().and_then(|table| rate(table, "max_rate")),
            max_chunk: most(&produce, "max_chunk", 100_000),
        },
        push: PushSite {
            workers: number(&push, "workers", 10_000, 8),
            rate: push.as_ref().and_then(|table| rate(table, "rate")),
            max_workers: most(&push, "max_workers", 10_000),
            max_rate: push.as_ref().and_then(|table| rate(table, "max_rate")),
            parcel: number(&push, "parcel", 100, 100),
            zombie_grace: push
                .as_ref()
                .map_or(ZOMBIE_GRACE, |table| table.duration("zombie_grace", ZOMBIE_GRACE)),
            silent_after: push.as_ref().and_then(silent_after).unwrap_or(SILENT_AFTER),
        },
        validate: ValidateSite {
            memory: validate
                .as_ref()
                .and_then(|table| scalar::size(&table.get("memory")?))
                .unwrap_or(VALIDATE_MEMORY),
            pages: number(&validate, "pages", 64, 4),
            pii_key: validate.as_ref().and_then(|table| secret::read(&table.get("pii_key")?, folder)),
        },
        preflight: preflight(site),
        state: folder.join(state.and_then(|table| table.owned("folder")).as_deref().unwrap_or("state")),
    };
    for (table, key, start, ceiling) in [
        (
            &produce,
            "fibres",
            Some(f64::from(settings.produce.fibres)),
            settings.produce.max_fibres.map(f64::from),
        ),
        (&produce, "rate", settings.produce.rate, settings.produce.max_rate),
        (
            &produce,
            "chunk",
            Some(f64::from(settings.produce.chunk)),
            settings.produce.max_chunk.map(f64::from),
        ),
        (&push, "workers", Some(f64::from(settings.push.workers)), settings.push.max_workers.map(f64::from)),
        (&push, "rate", settings.push.rate, settings.push.max_rate),
    ] {
        under(table.as_ref(), key, start, ceiling);
    }
    settings
}

fn preflight(site: &Table<'_>) -> PreflightSite {
    let table = site.get("preflight").and_then(|node| node.table(&shape::SITE_PREFLIGHT));
    let room = table.as_ref().and_then(|table| scalar::room(&table.get("least_free")?));
    let clocks = table.as_ref().and_then(|table| {
        let node = table.get("clocks")?;
        node.duration_between(("1s", Duration::from_secs(1)), ("1h", Duration::from_hours(1)))
    });
    PreflightSite { least_free: room.unwrap_or(LEAST_FREE), clocks: clocks.unwrap_or(CLOCKS) }
}

/// A start value that the file gives is not above its ceiling.
fn under(table: Option<&Table<'_>>, key: &'static str, start: Option<f64>, ceiling: Option<f64>) {
    if let (Some(start), Some(ceiling)) = (start, ceiling)
        && start > ceiling
        && let Some(node) = table.and_then(|table| table.get(key))
    {
        let _noted: Option<()> =
            node.wrong(format!("`{key}` is {start}, and `max_{key}` is {ceiling}"), None);
    }
}

/// A ledger of some million records, and its log.
const LEAST_FREE: u64 = 1 << 30;
/// Half of a lease.
const CLOCKS: Duration = Duration::from_secs(5);
const VALIDATE_MEMORY: usize = 256 << 20;
const ZOMBIE_GRACE: Duration = Duration::from_mins(1);
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// Below a second a busy process looks dead; above ten minutes nobody waits for a dead one.
fn silent_after(table: &Table<'_>) -> Option<Duration> {
    let node = table.get("silent_after")?;
    node.duration_between(("1s", Duration::from_secs(1)), ("10m", Duration::from_mins(10)))
}

fn rate(table: &Table<'_>, key: &'static str) -> Option<f64> {
    table.get(key)?.amount_that(
        |rate| rate > 0.0 && rate <= 1_000_000.0,
        "more than 0 and at most 1000000 a second",
        Some("leave it out for no limit; `haulier pause` stops the flow"),
    )
}
