//! `haulier demo`: the whole way on this machine, with nothing but the binary.

use std::path::{Path, PathBuf};

use hq_sandbox::{Config, Sandbox, StoreKind};

use super::run as main_job;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::ui::{self, grouped};

const PLAN: &str = include_str!("../../../../config/plan.toml");
const SITE: &str = include_str!("../../../../config/site.demo.toml");
/// What `config/site.demo.toml` calls the target; the demo takes a free port instead.
const BASE_URL: &str = "http://127.0.0.1:7700/api/v1";
const TOKEN: &str = "demo-token";

/// Try it: a made-up source, an embedded queue and ledger, and a small real target, all on this machine
///
/// Makes a folder with a SQLite source (200 accounts with their projects, users and memberships, and texts as nasty as real
/// ones), starts `hq-sandbox` on a free loopback port, and runs the plan. A second time it finds nothing to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the demo keeps its files
    #[arg(long, value_name = "FOLDER", default_value = "haulier-demo")]
    dir: PathBuf,
    /// Forget an earlier demo in that folder
    #[arg(long)]
    fresh: bool,
    /// Pushes at a time
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..))]
    workers: u16,
    /// Milliseconds that the target takes for each answer
    #[arg(long, default_value_t = 2)]
    latency: u64,
    /// Keep the target running until Ctrl-C, to try other commands on it
    #[arg(long)]
    stay: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let dir = &args.dir;
    if args.fresh {
        forget(dir)?;
    }
    std::fs::create_dir_all(dir).map_err(|error| cannot(dir, &error))?;
    let source = dir.join("field.sqlite");
    if !source.exists() {
        hq_sandbox::field_demo::create(&source, 1).await.map_err(CliError::bug)?;
        ui::note(format!("made a source: {}", source.display()));
    }
    let mut config = Config::in_memory(TOKEN);
    config.store = StoreKind::Sqlite { path: dir.join("hq.sqlite"), sync: hq_sandbox::Sync::Normal };
    config.log = Some(dir.join("requests.jsonl"));
    config.faults.latency_ms = args.latency;
    let sandbox = Sandbox::start(config).await.map_err(CliError::bug)?;
    ui::note(format!("started a target: hq-sandbox on {}", sandbox.base_url()));

    let mut global = global.clone();
    global.plan = dir.join("plan.toml");
    global.site = dir.join("site.toml");
    write(&global.plan, PLAN)?;
    write(&global.site, &SITE.replace(BASE_URL, sandbox.base_url()))?;
    write_secret(&dir.join("hq.token"))?;

    let at = Neighbours::open(&global).await?;
    let exit = main_job::run_at(&global, &at, args.workers, 2).await?;
    let counts: Vec<(&'static str, u64, u64)> = sandbox
        .stats()
        .collections
        .iter()
        .map(|(name, stats)| (*name, u64::try_from(stats.records).unwrap_or(u64::MAX), stats.duplicates))
        .collect();
    if !global.json && exit != Exit::Stopped {
        tell(dir, &at, &counts, args.stay).await?;
    }
    if args.stay && exit != Exit::Stopped {
        ui::note(format!("the target stays on {} until Ctrl-C", sandbox.base_url()));
        process::end_on_signal()?.cancelled().await;
    }
    sandbox.stop().await.map_err(CliError::bug)?;
    Ok(exit)
}

async fn tell(
    dir: &Path,
    at: &Neighbours,
    counts: &[(&'static str, u64, u64)],
    stays: bool,
) -> Result<(), CliError> {
    let source = at.source().await?;
    let mut rows = Vec::new();
    for entity in at.plan.entities.iter().filter(|entity| entity.deferred_of.is_none()) {
        let there = counts.iter().find(|(name, ..)| name.trim_end_matches('s') == entity.name.as_str());
        let (held, doubled) = there.map_or((0, 0), |(_, records, duplicates)| (*records, *duplicates));
        rows.push(vec![
            entity.name.to_string(),
            grouped(source.count(entity).await?),
            grouped(held),
            grouped(doubled),
        ]);
    }
    ui::line("\nwhat both sides say")?;
    ui::line(ui::table(
        &["entity", "rows in the source", "records in the target", "doubled in the target"],
        rows,
    ))?;
    let dir = dir.display();
    let proof = if stays {
        format!(
            "haulier validate diff --plan {dir}/plan.toml --site {dir}/site.toml   # in another terminal: proves that both sides hold the same"
        )
    } else {
        format!(
            "haulier demo --dir {dir} --stay         # again: finds nothing to do, and keeps the target for `haulier validate diff`"
        )
    };
    ui::line(format!(
        "\nnext\n  {proof}\n  \
         haulier status --plan {dir}/plan.toml --site {dir}/site.toml\n  \
         haulier idmap export --plan {dir}/plan.toml --site {dir}/site.toml | head\n  \
         less {dir}/plan.toml                     # the plan, with a comment for every line\n  \
         haulier init --from sqlite:{dir}/field.sqlite   # a first plan from any schema"
    ))
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    std::fs::write(path, text).map_err(|error| cannot(path, &error))
}

fn write_secret(path: &Path) -> Result<(), CliError> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let file = std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| writeln!(file, "{TOKEN}")).map_err(|error| cannot(path, &error))
}

/// Removes what an earlier demo made, and nothing else.
fn forget(dir: &Path) -> Result<(), CliError> {
    const MADE: [&str; 8] = [
        "field.sqlite",
        "hq.sqlite",
        "hq.token",
        "state/ledger.sqlite",
        "state/queue.sqlite",
        "requests.jsonl",
        "plan.toml",
        "site.toml",
    ];
    for name in MADE {
        for suffix in ["", "-wal", "-shm"] {
            let path = dir.join(format!("{name}{suffix}"));
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(cannot(&path, &error)),
            }
        }
    }
    Ok(())
}

fn cannot(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new(Exit::Usage, format!("{} cannot be written: {error}", path.display()))
        .hint("name another folder with `--dir`")
}
