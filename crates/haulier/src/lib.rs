#![doc = include_str!("../README.md")]

pub mod args;
mod clock;
mod command;
mod drill;
pub mod error;
pub mod exit;
mod metrics;
mod process;
mod sides;
mod site;
mod ui;

use args::Args;
use error::CliError;

/// Runs one command to its end and says how the process ends.
pub async fn run(args: Args) -> Result<exit::Exit, CliError> {
    drill::arm();
    command::run(args).await
}
