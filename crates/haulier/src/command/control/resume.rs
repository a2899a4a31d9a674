//! `haulier resume`: open again what was paused or drained.

use haulier_core::control::{Change, History, Side, Turn, Valve};
use haulier_core::port::{Clock, Run};

use super::turning::turn;
use super::{Options, Sides, pause};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::command::stages;
use crate::error::CliError;
use crate::exit::Exit;
use crate::process;
use crate::site::Neighbours;
use crate::ui;

/// Go on after `pause` or `drain`, with the values that were set
///
/// Ends with 1 when nothing was paused or drained.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which side
    #[arg(default_value = "all")]
    what: Sides,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    if args.what.is_all() && !args.dry_run {
        let at = Neighbours::open(global).await?;
        if stages::go_on(&at, args.reason.clone()).await? {
            ui::note(
                "the run that walks stages goes on; `haulier run --resume` is its controller, where it has none",
            );
            let run = at.latest_run().await?;
            if open(&at, &run, args.reason).await? {
                ui::note("what was paused or drained is open again");
            }
            return Ok(Exit::Done);
        }
    }
    let options = Options { span: None, reason: args.reason, dry_run: args.dry_run };
    turn(global, &options, false, |view| {
        let mut wishes = pause::wishes(view, args.what, Valve::Open);
        wishes.retain(|wish| wish.previous != Valve::Open.as_str());
        if view.emergency {
            ui::note("the emergency file PAUSE is there: everything holds until it is removed");
        }
        if wishes.is_empty() {
            return Err(CliError::new(Exit::No, "it is open already: nothing was paused or drained")
                .hint("`haulier explain` says what holds it"));
        }
        Ok(wishes)
    })
    .await
}

/// Opens both sides where they are not open; `false` where they were.
pub(crate) async fn open(at: &Neighbours, run: &Run, reason: Option<String>) -> Result<bool, CliError> {
    loop {
        let history = History::new(at.ledger.changes(&run.id, 0).await?);
        let (known, now) = (history.version(), SystemClock.micros());
        let shut = Side::ALL.into_iter().map(|side| (side, history.valve(side, now).0));
        let shut = shut.filter(|(_, valve)| *valve != Valve::Open);
        let changes: Vec<Change> = (known + 1..)
            .zip(shut)
            .map(|(version, (side, valve))| Change {
                version,
                at: now,
                by: process::operator(),
                reason: reason.clone().or_else(|| Some("the run goes on".to_owned())),
                turn: Turn::Valve(side, Valve::Open),
                previous: valve.to_string(),
                forced: false,
                expires: None,
            })
            .collect();
        if changes.is_empty() {
            return Ok(false);
        }
        if at.ledger.change(&run.id, known, &changes).await? {
            return Ok(true);
        }
    }
}
