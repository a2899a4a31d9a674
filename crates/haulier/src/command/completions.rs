//! `haulier completions`: completion scripts for shells.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::error::CliError;
use crate::exit::Exit;
use crate::ui;

/// Print a completion script for a shell
///
/// For example: `haulier completions bash > /etc/bash_completion.d/haulier`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::args::Args::command(), "haulier", &mut script);
    ui::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
