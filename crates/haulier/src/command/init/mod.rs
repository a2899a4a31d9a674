//! `haulier init`: a commented first plan from a live schema.

mod text;

use std::path::{Path, PathBuf};

use super::graph::known;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site;
use crate::ui;

/// Write a commented first plan from the source's schema
///
/// Reads tables, keys and references, never the rows. What only a person can know is marked with `?` in a comment. Where
/// `--output` names a file, `--from` a source, and there is no site file yet, a first one is written to `--site`.
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
    known(&schema, &args.table)?;
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
    write_new(&args.output, &plan).map_err(|error| {
        CliError::new(Exit::No, format!("{} cannot be written: {error}", args.output.display()))
            .hint("haulier never writes over a plan; name another file with `--output`")
    })?;
    let mut wrote = args.output.display().to_string();
    if let Some(from) = args.from.as_deref().filter(|_| !global.site.exists()) {
        write_new(&global.site, &site_text(from)).map_err(|error| {
            CliError::new(Exit::No, format!("{} cannot be written: {error}", global.site.display()))
        })?;
        wrote = format!("{wrote} and {}", global.site.display());
    }
    ui::note(format!("wrote {wrote}; look for `?`, then try `haulier check`"));
    Ok(Exit::Done)
}

fn write_new(file: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::options().write(true).create_new(true).open(file)?;
    std::io::Write::write_all(&mut file, text.as_bytes())
}

/// A site that parses, with the source as it was read, and everything else on this machine.
fn site_text(from: &str) -> String {
    let file = from.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    // Paths in a site start in its own folder, those of the command line in the shell's.
    let file = file.and_then(|path| std::path::absolute(path).ok());
    let url = file.as_ref().map_or_else(|| from.to_owned(), |path| format!("sqlite:{}", path.display()));
    let password = match (file, std::env::var_os("HAULIER_SOURCE_PASSWORD")) {
        (Some(_), _) => "",
        (None, Some(_)) => "password = { env = \"HAULIER_SOURCE_PASSWORD\" }\n",
        (None, None) => "# password = { file = \"source.password\" }\n",
    };
    format!(
        "# A first site: where things are. Every line with `?` holds a guess: decide it. docs/site-reference.md has every key.\n\
         # A secret never stands in this file: name where it is, as in `{{ env = \"NAME\" }}` or `{{ file = \"PATH\" }}`.\n\n\
         [source]\nurl = {}\n{password}\n\
         [queue]\nurl = \"embedded:state/queue.sqlite\"   # ? or \"amqps://user@host/vhost\" with `password` and `api_url`\n\n\
         [ledger]\nurl = \"sqlite:state/ledger.sqlite\"   # ? or \"postgres://user@host/database\" where several hosts work\n\n\
         [target]\nbase_url = \"http://127.0.0.1:7700/api/v1\"   # ?\n\
         # auth = {{ bearer = {{ env = \"HAULIER_TARGET_TOKEN\" }} }}\n",
        text::quote(&url)
    )
}
