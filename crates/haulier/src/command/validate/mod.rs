//! `haulier validate`: the proof that both sides hold the same.

mod counts;
mod deep;
mod diff;
mod results;
mod scope;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;

/// Prove that both sides hold the same: by counts, by every agreed column, or by every field of chosen tenants
///
/// Differences that the ledger explains (dead, held, left out, in flight) stand apart from those that nothing explains. Ends with
/// 0 when nothing unexplained differs, with 1 when something does, with 2 to 4 when it cannot be told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Counts(counts::Args),
    Diff(diff::Args),
    Deep(deep::Args),
    Results(results::Args),
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::Counts(args) => Box::pin(counts::run(global, args)).await,
        What::Diff(args) => Box::pin(diff::run(global, args)).await,
        What::Deep(args) => Box::pin(deep::run(global, args)).await,
        What::Results(args) => Box::pin(results::run(global, &args)).await,
    }
}
