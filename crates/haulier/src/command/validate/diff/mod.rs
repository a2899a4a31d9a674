//! `haulier validate diff`: both extracts, sorted, and their differences, in one go.

mod bench;
mod judge;
mod judging;
mod tell;

use std::sync::Arc;

use haulier_core::port::Clock;
use haulier_sides::Agreed;
use haulier_validator::meter::Meter;
use haulier_validator::neutral::Side;

use super::results::{Basis, Stored};
use super::scope::CompareArgs;
use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::extract::make_folder;
use crate::command::tuning;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::sides::Sides;
use crate::site::Neighbours;
use crate::ui::{self, Counted};

use bench::Bench;
use judge::Files;
use tell::{Shown, tell};

/// Compare every agreed column of every record on both sides
///
/// Reads both sides at once, sorts, and tells what is missing, extra, changed or doubled, for whom. The extracts stay as evidence,
/// with `differences.csv`, `.json`, `.html` (for people), and `explained.csv`. Results are stored; see `validate results`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    what: CompareArgs,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let stop = process::stop_on_signal()?;
    let sides = Sides::open(&at).await?;
    let meter = Arc::new(Meter::default());
    let work = Box::pin(compare(global, &at, &sides, &args, &meter));
    let ended = tokio::select! {
        ended = work => Some(ended),
        () = stop.cancelled() => None,
    };
    match ended {
        Some(ended) => ended,
        None => {
            meter.stop();
            Ok(tuning::stopped("validate diff"))
        }
    }
}

async fn compare(
    global: &Global,
    at: &Neighbours,
    sides: &Sides,
    args: &Args,
    meter: &Arc<Meter>,
) -> Result<Exit, CliError> {
    let run = at.ledger.latest_run().await?;
    let Some(keys) = args.what.fresh.keys(&args.what.scope, &*at.ledger).await? else {
        ui::note("no tenant has changed since then");
        return Ok(Exit::Done);
    };
    let names: Vec<String> = keys.iter().map(ToString::to_string).collect();
    let folder = args.what.folder(sides, &names);
    let chosen = args.what.scope.chosen(sides)?;
    let mut open = Vec::new();
    for agreed in &chosen {
        let basis = Basis::of(sides, &*at.ledger, agreed, &keys).await?;
        let stored = Stored::load(&sides.state, "diff", agreed.entity.name.as_str(), &names);
        if args.what.fresh.is_open(stored.as_ref(), &basis, sides.plan.fresh_for) {
            open.push((Arc::clone(agreed), basis));
        }
    }
    if open.is_empty() {
        ui::note("every result is fresh, and nothing differs");
        return Ok(Exit::Done);
    }
    make_folder(&folder.join("x"))?;
    let note = format!(
        "{} against {}, {}",
        sides.fingerprint(Side::Source),
        sides.fingerprint(Side::Target),
        SystemClock.now()
    );
    let mut files = Files::create(&folder, &note)?;
    let expected: u64 = open.iter().map(|(_, basis)| basis.source_rows).sum();
    let (mut source, mut target) = (sides.side(Side::Source)?, sides.side(Side::Target)?);
    let counted = [("source", &source.rows), ("target", &target.rows)];
    let counted = counted.map(|(name, rows)| Counted::rows(name, rows, Some(expected))).into();
    let bench = Bench { sides, ledger: &at.ledger, run, folder, keys, names, meter: Arc::clone(meter) };
    let work = async {
        let tenants = match bench.keys.as_slice() {
            [] => None,
            keys => Some((source.tenant_ids(keys).await?, target.tenant_ids(keys).await?)),
        };
        let agreed: Vec<Arc<Agreed>> = open.iter().map(|(agreed, _)| Arc::clone(agreed)).collect();
        let mut shown = Vec::new();
        for (one, basis) in open {
            let read = bench.read(&mut source, &mut target, &one, &agreed, tenants.as_ref()).await?;
            let (result, back) = bench.judge(&one, basis, read, files).await?;
            files = back;
            shown.push(result);
        }
        files.finish()?;
        Ok::<Vec<Shown>, CliError>(shown)
    };
    let shown = Box::pin(ui::watch(global, counted, work)).await?;
    tell(global, &shown, &bench.folder)?;
    Ok(if shown.iter().all(|shown| shown.equal) { Exit::Done } else { Exit::No })
}
