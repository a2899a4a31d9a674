//! `haulier init`: a commented first plan from a live schema.

mod text;

use std::path::PathBuf;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site;
use crate::ui;

/// Write a commented first plan from the source's schema
///
/// Reads tables, keys and references, never the rows. What only a person can know is marked with `?` in a comment.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The source, instead of the site file's (a password comes from `HAULIER_SOURCE_PASSWORD`)
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Only these tables
    #[arg(long, value_name = "NAME")]
    table: Vec<String>,
    /// Where to write it; `-` is stdout
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    output: PathBuf,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let source = site::source_from(global, args.from.as_deref()).await?;
    let mut schema = source.schema().await?;
    if let Some(missing) =
        args.table.iter().find(|name| !schema.tables.iter().any(|table| table.name == **name))
    {
        return Err(CliError::new(Exit::No, format!("the source has no table `{missing}`")));
    }
    schema.tables.retain(|table| !table.view && (args.table.is_empty() || args.table.contains(&table.name)));
    if schema.tables.is_empty() {
        return Err(CliError::new(Exit::No, "the source has no tables that this user can see")
            .hint("check the database's name in the URL, and the user's rights"));
    }
    let plan = text::plan(&schema);
    if args.output.as_os_str() == "-" {
        ui::line(plan.trim_end())?;
        return Ok(Exit::Done);
    }
    let file = std::fs::File::options().write(true).create_new(true).open(&args.output);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, plan.as_bytes()));
    written.map_err(|error| {
        CliError::new(Exit::No, format!("{} cannot be written: {error}", args.output.display()))
            .hint("haulier never writes over a plan; name another file with `--output`")
    })?;
    ui::note(format!("wrote {}; look for `?`, then try `haulier check`", args.output.display()));
    Ok(Exit::Done)
}
