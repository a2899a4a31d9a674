//! The report of drills: what each kill cost, kept beside the plan as evidence for a gate.

use std::path::Path;

use haulier_core::stage::CheckResult;
use serde::{Deserialize, Serialize};

use super::part::Part;
use crate::ui;

/// The report's name beside the plan, where the check `drill.done` looks for it.
pub(crate) const REPORT: &str = "drill.json";

/// What came of one kill.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pulled {
    pub(super) killed: Part,
    pub(super) run: String,
    /// Records that had landed when it was killed.
    pub(super) landed_before: u64,
    /// Records that were with workers when it was killed: taken from the queue, their outcome not yet in the ledger.
    #[serde(default)]
    pub(super) in_hand: u64,
    /// Whether rows of the source were still to be read when it was killed.
    #[serde(default)]
    pub(super) reading: bool,
    pub(super) planned: u64,
    /// Records that the target should have and has not.
    pub(super) lost: u64,
    /// Records that the target has and nobody explains.
    pub(super) doubled: u64,
    pub(super) changed: u64,
    /// Records that workers began more than once: what they had in hand, or what failed meanwhile.
    pub(super) repeated: u64,
    /// From the restart to the first record that landed after it, in milliseconds; `None` where none was left.
    pub(super) resumed_after_ms: Option<u64>,
}

impl Pulled {
    pub(super) fn passed(&self) -> bool {
        self.lost + self.doubled + self.changed == 0
    }
}

/// All kills of a plan, the last of each part.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) haulier_drill: u32,
    pub(super) plan: String,
    pub(super) digest: String,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) passed: bool,
    pub(super) pulled: Vec<Pulled>,
}

impl Report {
    pub(super) fn table(&self) -> String {
        let rows = self.pulled.iter().map(|one| {
            let mut row = vec![one.killed.as_str().to_owned(), ui::grouped(one.landed_before)];
            row.push(ui::grouped(one.in_hand));
            row.push(if one.reading { "goes on" } else { "done" }.to_owned());
            row.extend([one.planned, one.lost, one.doubled, one.changed, one.repeated].map(ui::grouped));
            row.push(one.resumed_after_ms.map(|ms| format!("{ms} ms")).unwrap_or_default());
            row
        });
        let head = [
            "killed",
            "landed before",
            "in hand",
            "reading",
            "planned",
            "lost",
            "doubled",
            "changed",
            "repeated",
            "resumed after",
        ];
        ui::table(&head, rows)
    }
}

/// A report; one that is not there, or is none, is nothing.
pub(super) fn read(file: &Path) -> Option<Report> {
    std::fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok())
}

/// What the last report says of a plan, as a check answers.
pub(crate) fn verdict(file: &Path, plan: &str) -> (CheckResult, String) {
    match read(file) {
        None => (CheckResult::Inconclusive, format!("there is no report {}", file.display())),
        Some(report) if report.plan != plan => {
            (CheckResult::Inconclusive, format!("the report is of the plan `{}`", report.plan))
        }
        Some(report) => {
            let kills: Vec<String> = report.pulled.iter().map(|one| one.killed.as_str().to_owned()).collect();
            let result = if report.passed { CheckResult::Pass } else { CheckResult::Fail };
            (result, format!("{} killed at {} by {}", kills.join(", "), report.at, report.by))
        }
    }
}
