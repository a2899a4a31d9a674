//! Stored results, what they rest on, and whether they are still good.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use haulier_core::port::{Clock, Ledger, Tally};
use haulier_sides::Agreed;
use haulier_validator::extract::Part;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::sides::Sides;
use crate::site::Neighbours;
use crate::ui;

/// List stored results, and whether they are still good
///
/// A result goes stale with the plan, the column set, the number of rows in the source, what the ledger has settled, and with age
/// (`validate.fresh_for` of the plan). Ends with 0 when every entity has a fresh result without unexplained differences.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// One result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// The version of this form.
    pub(crate) haulier_result: u32,
    /// `counts`, `diff`, `deep`.
    pub(crate) level: String,
    pub(crate) entity: String,
    /// The tenants that it is of; all when empty.
    pub(crate) tenants: Vec<String>,
    /// When the reading began, RFC 3339.
    pub(crate) when: String,
    /// Whether nothing unexplained differs.
    pub(crate) equal: bool,
    /// The figures.
    pub(crate) figures: serde_json::Value,
    /// Explained differences by their word.
    pub(crate) explained: BTreeMap<String, u64>,
    /// SHA-256 of the extracts and where they are.
    pub(crate) evidence: BTreeMap<String, String>,
    pub(crate) basis: Basis,
}

/// What a result rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Basis {
    pub(crate) plan: String,
    pub(crate) column_set: String,
    pub(crate) source: String,
    pub(crate) target: String,
    /// Rows of the source.
    pub(crate) source_rows: u64,
    /// The newest run and its counts of the entity.
    pub(crate) ledger: String,
}

/// The version of a stored result.
pub(crate) const VERSION: u32 = 1;

impl Basis {
    /// What a result of now rests on.
    pub(crate) async fn now(sides: &Sides, ledger: &dyn Ledger, agreed: &Agreed) -> Result<Self, CliError> {
        use haulier_validator::neutral::Side;
        let ledger = match ledger.latest_run().await? {
            Some(run) => format!("{} {}", run.id, told(&ledger.tally(&run.id).await?, agreed)),
            None => String::new(),
        };
        Ok(Self {
            plan: sides.plan.digest.clone(),
            column_set: agreed.columns.digest(),
            source: sides.fingerprint(Side::Source).to_owned(),
            target: sides.fingerprint(Side::Target).to_owned(),
            source_rows: sides.database.source.count(&agreed.entity).await?,
            ledger,
        })
    }
}

fn told(tally: &Tally, agreed: &Agreed) -> String {
    let Some(counts) = tally.entities.get(&agreed.entity.name) else { return "nothing".to_owned() };
    let states = counts.states.iter().map(|(state, count)| format!("{}={count}", state.as_str()));
    states.collect::<Vec<_>>().join(" ")
}

impl Stored {
    fn path(state: &Path, level: &str, entity: &str, tenants: &[String]) -> PathBuf {
        let mut name = format!("{level}.{entity}");
        for tenant in tenants {
            name.push('.');
            name.push_str(&super::super::extract::folder_of(&haulier_core::SourceKey::from_canonical(
                tenant,
            )));
        }
        // A long list of tenants is one of its own kind, told apart by its length and end.
        if name.len() > 180 {
            let end: String = name.chars().rev().take(100).collect::<Vec<_>>().into_iter().rev().collect();
            name = format!("{level}.{entity}.{}-tenants.{end}", tenants.len());
        }
        state.join("validate").join("results").join(format!("{name}.json"))
    }

    /// Stores it in place of an older one of its kind.
    pub(crate) fn store(&self, state: &Path) -> Result<(), CliError> {
        let path = Self::path(state, &self.level, &self.entity, &self.tenants);
        super::super::extract::make_folder(&path)?;
        let mut part = Part::create(&path)?;
        part.write_all(serde_json::to_string_pretty(self).map_err(CliError::bug)?.as_bytes())?;
        Ok(part.finish()?)
    }

    /// The stored result of that kind; one that cannot be read is none.
    pub(crate) fn load(state: &Path, level: &str, entity: &str, tenants: &[String]) -> Option<Self> {
        let text = std::fs::read(Self::path(state, level, entity, tenants)).ok()?;
        serde_json::from_slice::<Self>(&text).ok().filter(|stored| stored.haulier_result == VERSION)
    }

