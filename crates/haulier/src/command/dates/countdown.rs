//! `haulier countdown`: what people have to do before the day, by when, and what is late.

use haulier_core::calendar::{Amendment, TaskState};
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen, Why, unknown};
use crate::ui;

/// Show what people have to do before the day, with who and by when; ends with 1 where something is late
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Say that a task is done
    Done {
        /// Its name
        task: String,
        #[command(flatten)]
        why: Why,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        None => show(global, &Dates::read(global, &args.seen).await?),
        Some(What::Done { task, why }) => {
            let dates = Dates::write(global, &args.seen).await?;
            let names: Vec<&str> = dates.calendar.tasks.iter().map(|task| task.name.as_str()).collect();
            if !names.contains(&task.as_str()) {
                return Err(unknown("task", &task, names.into_iter()));
            }
            super::changed(global, dates, Amendment::Done { task }, &why).await
        }
    }
}

fn show(global: &Global, dates: &Dates) -> Result<Exit, CliError> {
    let calendar = &dates.calendar;
    let mut tasks: Vec<_> = calendar.tasks.iter().map(|task| (calendar.task_date(task), task)).collect();
    tasks.sort_by_key(|(date, _)| *date);
    let state = |task| calendar.task_state(task, dates.now);
    let late = tasks.iter().any(|(_, task)| state(task) == TaskState::Late);
    if global.json {
        for (date, task) in &tasks {
            ui::json(&json!({
                "task": task.name, "owner": task.owner, "state": state(task).as_str(),
                "by": date.map(|date| date.to_string()),
            }))?;
        }
    } else if tasks.is_empty() {
        ui::line("the plan has no tasks: `[[task]]` with `name`, `at` and `owner`")?;
    } else {
        let rows = tasks.iter().map(|(date, task)| {
            vec![
                date.map(|date| dates.say(date, None)).unwrap_or_default(),
                state(task).as_str().to_owned(),
                task.owner.clone(),
                task.name.clone(),
            ]
        });
        ui::line(ui::table(&["by", "state", "owner", "task"], rows))?;
    }
    Ok(if late { Exit::No } else { Exit::Done })
}
