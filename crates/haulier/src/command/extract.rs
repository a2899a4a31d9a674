//! `haulier extract`: one side's records as sorted CSV without local ids.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use haulier_core::SourceKey;
use haulier_core::port::Clock;
use haulier_sides::Agreed;
use haulier_validator::extract::{ExtractSpec, ExtractWriter, Manifest};
use haulier_validator::meter::Meter;
use haulier_validator::neutral::Side;
use serde::Serialize;

use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::sides::{self, OneSide, Sides};
use crate::site::Neighbours;
use crate::ui::{self, Counted, grouped};

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
    #[serde(flatten)]
    manifest: &'a Manifest,
}

/// Where the extracts of a call go.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) compress: bool,
    pub(crate) tenant: Option<&'a SourceKey>,
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
    let mut one = sides.side(side);
    let chosen = sides.chosen(&args.entity)?;
    let keys: Vec<SourceKey> = args.tenant.iter().map(|key| SourceKey::from_canonical(key)).collect();
    let mut expected = Some(0);
    for agreed in chosen.iter().filter(|_| side == Side::Source) {
        let rows = sides.database.source.count(&agreed.entity).await?;
        expected = expected.map(|sum: u64| sum + rows);
    }
    let counted = Counted {
        name: side.as_str().to_owned(),
        rows: Arc::clone(&one.rows),
        expected: expected.filter(|rows| *rows > 0),
    };
    let mut done = Vec::new();
    let work = async {
        let ids = if keys.is_empty() { None } else { Some(one.tenant_ids(&keys).await?) };
        for agreed in &chosen {
            let places = places(&folder, args.compress.is_some(), &keys);
            let index = one.is_needed(agreed, &chosen);
            let writers = writers(&one, agreed, &places, 1, &meter)?;
            let split = ids.is_some().then_some(keys.as_slice());
            let when = SystemClock.now();
            let streamed = sides::stream(&mut one, agreed, writers, ids.as_ref(), split, index).await?;
            if streamed.read.problem_count > 0 {
                return Err(sides::refused(&streamed.read.problems, streamed.read.problem_count));
            }
            for writer in streamed.writers {
                let finished = tokio::task::spawn_blocking(move || writer.finish(when));
                done.push(finished.await.map_err(CliError::bug)??);
            }
            if streamed.read.twice > 0 {
                ui::note(format!(
                    "{}: the list moved while it was read: {} records came twice and count once",
                    agreed.entity.name,
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

fn places<'a>(folder: &'a Path, compress: bool, keys: &'a [SourceKey]) -> Vec<Place<'a>> {
    if keys.is_empty() {
        return vec![Place { folder, compress, tenant: None }];
    }
    keys.iter().map(|key| Place { folder, compress, tenant: Some(key) }).collect()
}

impl Place<'_> {
    /// The file of an entity.
    pub(crate) fn file(&self, entity: &str) -> PathBuf {
        let ending = if self.compress { "csv.zst" } else { "csv" };
        let name = format!("{entity}.{ending}");
        match self.tenant {
            Some(key) => self.folder.join(folder_of(key)).join(name),
            None => self.folder.join(name),
        }
    }
}

/// A tenant's key as a folder's name: what a path could misread is written as `%` and hex.
pub(crate) fn folder_of(key: &SourceKey) -> String {
    let mut name = "tenant-".to_owned();
    for byte in key.as_str().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            name.push('%');
            haulier_core::form::push_hex(&mut name, &[byte]);
        }
    }
    name
}

/// Opens the extracts of an entity, which share the memory with `sorts - 1` others.
pub(crate) fn writers(
    side: &OneSide<'_>,
    agreed: &Agreed,
    places: &[Place<'_>],
    sorts: usize,
    meter: &Arc<Meter>,
) -> Result<Vec<ExtractWriter>, CliError> {
    let all = side.all;
    let sort = sides::sort_options(&all.state, all.memory, sorts * places.len(), meter)?;
    let open = |place: &Place<'_>| {
        let path = place.file(agreed.entity.name.as_str());
        make_folder(&path)?;
        Ok(ExtractWriter::create(ExtractSpec {
            path,
            entity: agreed.entity.name.to_string(),
            tenant: place.tenant.map(ToString::to_string),
            side: side.side,
            columns: agreed.columns.clone(),
            plan: all.plan.digest.clone(),
            fingerprint: all.fingerprint(side.side).to_owned(),
            hash_key: all.hash_key.clone(),
            compress: place.compress,
            sort: sort.clone(),
        })?)
    };
    places.iter().map(open).collect()
}

/// Makes the folder of a file, for its owner only.
pub(crate) fn make_folder(file: &Path) -> Result<(), CliError> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(folder) = file.parent() else { return Ok(()) };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| {
        CliError::new(Exit::Unreachable, format!("the folder {} cannot be made: {error}", folder.display()))
    })
}

fn tell(global: &Global, done: &[Manifest], folder: &Path, keys: &[SourceKey]) -> Result<(), CliError> {
    let file = |manifest: &Manifest| {
        let key =
            manifest.tenant.as_deref().and_then(|tenant| keys.iter().find(|key| key.as_str() == tenant));
        let place = Place { folder, compress: manifest.compressed, tenant: key };
        place.file(&manifest.entity).display().to_string()
    };
    if global.json {
        for manifest in done {
            ui::json(&Written { file: file(manifest), manifest })?;
        }
        return Ok(());
    }
    let rows = done.iter().map(|manifest| {
        vec![manifest.entity.clone(), grouped(manifest.rows), manifest.sha256.clone(), file(manifest)]
    });
    ui::line(ui::table(&["entity", "rows", "SHA-256", "file"], rows))
}