    /// Why it is not good any more; nothing where it is.
    pub(crate) fn stale(&self, now: &Basis, at: Timestamp, fresh_for: std::time::Duration) -> Option<String> {
        let told = |what: &str| Some(format!("{what} since"));
        let was = &self.basis;
        if was.plan != now.plan {
            return told("the plan changed");
        }
        if was.column_set != now.column_set {
            return told("the column set changed");
        }
        if (&was.source, &was.target) != (&now.source, &now.target) {
            return told("the site changed");
        }
        if was.source_rows != now.source_rows {
            return told("the source changed");
        }
        if was.ledger != now.ledger {
            return told("records were settled");
        }
        let Ok(when) = self.when.parse::<Timestamp>() else {
            return Some("nobody knows how old it is".to_owned());
        };
        let age = at.duration_since(when);
        let limit = SignedDuration::try_from(fresh_for).unwrap_or(SignedDuration::MAX);
        (age > limit).then(|| format!("it is {} hours old", age.as_hours()))
    }
}

/// One line of the list.
#[derive(Debug, Serialize)]
struct Shown {
    entity: String,
    level: String,
    when: Option<String>,
    equal: Option<bool>,
    fresh: bool,
    why: String,
}

pub(crate) async fn run(global: &Global, _: &Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let sides = Sides::open(&at).await?;
    let mut shown = Vec::new();
    let mut good = true;
    for agreed in &sides.agreed {
        let entity = agreed.entity.name.as_str();
        let basis = Basis::now(&sides, &*at.ledger, agreed).await?;
        let mut proven = false;
        for level in ["counts", "diff", "deep"] {
            let Some(stored) = Stored::load(&sides.state, level, entity, &[]) else { continue };
            let stale = stored.stale(&basis, SystemClock.now(), sides.plan.fresh_for);
            proven |= level == "diff" && stored.equal && stale.is_none();
            shown.push(Shown {
                entity: entity.to_owned(),
                level: level.to_owned(),
                when: Some(stored.when),
                equal: Some(stored.equal),
                fresh: stale.is_none(),
                why: stale.unwrap_or_default(),
            });
        }
        if !proven && !shown.iter().any(|shown| shown.entity == entity && shown.level == "diff") {
            shown.push(Shown {
                entity: entity.to_owned(),
                level: "diff".to_owned(),
                when: None,
                equal: None,
                fresh: false,
                why: "there is none yet".to_owned(),
            });
        }
        good &= proven;
    }
    if global.json {
        for line in &shown {
            ui::json(line)?;
        }
    } else {
        let word = |equal: Option<bool>| match equal {
            Some(true) => "equal",
            Some(false) => "different",
            None => "",
        };
        let rows = shown.iter().map(|line| {
            vec![
                line.entity.clone(),
                line.level.clone(),
                line.when.clone().unwrap_or_default(),
                word(line.equal).to_owned(),
                if line.fresh { "fresh" } else { "stale" }.to_owned(),
                line.why.clone(),
            ]
        });
        ui::line(ui::table(&["entity", "level", "when", "result", "state", "why"], rows))?;
    }
    Ok(if good { Exit::Done } else { Exit::No })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_result_goes_stale_with_whatever_it_rests_on() {
        let basis = Basis {
            plan: "p".to_owned(),
            column_set: "c".to_owned(),
            source: "s".to_owned(),
            target: "t".to_owned(),
            source_rows: 3,
            ledger: "r landed=3".to_owned(),
        };
        let when: Timestamp = "2024-03-30T20:30:00Z".parse().unwrap();
        let stored = Stored {
            haulier_result: VERSION,
            level: "diff".to_owned(),
            entity: "user".to_owned(),
            tenants: Vec::new(),
            when: when.to_string(),
            equal: true,
            figures: serde_json::Value::Null,
            explained: BTreeMap::new(),
            evidence: BTreeMap::new(),
            basis: basis.clone(),
        };
        let hour = Duration::from_hours(1);
        assert_eq!(stored.stale(&basis, when, hour), None);
        for (now, why) in [
            (Basis { plan: "q".to_owned(), ..basis.clone() }, "plan"),
            (Basis { column_set: "d".to_owned(), ..basis.clone() }, "column set"),
            (Basis { target: "u".to_owned(), ..basis.clone() }, "site"),
            (Basis { source_rows: 4, ..basis.clone() }, "source"),
            (Basis { ledger: "r landed=2".to_owned(), ..basis.clone() }, "settled"),
        ] {
            assert!(stored.stale(&now, when, hour).unwrap().contains(why), "{why}");
        }
        let later = when + SignedDuration::from_hours(3);
        assert!(stored.stale(&basis, later, hour).unwrap().contains("3 hours old"));
    }
}
