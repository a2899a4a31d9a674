//! The processes of one drill; killed with it.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;

/// Longest time for a command of the site to kill or start a neighbour.
const COMMAND: Duration = Duration::from_mins(3);

/// Starts another haulier on the same plan and site, which says nothing.
pub(super) fn start(global: &Global, words: &[&str]) -> Result<Child, CliError> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words).arg("--no-progress").arg("--plan").arg(&global.plan).arg("--site").arg(&global.site);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    Ok(command.spawn()?)
}

/// Runs a command of the site to its end. What it says goes nowhere: a server that it leaves running would hold the output open.
pub(super) async fn run(words: &[String]) -> Result<(), CliError> {
    let told = words.join(" ");
    let failed = |why: String| {
        CliError::new(Exit::No, format!("`{told}` of the site's `[drill]` {why}"))
            .hint("run it by hand, to hear what it says; a neighbour may be down now")
    };
    let Some((program, arguments)) = words.split_first() else {
        return Err(failed("names no program".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match tokio::time::timeout(COMMAND, command.kill_on_drop(true).status()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(format!("ended with {status}"))),
        Ok(Err(error)) => Err(failed(format!("cannot be started: {error}"))),
        Err(_) => Err(failed(format!("did not end within {} s", COMMAND.as_secs()))),
    }
}
