//! `haulier extract`: one side's records as sorted CSV without local ids.

mod place;
mod resume;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use haulier_core::SourceKey;
use haulier_core::port::Clock;
use haulier_validator::extract::Manifest;
use haulier_validator::meter::Meter;
use haulier_validator::neutral::Side;
use serde::Serialize;

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::sides::{self, Sides};
use crate::site::Neighbours;
use crate::ui::{self, Counted, grouped};

pub(crate) use place::{Place, folder_of_all, make_folder, writers};
use resume::Unfinished;

/// Write one side's records as sorted CSV without local ids: equal data gives equal files
///
/// One file for each entity that has an `extract` in the plan, with a manifest beside it. `cmp` on the files of both sides is the
/// proof; `diff`, `comm` and any CSV tool work on them. A file has its name only when it is whole. Ends with 0 when all were
/// written, with 1 when rows cannot be compared (it names row and column) or natural keys come more than once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which side
    #[arg(long, value_enum)]
    side: WhichSide,
    /// Only this entity; may be given more than once
    #[arg(long)]
    entity: Vec<String>,
    /// Only this tenant, by its key in the source; may be given more than once, each gets a folder of its own
    #[arg(long)]
    tenant: Vec<String>,
    /// Where the files go [default: `extract/SIDE` in the site's state folder]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Compress the files
    #[arg(long, value_enum)]
    compress: Option<Compression>,
    /// Keep the files that an earlier call in this folder finished before it was cut off, and write the others
    #[arg(long)]
    resume: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhichSide {
    /// Where the records come from, mapped as they are sent
    Source,
    /// Where they go to
    Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Compression {
    /// `.csv.zst`
    Zstd,
}

/// One file, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Written<'a> {
    file: String,
    /// Whether an earlier call wrote it.
    kept: bool,
    #[serde(flatten)]
    manifest: &'a Manifest,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let stop = process::stop_on_signal()?;
    let sides = Sides::open(&at).await?;
    let side = match args.side {
        WhichSide::Source => Side::Source,
        WhichSide::Target => Side::Target,
    };
    let folder = args.out.clone().unwrap_or_else(|| sides.state.join("extract").join(side.as_str()));
    let meter = Arc::new(Meter::default());
    let mut one = sides.side(side)?;
    let chosen = sides.chosen(&args.entity)?;
    let keys: BTreeSet<&String> = args.tenant.iter().collect();
    let keys: Vec<SourceKey> = keys.into_iter().map(|key| SourceKey::from_canonical(key)).collect();
    let now = Unfinished::new(&one, SystemClock.now());
    let call = go_on(args.resume, &folder, now)?;
    let mut done = Vec::new();
    let mut open = Vec::new();
    for agreed in &chosen {
        let mut left = Vec::new();
        for place in places(&folder, args.compress.is_some(), &keys) {
            match call.kept(&place, agreed).filter(|_| args.resume) {
                Some(manifest) => done.push((manifest, true)),
                None => left.push(place),
            }
        }
        if !left.is_empty() {
            open.push((Arc::clone(agreed), left));
        }
    }
    let mut expected = (side == Side::Source).then_some(0);
    for (agreed, _) in open.iter().filter(|_| side == Side::Source) {
        let rows = sides.count(&agreed.entity, &keys).await?;
        expected = expected.zip(rows).map(|(sum, rows)| sum + rows);
    }
    let counted = Counted::rows(side.as_str(), &one.rows, expected.filter(|rows| *rows > 0));
    let work = async {
        let ids = if keys.is_empty() { None } else { Some(one.tenant_ids(&keys).await?) };
        let agreed: Vec<_> = open.iter().map(|(agreed, _)| Arc::clone(agreed)).collect();
        for (one_agreed, places) in &open {
            let index = one.is_needed(one_agreed, &agreed);
            let writers = writers(&one, one_agreed, places, 1, &meter)?;
            let split: Vec<SourceKey> = places.iter().filter_map(|place| place.tenant.cloned()).collect();
            let wanted = ids.as_ref().map(|ids| {
                let wanted = ids.iter().filter(|(_, key)| split.contains(key));
                wanted.map(|(id, key)| (id.clone(), key.clone())).collect::<sides::Ids>()
            });
            let when = SystemClock.now();
            let split = wanted.is_some().then_some(split.as_slice());
            let streamed =
                sides::stream(&mut one, one_agreed, writers, wanted.as_ref(), split, index).await?;
            if keys.is_empty() {
                sides::refuse_lacking(one_agreed, side, &streamed.read)?;
            }
            if streamed.read.problem_count > 0 {
                return Err(sides::refused(&streamed.read.problems, streamed.read.problem_count));
            }
            for writer in streamed.writers {
                let finished = tokio::task::spawn_blocking(move || writer.finish(when));
                done.push((finished.await.map_err(CliError::bug)??, false));
            }
            if streamed.read.twice > 0 {
                ui::note(format!(
                    "{}: the list moved while it was read: {} records came twice and count once",
                    one_agreed.entity.name,
                    grouped(streamed.read.twice)
                ));
            }
        }
        Ok::<(), CliError>(())
    };
    let ended = tokio::select! {
        ended = ui::watch(global, vec![counted], work) => Some(ended),
        () = stop.cancelled() => None,
    };
    if done.is_empty() || matches!(ended, Some(Ok(()))) {
        // There is nothing, or nothing more, to go on from.
        Unfinished::forget(&folder)?;
    }
    match ended {
        Some(ended) => ended?,
        None => {
            meter.stop();
            return Ok(super::tuning::stopped("extract"));
        }
    }
    tell(global, &done, &folder, &keys)?;
    Ok(Exit::Done)
}

