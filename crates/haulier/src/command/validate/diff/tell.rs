//! What `validate diff` says at its end.

use std::collections::BTreeMap;
use std::path::Path;

use haulier_validator::diff::Summary;
use serde::Serialize;

use super::judge::OfTenant;
use crate::args::Global;
use crate::error::CliError;
use crate::ui::{self, grouped};

/// One entity's result, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) entity: String,
    pub(super) equal: bool,
    pub(super) figures: serde_json::Value,
    pub(super) unexplained: OfTenant,
    pub(super) explained: BTreeMap<String, u64>,
    pub(super) unreadable: u64,
    pub(super) tenants: BTreeMap<String, OfTenant>,
    #[serde(skip)]
    pub(super) summary: Summary,
}

pub(super) fn tell(global: &Global, shown: &[Shown], folder: &Path) -> Result<(), CliError> {
    if global.json {
        for one in shown {
            ui::json(one)?;
        }
        return Ok(());
    }
    let rows = shown.iter().map(|one| {
        let summary = &one.summary;
        let explained: u64 = one.explained.values().sum();
        let words: Vec<String> =
            one.explained.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
        let counts = [summary.a, summary.b, summary.equal, one.unexplained.sum(), explained];
        let doubled = summary.doubled_a + summary.doubled_b;
        let mut row = vec![one.entity.clone()];
        row.extend(counts.map(grouped));
        row.extend([doubled, one.unreadable].map(grouped));
        row.push(if one.equal { "equal" } else { "DIFFERENT" }.to_owned());
        row.push(words.join(", "));
        row
    });
    let head = [
        "entity",
        "source",
        "target",
        "equal",
        "unexplained",
        "explained",
        "doubled",
        "unreadable",
        "result",
        "why",
    ];
    ui::line(ui::table(&head, rows))?;
    for one in shown.iter().filter(|one| one.summary.a == 0 && one.summary.b == 0) {
        ui::note(format!("{}: 0 rows on both sides", one.entity));
    }
    ui::note(format!("extracts and differences are in {}", folder.display()));
    Ok(())
}
