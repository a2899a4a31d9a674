//! `haulier pause`: nothing new begins.

use haulier_core::control::{Turn, Valve};

use super::turning::{Wish, turn};
use super::view::View;
use super::{Options, Sides};
use crate::args::Global;
use crate::command::stages;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Begin nothing new: requests that left are waited for, what was not started goes back to the queue
///
/// Holds for all processes, those that start later too, until `haulier resume` or the time of `--for`. When ledger and
/// broker are away, a file `PAUSE` in the state folder of each host does the same. A run that walks stages is paused as such, too,
/// unless it is one side alone or for a time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which side
    #[arg(default_value = "all")]
    what: Sides,
    #[command(flatten)]
    options: Options,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let code = turn(global, &args.options, false, |view| Ok(wishes(view, args.what, Valve::Paused))).await?;
    let whole = args.what.is_all() && args.options.span.is_none() && !args.options.dry_run;
    if whole {
        let at = Neighbours::open(global).await?;
        if let Some(state) = stages::pause(&at, args.options.reason).await? {
            ui::note(format!("the run that walks stages is {state}; `haulier resume` goes on"));
        }
    }
    Ok(code)
}

/// Every side of a scope to this valve.
pub(super) fn wishes(view: &View, what: Sides, to: Valve) -> Vec<Wish> {
    let wish = |side: &_| Wish {
        key: haulier_core::control::Side::as_str(*side),
        previous: view.history.valve(*side, view.now).0.to_string(),
        turn: Some(Turn::Valve(*side, to)),
        refusal: None,
        why: None,
    };
    what.scope().sides().iter().map(wish).collect()
}