/// Notes that a call is under way, or that the one before it goes on.
fn go_on(resume: bool, folder: &Path, now: Unfinished) -> Result<Unfinished, CliError> {
    let call = match Unfinished::left(folder) {
        Some(left) if resume && left.fits(&now) => left,
        Some(left) if resume => {
            return Err(CliError::new(
                Exit::Usage,
                format!(
                    "what was left in {} at {} was of another side, plan, site or `pii_key`",
                    folder.display(),
                    left.began
                ),
            )
            .hint("leave `--resume` out to begin anew, or name another folder with `--out`"));
        }
        Some(left) => {
            ui::note(format!(
                "begins anew; `--resume` would have kept what was finished since {}",
                left.began
            ));
            now
        }
        None => {
            if resume {
                ui::note(format!("nothing was cut off in {}", folder.display()));
            }
            now
        }
    };
    call.store(folder)?;
    Ok(call)
}

fn places<'a>(folder: &'a Path, compress: bool, keys: &'a [SourceKey]) -> Vec<Place<'a>> {
    if keys.is_empty() {
        return vec![Place { folder, compress, tenant: None }];
    }
    keys.iter().map(|key| Place { folder, compress, tenant: Some(key) }).collect()
}

fn tell(
    global: &Global,
    done: &[(Manifest, bool)],
    folder: &Path,
    keys: &[SourceKey],
) -> Result<(), CliError> {
    let file = |manifest: &Manifest| {
        let key =
            manifest.tenant.as_deref().and_then(|tenant| keys.iter().find(|key| key.as_str() == tenant));
        let place = Place { folder, compress: manifest.compressed, tenant: key };
        place.file(&manifest.entity).display().to_string()
    };
    if global.json {
        for (manifest, kept) in done {
            ui::json(&Written { file: file(manifest), kept: *kept, manifest })?;
        }
        return Ok(());
    }
    let kept = done.iter().filter(|(_, kept)| *kept).count();
    if kept > 0 {
        ui::note(format!("kept {kept} files that were finished before"));
    }
    let rows = done.iter().map(|(manifest, _)| {
        vec![manifest.entity.clone(), grouped(manifest.rows), manifest.sha256.clone(), file(manifest)]
    });
    ui::line(ui::table(&["entity", "rows", "SHA-256", "file"], rows))
}
