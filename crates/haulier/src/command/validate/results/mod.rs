//! Stored results, what they rest on, and whether they are still good.

mod basis;
mod stored;

use std::collections::BTreeMap;

use haulier_core::plan::Entity;
use haulier_core::port::Clock;
use serde::Serialize;

pub(crate) use basis::Basis;
pub(crate) use stored::{Stored, VERSION};

use super::deep::column_set;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::sides::Sides;
use crate::site::Neighbours;
use crate::ui;

/// List stored results, and whether they are still good
///
/// A result goes stale with the plan, the column set, the number of rows in the source, what the ledger has settled, the loss of
/// its evidence, and with age (`validate.fresh_for` of the plan). Ends with 0 when every entity has a fresh result of `validate
/// diff` over all tenants without unexplained differences.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only results of this level
    #[arg(long, value_parser = ["counts", "diff", "deep"])]
    level: Option<String>,
}

/// One line of the list.
#[derive(Debug, Serialize)]
struct Shown {
    entity: String,
    level: String,
    /// All when empty.
    tenants: Vec<String>,
    when: Option<String>,
    equal: Option<bool>,
    fresh: bool,
    why: String,
    figures: serde_json::Value,
    explained: BTreeMap<String, u64>,
    evidence: BTreeMap<String, String>,
}

pub(crate) async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let sides = Sides::open(&at).await?;
    let mut stored = Stored::all(&sides.state);
    let mut shown = Vec::new();
    let mut good = true;
    for entity in sides.plan.entities.iter().filter(|entity| entity.deferred_of.is_none()) {
        let (own, others) = stored.into_iter().partition(|one| one.entity == entity.name.as_str());
        stored = others;
        let mut proven = false;
        let mut compared = false;
        let mut own: Vec<Stored> = own;
        // As they are asked for: the cheap proof first; within one, all tenants before some.
        own.sort_by_key(|one| {
            let level = ["counts", "diff", "deep"].iter().position(|level| *level == one.level);
            (level, one.tenants.len(), one.tenants.clone())
        });
        for one in own {
            let why = why_stale(&sides, &at, entity, &one).await?;
            let whole = one.level == "diff" && one.tenants.is_empty();
            compared |= whole;
            proven |= whole && one.equal && why.is_none();
            shown.push(Shown::new(one, why));
        }
        let agreed = entity.extract.is_some();
        if agreed && !compared {
            shown.push(Shown::none(entity));
        }
        good &= proven || !agreed;
    }
    shown.extend(
        stored.into_iter().map(|one| Shown::new(one, Some("the plan has no such entity".to_owned()))),
    );
    shown.retain(|shown| args.level.as_ref().is_none_or(|level| *level == shown.level));
    tell(global, &shown)?;
    Ok(if good { Exit::Done } else { Exit::No })
}

/// Why a stored result is not good any more.
async fn why_stale(
    sides: &Sides,
    at: &Neighbours,
    entity: &Entity,
    one: &Stored,
) -> Result<Option<String>, CliError> {
    let agreed = sides.agreed.iter().find(|agreed| agreed.entity.name == entity.name);
    let columns = match (one.level.as_str(), agreed) {
        ("deep", _) => column_set(sides, entity).await?,
        (_, Some(agreed)) => agreed.columns.digest(),
        (_, None) => return Ok(Some("the entity has no `extract` any more".to_owned())),
    };
    let now = Basis::with(sides, &*at.ledger, entity, columns, &one.keys()).await?;
    Ok(one.stale(&now, SystemClock.now(), sides.plan.fresh_for))
}

impl Shown {
    fn new(one: Stored, why: Option<String>) -> Self {
        Self {
            entity: one.entity,
            level: one.level,
            tenants: one.tenants,
            when: Some(one.when),
            equal: Some(one.equal),
            fresh: why.is_none(),
            why: why.unwrap_or_default(),
            figures: one.figures,
            explained: one.explained,
            evidence: one.evidence,
        }
    }

    fn none(entity: &Entity) -> Self {
        Self {
            entity: entity.name.to_string(),
            level: "diff".to_owned(),
            tenants: Vec::new(),
            when: None,
            equal: None,
            fresh: false,
            why: "there is none yet".to_owned(),
            figures: serde_json::Value::Null,
            explained: BTreeMap::new(),
            evidence: BTreeMap::new(),
        }
    }
}

fn tell(global: &Global, shown: &[Shown]) -> Result<(), CliError> {
    if global.json {
        for line in shown {
            ui::json(line)?;
        }
        return Ok(());
    }
    let word = |equal: Option<bool>| match equal {
        Some(true) => "equal",
        Some(false) => "different",
        None => "",
    };
    let rows = shown.iter().map(|line| {
        let tenants = match line.tenants.as_slice() {
            [] => "all".to_owned(),
            [one] => one.clone(),
            several => format!("{} of them", several.len()),
        };
        vec![
            line.entity.clone(),
            line.level.clone(),
            tenants,
            line.when.clone().unwrap_or_default(),
            word(line.equal).to_owned(),
            if line.fresh { "fresh" } else { "stale" }.to_owned(),
            line.why.clone(),
        ]
    });
    ui::line(ui::table(&["entity", "level", "tenants", "when", "result", "state", "why"], rows))
}
