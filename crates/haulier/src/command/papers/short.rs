//! Short papers in Markdown: a checklist, a handover, a brief for who approves, a draft of an announcement.

use haulier_core::RecordState;
use haulier_core::calendar::{Selector, Wave, lead};
use haulier_core::notice::PostState;
use haulier_core::stage::{GateState, StageState};

use super::gather::Paper;
use super::report::planned;
use super::sections::{Section, markdown};
use crate::args::Global;
use crate::command::dates::steps;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::Seen;
use crate::ui;

/// Print a checklist of stages and tenants, ticked as far as the run is
#[derive(Debug, clap::Args)]
pub(crate) struct ChecklistArgs {
    #[command(flatten)]
    seen: Seen,
}

/// Print what somebody needs who takes over now: state, open decisions, deadlines, what is in doubt, contacts
#[derive(Debug, clap::Args)]
pub(crate) struct HandoverArgs {
    #[command(flatten)]
    seen: Seen,
}

/// Print what an approver must know before: what moves, for whom, how it is proved, how long it takes, how it is undone
#[derive(Debug, clap::Args)]
pub(crate) struct BriefArgs {
    #[command(flatten)]
    seen: Seen,
}

/// Print a draft that thanks, with the run's figures and without names of tenants
#[derive(Debug, clap::Args)]
pub(crate) struct AnnounceArgs {
    #[command(flatten)]
    seen: Seen,
}

fn give(global: &Global, title: &str, sections: &[Section]) -> Result<Exit, CliError> {
    if global.json {
        ui::json(&serde_json::json!({ "title": title, "sections": sections }))?;
    } else {
        ui::line(markdown(title, sections))?;
    }
    Ok(Exit::Done)
}

fn tick(done: bool, text: &str) -> String {
    format!("- [{}] {text}", if done { "x" } else { " " })
}

pub(crate) async fn checklist(global: &Global, args: ChecklistArgs) -> Result<Exit, CliError> {
    let paper = Paper::read(global, &args.seen).await?;
    let standing = paper.standing.as_ref();
    let stages = paper.dates.plan.stages.stages.iter().map(|stage| {
        let state = standing.map_or(StageState::Pending, |standing| standing.stage(&stage.name).state);
        let owner = stage.owner.as_deref().map(|owner| format!(", {owner}")).unwrap_or_default();
        tick(state.is_done(), &format!("{} ({state}{owner})", stage.name))
    });
    let roster = paper.dates.calendar.roster();
    let mut sections = vec![Section::new("Stages").line(stages.collect::<Vec<_>>().join("\n"))];
    for (wave, tenants) in &roster.waves {
        let lines = tenants.iter().map(|tenant| {
            let state = standing.map(|standing| standing.tenant(&tenant.key));
            let done = state == Some(haulier_core::stage::TenantState::Accepted);
            let says = state.map_or_else(|| "pending".to_owned(), |state| state.to_string());
            tick(done, &format!("{} ({}): {says}", tenant.name, tenant.key))
        });
        sections
            .push(Section::new(&format!("Wave {}", wave.name)).line(lines.collect::<Vec<_>>().join("\n")));
    }
    let excluded =
        roster.excluded.iter().map(|(tenant, why)| format!("- {} ({}): {why}", tenant.name, tenant.key));
    let excluded = excluded.collect::<Vec<_>>().join("\n");
    if !excluded.is_empty() {
        sections.push(Section::new("Excluded").line(excluded));
    }
    give(global, &format!("Checklist of {}", paper.dates.plan.name), &sections)
}

