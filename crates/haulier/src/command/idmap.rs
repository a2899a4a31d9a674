//! `haulier idmap`: which source record is which target record.

use haulier_core::EntityName;
use haulier_core::port::IdOrder;

use super::status::stamp;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

const PAGE: u32 = 10_000;

const HEAD: [&str; 6] = ["entity", "source_key", "target_id", "origin", "run", "landed_at"];

/// One line of `--json`.
#[derive(Debug, serde::Serialize)]
struct Line<'a> {
    entity: &'a str,
    source_key: &'a str,
    target_id: &'a str,
    origin: &'a str,
    run: &'a str,
    landed_at: &'a str,
}

/// Work with the id map: source key to target id
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print the id map as CSV, or with `--json` one object a line
    ///
    /// `--created-only --reverse` is the undo list: what haulier created, the last first, so that children come before parents.
    Export {
        /// Only this entity
        #[arg(long)]
        entity: Option<String>,
        /// Only what haulier created itself
        #[arg(long)]
        created_only: bool,
        /// The last first
        #[arg(long, requires = "created_only")]
        reverse: bool,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let What::Export { entity, created_only, reverse } = args.what;
    let at = Neighbours::open(global).await?;
    let entity = entity.map(|name| at.entity(&name)).transpose()?;
    let order = if reverse { IdOrder::Undo } else { IdOrder::Landed };
    export(&at, entity.as_ref(), created_only, order, global.json).await?;
    Ok(Exit::Done)
}

async fn export(
    at: &Neighbours,
    entity: Option<&EntityName>,
    created_only: bool,
    order: IdOrder,
    as_json: bool,
) -> Result<(), CliError> {
    let mut out = csv::WriterBuilder::new().from_writer(std::io::BufWriter::new(std::io::stdout()));
    let written = |result: csv::Result<()>| result.map_err(csv_error);
    if !as_json {
        written(out.write_record(HEAD))?;
    }
    let mut last = None;
    loop {
        let page = at.ledger.id_map(entity, order, last.as_ref(), PAGE).await?;
        for row in page.iter().filter(|row| !created_only || row.origin == haulier_core::Origin::Created) {
            let record = &row.record;
            let cells = [
                record.entity.as_str(),
                record.key.as_str(),
                row.target_id.as_str(),
                row.origin.as_str(),
                row.run.as_str(),
                &stamp(row.landed_at),
            ];
            if as_json {
                let [entity, source_key, target_id, origin, run, landed_at] = cells;
                ui::json(&Line { entity, source_key, target_id, origin, run, landed_at })?;
            } else {
                written(out.write_record(cells))?;
            }
        }
        match page.into_iter().next_back() {
            Some(row) => last = Some(row),
            None => break,
        }
    }
    Ok(out.flush()?)
}

/// What a CSV writer says, with a broken pipe kept quiet.
pub(crate) fn csv_error(error: csv::Error) -> CliError {
    if let csv::ErrorKind::Io(_) = error.kind()
        && let csv::ErrorKind::Io(error) = error.into_kind()
    {
        return error.into();
    }
    CliError::bug(anyhow::anyhow!("a line of CSV could not be written"))
}
