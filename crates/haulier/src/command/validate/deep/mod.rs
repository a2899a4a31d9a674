//! `haulier validate deep`: every mapped field of every record of chosen tenants, read back one by one.

mod compare;
mod desk;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use haulier_core::plan::Entity;

use self::desk::{Desk, Shown};
use super::results::{Basis, Stored};
use super::scope::CompareArgs;
use crate::args::Global;
use crate::command::tuning;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::sides::Sides;
use crate::site::Neighbours;
use crate::ui::{self, Counted, grouped};

/// Compare every mapped field of every record of chosen tenants
///
/// Reads the records fresh from the source, with everything that belongs to the tenants, and each of them back from the target by its
/// id. What changed in the source since it was sent stands apart. Differences go to `deep.csv`; `deep/ENTITY.csv` names every
/// record that was compared. Results are stored; see `validate results`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    what: CompareArgs,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    if args.what.scope.tenant.is_empty() && !args.what.fresh.chooses() {
        return Err(CliError::new(Exit::Usage, "`validate deep` needs a `--tenant`, or `--changed-since`")
            .hint(
                "it reads every record back one by one: name the tenants, such as those of the smoke stage",
            ));
    }
    let at = Neighbours::open(global).await?;
    let stop = process::stop_on_signal()?;
    let sides = Sides::open(&at).await?;
    let run = at.latest_run().await?;
    let Some(tenants) = args.what.fresh.keys(&args.what.scope, &*at.ledger).await? else {
        ui::note("no tenant has changed since then");
        return Ok(Exit::Done);
    };
    let names: Vec<String> = tenants.iter().map(ToString::to_string).collect();
    let folder = args.what.folder(&sides, &names);
    for name in &args.what.scope.entity {
        at.entity(name)?;
    }
    // A deferred field's own entity is the same record once more.
    let entities = sides.plan.entities.iter().filter(|entity| entity.deferred_of.is_none());
    let chosen = |entity: &&Entity| {
        args.what.scope.entity.is_empty()
            || args.what.scope.entity.iter().any(|name| name == entity.name.as_str())
    };
    let mut open = Vec::new();
    for entity in entities.filter(chosen) {
        let columns = column_set(&sides, entity).await?;
        let basis = Basis::with(&sides, &*at.ledger, entity, columns, &tenants).await?;
        let stored = Stored::load(&sides.state, "deep", entity.name.as_str(), &names);
        if args.what.fresh.is_open(stored.as_ref(), &basis, sides.plan.fresh_for) {
            open.push((entity, basis));
        }
    }
    if open.is_empty() {
        ui::note("every result is fresh, and nothing differs");
        return Ok(Exit::Done);
    }
    let expected = open.iter().map(|(_, basis)| basis.source_rows).sum();
    let rows = Arc::new(AtomicU64::new(0));
    let counted = Counted::rows("records", &rows, Some(expected));
    let desk = Desk {
        target: at.target()?,
        throttle: haulier_throttle::Flow::new(at.push_rate()),
        at: &at,
        sides: &sides,
        run,
        tenants,
        folder,
        rows,
    };
    let work = desk.all(&open);
    let ended = tokio::select! {
        ended = ui::watch(global, vec![counted], work) => Some(ended),
        () = stop.cancelled() => None,
    };
    let Some(ended) = ended else { return Ok(tuning::stopped("validate deep")) };
    let shown = ended?;
    tell(global, &shown, &desk)?;
    Ok(if shown.iter().all(Shown::is_equal) { Exit::Done } else { Exit::No })
}

/// The digest of what is compared of an entity.
pub(crate) async fn column_set(sides: &Sides, entity: &Entity) -> Result<String, CliError> {
    Ok(desk::whole(sides, entity).await?.digest())
}

fn tell(global: &Global, shown: &[Shown], desk: &Desk<'_>) -> Result<(), CliError> {
    if global.json {
        for one in shown {
            ui::json(one)?;
        }
        return Ok(());
    }
    let rows = shown.iter().map(|one| {
        let words: Vec<String> =
            one.explained.iter().map(|(word, count)| format!("{} {word}", grouped(*count))).collect();
        let mut row = vec![one.entity.clone()];
        row.extend([one.records, one.same, one.different, one.missing, one.unreadable].map(grouped));
        row.push(words.join(", "));
        row
    });
    let head = ["entity", "records", "same", "different", "missing", "unreadable", "explained"];
    ui::line(ui::table(&head, rows))?;
    ui::note(format!("differences are in {}", desk.folder.join("deep.csv").display()));
    Ok(())
}
