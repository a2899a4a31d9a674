//! Live control: what an operator turns, and the answer to it.

mod answer;
mod drain;
mod explain;
mod pause;
mod ramp;
mod resume;
mod tune;
mod turning;
mod view;

use clap::ValueEnum;
use haulier_core::control::{Scope, Side};

pub(crate) use drain::{Args as DrainArgs, run as drain};
pub(crate) use explain::{Args as ExplainArgs, run as explain};
pub(crate) use pause::{Args as PauseArgs, run as pause};
pub(crate) use ramp::{Args as RampArgs, run as ramp};
pub(crate) use resume::{Args as ResumeArgs, open as open_valves, run as resume};
pub(crate) use tune::{Args as TuneArgs, run as tune};
pub(crate) use view::{View, hint_of_none_alive, is_alive};

/// One side, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sides {
    /// From the source into the queue
    Produce,
    /// From the queue to the target
    Push,
    /// Both
    All,
}

impl Sides {
    /// Whether nothing less than everything is meant.
    fn is_all(self) -> bool {
        matches!(self, Self::All)
    }

    fn scope(self) -> Scope {
        match self {
            Self::Produce => Scope::Only(Side::Produce),
            Self::Push => Scope::Only(Side::Push),
            Self::All => Scope::All,
        }
    }
}

/// What every change may carry.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Options {
    /// Ends by itself after so long, and what was before holds again: `90s`, `30m`, `2h`
    #[arg(long = "for", value_name = "TIME", value_parser = turning::duration)]
    span: Option<std::time::Duration>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Say what would be, and change nothing
    #[arg(long)]
    dry_run: bool,
}
