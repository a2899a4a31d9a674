//! The command line.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::command::Command;

/// Moves records out of a live database into a live API, in stages that people open.
///
/// Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 the answer is no, 2 usage, 3 plan or site is wrong,
/// 4 a neighbour cannot be reached, 5 stopped, 70 a bug.
#[derive(Debug, Parser)]
#[command(
    name = "haulier",
    version,
    propagate_version = true,
    infer_subcommands = true,
    max_term_width = 110
)]
pub struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// What moves and how
    #[arg(long, global = true, value_name = "FILE", env = "HAULIER_PLAN", default_value = "plan.toml")]
    pub(crate) plan: PathBuf,
    /// Where: source, queue, ledger, target
    #[arg(long, global = true, value_name = "FILE", env = "HAULIER_SITE", default_value = "site.toml")]
    pub(crate) site: PathBuf,
    /// Print JSON instead of tables
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// More detail on stderr; twice for all of it
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// No bars and no progress lines
    #[arg(long, global = true, env = "HAULIER_NO_PROGRESS", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) no_progress: bool,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Global {
    /// Whether stderr gets colour.
    pub(crate) fn colored(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
            }
        }
    }
}

impl Args {
    /// Sends the log to stderr: warnings by default, more with `-v`; `HAULIER_LOG` takes a filter of `tracing`'s own form.
    pub fn start_log(&self) {
        let level = match self.global.verbose {
            // What the AMQP client meets is told by haulier-queue, in the operator's words.
            0 => "warn,lapin=off",
            1 => {
                "haulier=info,haulier_producer=info,haulier_worker=info,haulier_queue=info,haulier_ledger=info,haulier_source=info,haulier_target=info,warn,lapin=off"
            }
            _ => "debug,hyper=info,h2=info,sqlx=info,lapin=info",
        };
        let filter = EnvFilter::try_from_env("HAULIER_LOG").unwrap_or_else(|_| EnvFilter::new(level));
        let log = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(self.global.colored())
            .with_target(false);
        let log = if self.global.json { log.json().boxed() } else { log.compact().boxed() };
        let log = tracing_subscriber::registry().with(log.with_filter(filter.and(filter_fn(is_safe))));
        // A second subscriber cannot be set in one process, and the first one is as good.
        let _already_set = log.try_init();
    }
}

/// Whether no secret is in it, whatever `HAULIER_LOG` asks for: the AMQP client writes whole frames at its finest level, that of the
/// login too, and so may others.
fn is_safe(log: &Metadata<'_>) -> bool {
    let finest = match log.target() {
        ours if ours.starts_with("haulier") => Level::TRACE,
        amqp if amqp.starts_with("lapin") || amqp.starts_with("amq") => Level::INFO,
        _ => Level::DEBUG,
    };
    *log.level() <= finest
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_command_names_an_argument_twice() {
        Args::command().debug_assert();
    }
}
