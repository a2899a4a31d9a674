//! `[drill]`: how a drill kills a neighbour of a rehearsal site, and starts it again.

use std::path::Path;
use std::time::Duration;

use super::program;
use crate::node::{Node, Table};
use crate::shape;

/// How a drill pulls the plug of each neighbour; one without commands cannot be killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrillSite {
    /// The queue's broker.
    pub broker: Option<Plug>,
    /// The source.
    pub source: Option<Plug>,
    /// The target.
    pub target: Option<Plug>,
    /// The ledger.
    pub ledger: Option<Plug>,
    /// How long it stays away.
    pub away: Duration,
}

/// Two programs with their arguments. Each must end by itself, with 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plug {
    /// Kills it, as a power cut would.
    pub kill: Vec<String>,
    /// Starts it again, and ends when it answers.
    pub start: Vec<String>,
}

/// How long a neighbour stays away where the site says nothing.
const AWAY: Duration = Duration::from_secs(2);

impl Default for DrillSite {
    fn default() -> Self {
        Self { broker: None, source: None, target: None, ledger: None, away: AWAY }
    }
}

/// Reads the table, which may be left out.
pub(super) fn read(site: &Table<'_>, folder: &Path) -> DrillSite {
    let Some(table) = site.get("drill").and_then(|node| node.table(&shape::DRILL)) else {
        return DrillSite::default();
    };
    let of = |key| table.get(key).and_then(|node| plug(&node, folder));
    DrillSite {
        broker: of("broker"),
        source: of("source"),
        target: of("target"),
        ledger: of("ledger"),
        away: table.duration("away", AWAY),
    }
}

fn plug(node: &Node<'_>, folder: &Path) -> Option<Plug> {
    let table = node.table(&shape::PLUG)?;
    let kill = table.need("kill", "what kills it: `kill = [\"docker\", \"kill\", \"broker\"]`");
    let start = table.need("start", "what starts it again: `start = [\"docker\", \"start\", \"broker\"]`");
    let (kill, start) = (
        kill.and_then(|node| program::read(&node, folder)),
        start.and_then(|node| program::read(&node, folder)),
    );
    Some(Plug { kill: kill?, start: start? })
}
