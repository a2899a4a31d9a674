//! `haulier finding`: what people find while a run is under way.

use haulier_core::stage::{Reported, Severity, reported};
use haulier_stages::Wrote;
use jiff::Timestamp;
use serde_json::json;

use super::staged_run;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Record what was found in a run, and close it
///
/// While one of severity s1 is open, no gate opens and no wave begins; the checks findings.s1, findings.s2 and findings.s3 ask for more.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Record one
    Add {
        /// What was found, in a line
        text: String,
        /// How bad it is: s1 (nothing goes on), s2 (before people see the result), s3 (it can wait)
        #[arg(long, value_name = "SEVERITY", value_parser = severity)]
        severity: Severity,
    },
    /// List those that are open; exit 1 while there are any
    List {
        /// Those that are closed, too
        #[arg(long)]
        all: bool,
    },
    /// Close one
    Close {
        /// Its name, such as `F-2`
        id: String,
        /// How it was mended, or why it is none
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

fn severity(text: &str) -> Result<Severity, String> {
    Severity::named(text).ok_or_else(|| "`s1`, `s2` or `s3`".to_owned())
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let (_, desk, mut standing) = staged_run(&at).await?;
    match args.what {
        What::Add { text, severity } => {
            let text = text.trim();
            if text.is_empty() {
                return Err(CliError::new(Exit::Usage, "a finding says what was found"));
            }
            loop {
                let (id, fact) = Reported::next(&standing, severity, text);
                if desk.write(&mut standing, vec![(fact, None)]).await? == Wrote::Kept {
                    ui::line(format!("{id} ({severity}) is open"))?;
                    return Ok(Exit::Done);
                }
            }
        }
        What::List { all } => list(global, &reported(&standing), all),
        What::Close { id, note } => loop {
            let Some(found) = reported(&standing).into_iter().find(|one| one.id == id && one.open) else {
                return Err(CliError::new(Exit::No, format!("no finding `{id}` is open"))
                    .hint("`haulier finding list`"));
            };
            let facts = vec![(found.closed(), Some(note.clone()))];
            if desk.write(&mut standing, facts).await? == Wrote::Kept {
                ui::line(format!("{id} is closed"))?;
                return Ok(Exit::Done);
            }
        },
    }
}

fn list(global: &Global, found: &[Reported], all: bool) -> Result<Exit, CliError> {
    let at = |micros| Timestamp::from_microsecond(micros).map_or_else(|_| String::new(), |at| at.to_string());
    let state = |one: &Reported| if one.open { "open" } else { "closed" };
    let open = found.iter().filter(|one| one.open).count();
    let shown: Vec<&Reported> = found.iter().filter(|one| all || one.open).collect();
    if global.json {
        for one in &shown {
            ui::json(
                &json!({ "finding": one.id, "severity": one.severity.as_str(), "state": state(one), "at": at(one.at),
                "text": one.text, "note": one.note }),
            )?;
        }
    } else {
        let rows = shown.iter().map(|one| {
            let note = one.note.clone().unwrap_or_default();
            [
                one.id.clone(),
                one.severity.to_string(),
                state(one).to_owned(),
                at(one.at),
                one.text.clone(),
                note,
            ]
            .to_vec()
        });
        ui::line(ui::table(&["", "severity", "state", "at", "what", "note"], rows))?;
    }
    Ok(if open == 0 { Exit::Done } else { Exit::No })
}
