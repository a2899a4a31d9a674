//! `[[stage]]`: the steps, in the order in which they are walked.

use std::time::Duration;

use haulier_core::calendar::Calendar;
use haulier_core::control::Knob;
use haulier_core::plan::{ProofLevel, Stage, StageKind, Start};
use haulier_core::stage::ROLLBACK;
use haulier_core::{StageName, TenantKey};

use super::known_hook;
use crate::near;
use crate::node::{Node, Table};
use crate::plan::calendar::{name, tables, when};
use crate::shape;

/// A stage with the place of its table.
pub(super) type Placed<'d> = (Table<'d>, Stage);

/// How long the broker must stay empty where the plan says nothing.
const QUIET: Duration = Duration::from_secs(10);
/// How long a watch looks on where the plan says nothing.
const WATCH: Duration = Duration::from_hours(1);

pub(super) fn read<'d>(plan: &Table<'d>, calendar: &Calendar, hooks: &[&str]) -> Vec<Placed<'d>> {
    let mut known = Vec::new();
    tables(plan, "stage").iter().filter_map(|node| stage(node, calendar, hooks, &mut known)).collect()
}

fn stage<'d>(
    node: &Node<'d>,
    calendar: &Calendar,
    hooks: &[&str],
    known: &mut Vec<&'d str>,
) -> Option<Placed<'d>> {
    let table = node.table(&shape::STAGE)?;
    let kinds = StageKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind =
        table.need("kind", "what it does, such as `kind = \"smoke\"`").and_then(|node| node.word(&kinds));
    let name = name(&table, "people speak of it by that: `name = \"smoke\"`", known);
    let (name, kind) = (name?, kind?);
    let hooked = |key| -> Vec<String> {
        table.texts(key).into_iter().filter_map(|text| known_hook(&table, text, hooks)).collect()
    };
    let stage = Stage {
        name: StageName::new(name),
        kind,
        needs: table.texts("needs").iter().map(|text| StageName::new(text.value)).collect(),
        tenants: table.texts("tenants").iter().map(|text| TenantKey::new(text.value)).collect(),
        waves: waves(&table, calendar),
        window: window(&table, calendar),
        optional: table.flag("optional", kind == StageKind::Freeze),
        point_of_no_return: table.flag("no_return", false),
        owner: table.owned("owner"),
        cover: table.texts("cover").iter().map(|text| text.value.to_owned()).collect(),
        start: table
            .get("start")
            .and_then(|node| node.table(&shape::STAGE_START))
            .map(|table| start(&table))
            .unwrap_or_default(),
        enter: hooked("enter"),
        leave: hooked("leave"),
        proof: proof(&table, kind),
        most_dead: table.number("most_dead", 0, u64::from(u32::MAX), 0),
        lasts: when::duration_of(&table, "lasts").unwrap_or(if kind == StageKind::Watch {
            WATCH
        } else {
            QUIET
        }),
        expect: when::duration_of(&table, "expect"),
    };
    check(&table, &stage);
    if name == ROLLBACK
        && let Some(node) = table.get("name")
    {
        node.notes.add(node.at, format!("\"{ROLLBACK}\" is what the way back is called, so no stage can be"));
    }
    Some((table, stage))
}

/// What a stage of its kind cannot have, and what it cannot be without.
fn check(table: &Table<'_>, stage: &Stage) {
    let kind = stage.kind.as_str();
    let moves = matches!(stage.kind, StageKind::Smoke | StageKind::Bulk);
    let allowed = |key: &str| match key {
        "tenants" => moves || stage.kind == StageKind::FinalSmoke,
        "waves" => stage.kind == StageKind::Bulk,
        "start" | "most_dead" => moves,
        "lasts" => matches!(stage.kind, StageKind::Drained | StageKind::Watch),
        _ => !matches!(stage.kind, StageKind::Preflight | StageKind::Drained),
    };
    for key in ["tenants", "waves", "start", "most_dead", "lasts", "proof"] {
        if !allowed(key)
            && let Some(node) = table.get(key)
        {
            node.notes.add(node.at, format!("a stage of the kind \"{kind}\" has no `{key}`"));
        }
    }
    if stage.kind == StageKind::Smoke && stage.tenants.is_empty() {
        table.notes.hinted(
            table.at,
            format!("stage \"{}\" names no tenants", stage.name),
            "a smoke stage moves a few whole tenants first: `tenants = [\"1\", \"2\", \"3\", \"4\", \"5\"]`, by their keys in the source",
        );
    }
    if let (false, true, Some(node)) =
        (stage.waves.is_empty(), !stage.tenants.is_empty(), table.get("tenants"))
    {
        node.notes.add(node.at, "a bulk stage has either `waves` or `tenants`");
    }
}

fn waves(table: &Table<'_>, calendar: &Calendar) -> Vec<String> {
    let known: Vec<&str> = calendar.waves.iter().map(|wave| wave.name.as_str()).collect();
    among(table, "waves", &known)
}

fn window(table: &Table<'_>, calendar: &Calendar) -> Option<String> {
    let known: Vec<&str> = calendar.windows.iter().map(|window| window.name.as_str()).collect();
    among(table, "window", &known).pop()
}

/// Names that the plan must have.
fn among(table: &Table<'_>, key: &'static str, known: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for text in table.texts(key) {
        if known.contains(&text.value) {
            found.push(text.value.to_owned());
        } else {
            table.notes.add_hinted(
                text.at,
                format!("`{key}` names \"{}\", which the plan does not have", text.value),
                near::hint(text.value, known, key),
            );
        }
    }
    found
}

fn proof(table: &Table<'_>, kind: StageKind) -> Vec<ProofLevel> {
    let levels =
        [ProofLevel::Counts, ProofLevel::Diff, ProofLevel::Deep].map(|level| (level.as_str(), level));
    if let Some(node) = table.get("proof") {
        let items = if node.value.is_str() { vec![node] } else { node.items().unwrap_or_default() };
        return items.iter().filter_map(|node| node.word(&levels)).collect();
    }
    match kind {
        StageKind::Smoke | StageKind::FinalSmoke => vec![ProofLevel::Deep],
        StageKind::Validate => vec![ProofLevel::Diff],
        StageKind::Freeze => vec![ProofLevel::Counts],
        StageKind::Preflight
        | StageKind::Bulk
        | StageKind::Drained
        | StageKind::Release
        | StageKind::Watch => Vec::new(),
    }
}

fn start(table: &Table<'_>) -> Vec<Start> {
    let mut found = Vec::new();
    for (key, knob) in [
        ("fibres", Knob::Fibres),
        ("produce_rate", Knob::ProduceRate),
        ("workers", Knob::Workers),
        ("rate", Knob::PushRate),
    ] {
        if let Some(number) = table.get(key).and_then(|node| node.number(1, 10_000)) {
            let value = u32::try_from(number).map_or(f64::from(u32::MAX), f64::from);
            found.push(Start { knob, value });
        }
    }
    found
}
