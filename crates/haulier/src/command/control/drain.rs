//! `haulier drain`: let what is there end, and take in nothing new.

use haulier_core::control::Valve;

use super::turning::turn;
use super::{Options, Sides, pause};
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;

/// Read nothing more, and let the workers finish what is queued
///
/// `produce`: no more chunks are read, what is due is still sent, and the workers go on until the queue is empty. `push`:
/// the workers end what they have in hand and take nothing more. `all`: both. `haulier resume` opens again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which side
    #[arg(default_value = "produce")]
    what: Sides,
    #[command(flatten)]
    options: Options,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    turn(global, &args.options, false, |view| Ok(pause::wishes(view, args.what, Valve::Draining))).await
}
