//! `haulier incident`: what went wrong, how badly, and whether it is over.

use clap::ValueEnum;
use haulier_core::stage::incident::{Incident, Severity};
use haulier_stages::Wrote;
use serde_json::json;

use super::staged_run;
use crate::args::Global;
use crate::command::status::stamp;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::Neighbours;
use crate::ui;

/// Open and close incidents of a run; people are told by the plan's notices, gates ask by the check `incidents.closed`
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Something went wrong
    Open {
        /// A short name for it
        name: String,
        /// How bad it is
        #[arg(long, value_name = "SEVERITY")]
        severity: Grade,
        /// What is known, for those who are told
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// It is over
    Close {
        /// Its name
        name: String,
        /// What was done, for those who are told
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List them; ends with 1 while one is open
    List,
}

/// A severity, as operators type it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Grade {
    /// People cannot work, or data is at risk: nothing may go on
    S1,
    /// It hurts, and can be lived with for now
    S2,
    /// It is ugly
    S3,
}

impl From<Grade> for Severity {
    fn from(grade: Grade) -> Self {
        match grade {
            Grade::S1 => Self::S1,
            Grade::S2 => Self::S2,
            Grade::S3 => Self::S3,
        }
    }
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let at = Neighbours::open(global).await?;
    let (_, desk, mut standing) = staged_run(&at).await?;
    let (name, reason, grade) = match args.what {
        What::List => {
            let all: Vec<Incident<'_>> = Incident::all(&standing).collect();
            return list(global, &all);
        }
        What::Open { name, severity, reason } => (name, reason, Some(Severity::from(severity))),
        What::Close { name, reason } => (name, reason, None),
    };
    // Decided anew whenever somebody else wrote meanwhile.
    let severity = loop {
        let known = Incident::all(&standing).find(|incident| incident.name == name && incident.open);
        let known = known.map(|incident| incident.severity);
        let (fact, severity) = match (grade, known) {
            (Some(_), Some(_)) => {
                return Err(CliError::new(Exit::No, format!("incident {name} is open already")));
            }
            (None, None) => {
                return Err(CliError::new(Exit::No, format!("no incident {name} is open"))
                    .hint("`haulier incident list`"));
            }
            (Some(severity), None) => (Incident::opened(&name, severity), severity),
            (None, Some(severity)) => (Incident::closed(&name, severity), severity),
        };
        if desk.write(&mut standing, vec![(fact, Some(reason.clone()))]).await? == Wrote::Kept {
            break severity;
        }
    };
    let word = if grade.is_some() { "open" } else { "closed" };
    if global.json {
        ui::json(
            &json!({ "incident": name, "severity": severity.as_str(), "state": word, "reason": reason }),
        )?;
    } else {
        ui::line(format!("incident {name} ({severity}) is {word}: {reason}"))?;
    }
    if grade.is_some() && severity == Severity::S1 {
        ui::note(
            "`haulier pause --reason TEXT` lets nothing new begin; the run tells people, or `haulier notices send`",
        );
    }
    Ok(Exit::Done)
}

fn list(global: &Global, all: &[Incident<'_>]) -> Result<Exit, CliError> {
    let state = |incident: &Incident<'_>| if incident.open { "open" } else { "closed" };
    if global.json {
        for incident in all {
            ui::json(&json!({
                "incident": incident.name, "severity": incident.severity.as_str(), "state": state(incident),
                "at": stamp(incident.at), "reason": incident.note,
            }))?;
        }
    } else if all.is_empty() {
        ui::line("there was none")?;
    } else {
        let rows = all.iter().map(|incident| {
            vec![
                incident.name.to_owned(),
                incident.severity.to_string(),
                state(incident).to_owned(),
                stamp(incident.at),
                incident.note.unwrap_or_default().to_owned(),
            ]
        });
        ui::line(ui::table(&["incident", "severity", "state", "since", "why"], rows))?;
    }
    Ok(if all.iter().any(|incident| incident.open) { Exit::No } else { Exit::Done })
}
