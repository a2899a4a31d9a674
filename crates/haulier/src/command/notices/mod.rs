//! `haulier notices`: who is told what, what went out, and what is in doubt.

mod log;
mod plan;
mod send;

use haulier_core::notice::Kind;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen};

/// Show who is told what, send what is due, and say what became of what is in doubt
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show what would go out now and what comes later; sends nothing
    Plan {
        #[command(flatten)]
        seen: Seen,
        /// With their texts
        #[arg(long)]
        text: bool,
    },
    /// Keep what is called for, and send what is due; ends with 1 where something did not go out
    Send {
        /// Again and again, until Ctrl-C
        #[arg(long)]
        watch: bool,
    },
    /// List what was told, to whom, when, and what the channel said
    Log {
        /// With their texts
        #[arg(long)]
        text: bool,
    },
    /// Say what became of a notice that is in doubt, failed, or that somebody passed on
    Ack {
        /// Its number in the log
        id: i64,
        #[command(flatten)]
        how: How,
        /// How you know, for the record
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    /// Tell of something that no program saw, such as an incident
    Tell {
        /// What it is: `incident`, `start`, `end`
        #[arg(value_parser = kind)]
        kind: Kind,
        /// What it is about: `run`, `wave:NAME`, `window:NAME`
        #[arg(long, default_value = "run", value_name = "SUBJECT")]
        of: String,
        /// Why, for those who are told
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct How {
    /// It went out
    #[arg(long)]
    sent: bool,
    /// It did not: send it again
    #[arg(long)]
    again: bool,
    /// It need not go out
    #[arg(long)]
    drop: bool,
}

fn kind(text: &str) -> Result<Kind, String> {
    match Kind::of(text) {
        Some(kind @ (Kind::Incident | Kind::Start | Kind::End)) => Ok(kind),
        Some(_) | None => Err("`incident`, `start` or `end`".to_owned()),
    }
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::Plan { seen, text } => plan::run(global, &Dates::read(global, &seen).await?, text).await,
        What::Send { watch } => send::run(global, watch).await,
        What::Log { text } => log::run(global, text).await,
        What::Ack { id, how, note } => log::ack(global, id, &how, &note).await,
        What::Tell { kind, of, reason } => send::tell(global, kind, &of, &reason).await,
    }
}