pub(crate) async fn handover(global: &Global, args: HandoverArgs) -> Result<Exit, CliError> {
    let paper = Paper::read(global, &args.seen).await?;
    let dates = &paper.dates;
    let mut now = Section::new("Where it stands").line(format!("The run is {}.", paper.state()));
    if let (Some(run), Some(tally)) = (&paper.run, &paper.tally) {
        let total = tally.total();
        now = now.line(format!(
            "Run {}: {} of {} records landed, {} dead, {} held, {} open.",
            run.id,
            ui::grouped(total.of(RecordState::Landed)),
            ui::grouped(total.planned),
            ui::grouped(total.of(RecordState::Dead)),
            ui::grouped(total.of(RecordState::Held)),
            ui::grouped(total.open()),
        ));
    }
    let live = paper.stages.iter().filter(|timing| timing.ended.is_none());
    now = now.lines(live.map(|timing| {
        format!("Stage {} goes on, {} of work so far.", timing.stage, lead::say(timing.active))
    }));
    let mut open = Vec::new();
    if let Some(standing) = &paper.standing {
        for (gate, at) in standing
            .gates
            .iter()
            .filter(|(_, gate)| !matches!(gate.state, GateState::Passed | GateState::Closed))
        {
            open.push(vec![
                format!("gate before {gate}"),
                at.state.to_string(),
                format!("haulier gate show {gate}"),
            ]);
        }
        open.extend(
            standing
                .reasons
                .iter()
                .map(|why| vec!["the run is paused".to_owned(), why.clone(), "haulier resume".to_owned()]),
        );
    }
    for post in paper
        .posts
        .iter()
        .filter(|post| matches!(post.state, PostState::Doubtful | PostState::Relayed | PostState::Failed))
    {
        open.push(vec![
            format!("notice {}: {}", post.id, post.what.title),
            post.state.as_str().to_owned(),
            format!("haulier notices ack {} --sent|--again|--drop", post.id),
        ]);
    }
    if !paper.dead.is_empty() {
        let count: u64 = paper.dead.values().sum();
        open.push(vec![
            format!("{} dead or held records", ui::grouped(count)),
            String::new(),
            "haulier dead list".to_owned(),
        ]);
    }
    let open = Section::new("What waits for a person").table(&["what", "state", "with"], open, "Nothing.");
    let ahead: Vec<Vec<String>> = steps(dates, None)?
        .map(|(_, steps)| steps)
        .unwrap_or_default()
        .into_iter()
        .filter(|step| step.at > dates.now)
        .map(|step| vec![dates.say(step.at, None), step.what])
        .collect();
    let ahead = Section::new("What comes").table(&["when", "what"], ahead, "No date is known.");
    let changed = dates.changes.iter().rev().take(10);
    let changed = changed.map(|change| {
        vec![
            crate::command::status::stamp(change.at),
            change.by.clone(),
            change.what.say(),
            change.reason.clone(),
        ]
    });
    let changed = Section::new("Changed last").table(&["when", "who", "what", "why"], changed, "Nothing.");
    let people =
        dates.plan.stages.people.iter().map(|person| vec![person.name.clone(), person.roles.join(", ")]);
    let mut people = Section::new("People").table(&["who", "roles"], people, "The plan names nobody.");
    if let Some(support) = &dates.plan.notices.support {
        people = people.line(format!("Support: {support}"));
    }
    give(global, &format!("Handover of {}", dates.plan.name), &[now, open, ahead, changed, people])
}

pub(crate) async fn brief(global: &Global, args: BriefArgs) -> Result<Exit, CliError> {
    let paper = Paper::read(global, &args.seen).await?;
    let dates = &paper.dates;
    let plan = &dates.plan;
    let entities = plan.entities.iter().map(|entity| {
        let proof = entity.extract.as_ref().map_or_else(
            || "counts only".to_owned(),
            |extract| {
                let columns: Vec<&str> = extract.columns.iter().map(|column| column.name.as_str()).collect();
                columns.join(", ")
            },
        );
        vec![entity.name.to_string(), proof]
    });
    let what = Section::new("What moves, and how it is proved").table(
        &["entity", "agreed columns"],
        entities,
        "Nothing.",
    );
    let roster = dates.calendar.roster();
    let waves = roster.waves.iter().map(|(wave, tenants)| {
        let date = tenants
            .iter()
            .filter_map(|tenant| dates.calendar.wave_date(wave, Some(tenant)))
            .map(|opening| opening.span.start)
            .min();
        vec![
            wave.name.clone(),
            whom_it_takes(wave, tenants.len()),
            date.map_or_else(|| "not set".to_owned(), |at| dates.say(at, None)),
            wave.max_failed.map_or_else(
                || "the stage's budget of dead records".to_owned(),
                |most| format!("{} failed at most", most.of(tenants.len())),
            ),
        ]
    });
    let whom = Section::new("For whom, and when").table(
        &["wave", "tenants", "first date", "holds after"],
        waves,
        "For all at once.",
    );
    let whom = whom.line(format!("{} tenants are excluded, each with a reason.", roster.excluded.len()));
    let stages = plan.stages.stages.iter().map(|stage| {
        let takes = planned(&paper, stage.name.as_str()).map_or_else(|| "not known".to_owned(), lead::say);
        let back = if stage.point_of_no_return { "no way back after it" } else { "" };
        vec![stage.name.to_string(), takes, back.to_owned()]
    });
    let long = Section::new("How long").table(&["stage", "takes", ""], stages, "The plan names no stages.");
    let impact = plan.notices.impact.map_or("it does not say what people will notice", |impact| impact.say());
    let long = long.line(format!("Meanwhile {impact}."));
    let durations = &dates.calendar.durations;
    let known =
        |duration: Option<std::time::Duration>| duration.map_or_else(|| "not known".to_owned(), lead::say);
    let back = Section::new("How it is undone").line(format!(
        "A snapshot takes {}, putting it back {}, the smoke test after that {}.",
        known(durations.snapshot),
        known(durations.restore),
        known(durations.smoke)
    ));
    give(global, &format!("Brief on {}", plan.name), &[what, whom, long, back])
}

pub(crate) async fn announce(global: &Global, args: AnnounceArgs) -> Result<Exit, CliError> {
    let paper = Paper::read(global, &args.seen).await?;
    let (Some(run), Some(tally)) = (&paper.run, &paper.tally) else {
        return Err(CliError::new(Exit::No, "there has been no run yet, so there is nothing to announce"));
    };
    if run.finished_at.is_none() {
        return Err(CliError::new(Exit::No, "the run is not finished, so there is nothing to announce yet"));
    }
    let total = tally.total();
    let roster = paper.dates.calendar.roster();
    let tenants: usize = roster.waves.iter().map(|(_, tenants)| tenants.len()).sum();
    let active: std::time::Duration = paper.stages.iter().map(|timing| timing.active).sum();
    let mut section = Section::new("It is done").line(format!(
        "{} has moved. Thank you to everybody who planned, tested, decided and waited.",
        paper.dates.plan.name
    ));
    let mut figures = vec![format!("- {} records moved", ui::grouped(total.of(RecordState::Landed)))];
    if tenants > 0 {
        figures.push(format!("- {tenants} tenants in {} waves", roster.waves.len()));
    }
    if !active.is_zero() {
        figures.push(format!("- {} of work", lead::say(active)));
    }
    figures.push(format!(
        "- {} records left for a person to look at",
        ui::grouped(total.of(RecordState::Dead) + total.of(RecordState::Held))
    ));
    section = section.line(figures.join("\n"));
    if let Some(benefit) = &paper.dates.plan.notices.benefit {
        section = section.line(benefit.clone());
    }
    if let Some(support) = &paper.dates.plan.notices.support {
        section = section.line(format!("Questions: {support}"));
    }
    give(global, &paper.dates.plan.name.clone(), &[section])
}

/// How many tenants a wave takes, as far as the plan can know: those that it does not name come out of the source.
fn whom_it_takes(wave: &Wave, named: usize) -> String {
    match (&wave.tenants, named) {
        (Selector::All | Selector::Rest, 0) => "all that are left".to_owned(),
        (Selector::All | Selector::Rest, named) => format!("{named}, and those that the plan does not name"),
        (_, named) => named.to_string(),
    }
}
