//! `haulier report`: what a run came to, against what was planned.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use haulier_core::RecordState;
use haulier_core::calendar::{Deadlines, lead};
use haulier_core::stage::{Fact, StageTiming};

use super::gather::Paper;
use super::sections::{Section, markdown};
use super::{chart, load, page};
use crate::args::Global;
use crate::command::status::stamp;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::Seen;
use crate::ui;

/// Write what the latest run came to: planned and actual, tenants, data, load, decisions, dates, notices, timings
///
/// Markdown on stdout; `--json` for programs, `--html FILE` for one page that needs nothing else.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    seen: Seen,
    /// Write the page to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    let paper = Paper::read(global, &args.seen).await?;
    let title = format!("Report on {}", paper.dates.plan.name);
    let sections = sections(&paper);
    if let Some(file) = &args.html {
        std::fs::write(file, page::html(&title, &sections)).map_err(|error| {
            CliError::new(Exit::No, format!("{} cannot be written: {error}", file.display()))
        })?;
        ui::note(format!("written to {}", file.display()));
        return Ok(Exit::Done);
    }
    if global.json {
        ui::json(&serde_json::json!({ "title": title, "sections": sections }))?;
    } else {
        ui::line(markdown(&title, &sections))?;
    }
    Ok(Exit::Done)
}

fn sections(paper: &Paper) -> Vec<Section> {
    vec![
        outcome(paper),
        sheet(paper),
        tenants(paper),
        data(paper),
        dead(paper),
        load::section(paper),
        decisions(paper),
        changes(paper),
        windows(paper),
        notices(paper),
        fallback(paper),
    ]
}

fn outcome(paper: &Paper) -> Section {
    let plan = &paper.dates.plan;
    let mut section = Section::new("Outcome").line(format!("The run is {}.", paper.state()));
    section = section.line(format!("Plan {}, digest {}.", plan.name, &plan.digest[..12]));
    if let Some(run) = &paper.run {
        let ended =
            run.finished_at.map_or_else(|| "it goes on".to_owned(), |at| format!("finished {}", stamp(at)));
        section = section.line(format!("Run {}, started {}; {ended}.", run.id, stamp(run.started_at)));
    }
    if let Some(standing) = &paper.standing {
        let kind = standing.kind.map_or("", |kind| kind.as_str());
        let by = standing.started_by.as_deref().unwrap_or("nobody that is known");
        section = section
            .line(format!("A {kind} run, revision {} of the plan, started by {by}.", standing.revision));
    }
    section
}

/// How long a stage was planned to take: by its rehearsals, else by what the plan expects of it.
pub(super) fn planned(paper: &Paper, stage: &str) -> Option<Duration> {
    let expected = paper.dates.plan.stages.stages.iter().find(|known| known.name.as_str() == stage);
    paper.dates.calendar.durations.stage(stage).or_else(|| expected?.expect)
}

fn sheet(paper: &Paper) -> Section {
    let row = |timing: &StageTiming| {
        let planned = planned(paper, timing.stage.as_str());
        let delta = planned.map(|planned| match timing.active.checked_sub(planned) {
            Some(over) => format!("+{}", lead::say(over)),
            None => format!("-{}", lead::say(planned.saturating_sub(timing.active))),
        });
        vec![
            timing.stage.to_string(),
            planned.map(lead::say).unwrap_or_default(),
            lead::say(timing.active),
            delta.unwrap_or_default(),
            lead::say(timing.waiting),
            lead::say(timing.paused),
            stamp(timing.began),
            timing.ended.map_or_else(|| "goes on".to_owned(), stamp),
            if timing.succeeded { "succeeded" } else { "" }.to_owned(),
        ]
    };
    let head = ["stage", "planned", "active", "delta", "waiting", "paused", "began", "ended", ""];
    let mut section = Section::new("Planned and actual").table(
        &head,
        paper.stages.iter().map(row),
        "No stage was entered.",
    );
    let steps: Vec<_> = paper
        .stages
        .iter()
        .map(|timing| {
            let told = |length: Duration| (length.as_secs_f64(), lead::say(length));
            let planned = planned(paper, timing.stage.as_str()).map(told);
            chart::Length { name: timing.stage.to_string(), planned, actual: told(timing.active) }
        })
        .collect();
    section.picture = (!steps.is_empty()).then(|| chart::lengths(&steps));
    section
}

fn tenants(paper: &Paper) -> Section {
    let calendar = &paper.dates.calendar;
    let roster = calendar.roster();
    let state = |key: &str| {
        let standing = paper.standing.as_ref()?;
        let found = standing.tenants.iter().find(|(known, _)| known.as_str() == key)?;
        Some(found.1.to_string())
    };
    let mut rows = Vec::new();
    for (wave, tenants) in &roster.waves {
        for tenant in tenants {
            let mut says = state(tenant.key.as_str()).unwrap_or_default();
            if let Some(until) = calendar.deferred_until(tenant) {
                says = format!("{says} deferred until {until}").trim().to_owned();
            }
            rows.push(vec![wave.name.clone(), tenant.key.to_string(), tenant.name.clone(), says]);
        }
    }
    // The others are known by the source alone, and may be very many.
    let named: BTreeSet<&str> = calendar.tenants.iter().map(|tenant| tenant.key.as_str()).collect();
    let mut others = BTreeMap::<String, u64>::new();
    for (key, state) in paper.standing.iter().flat_map(|standing| &standing.tenants) {
        if !named.contains(key.as_str()) {
            *others.entry(state.to_string()).or_default() += 1;
        }
    }
    for (state, count) in others {
        rows.push(vec![String::new(), format!("{} others", ui::grouped(count)), String::new(), state]);
    }
    for (tenant, why) in &roster.excluded {
        let says = format!("excluded: {why}");
        rows.push(vec![String::new(), tenant.key.to_string(), tenant.name.clone(), says]);
    }
    Section::new("Tenants").table(
        &["wave", "tenant", "name", "state"],
        rows,
        "None has moved, and the plan knows none by name.",
    )
}

fn data(paper: &Paper) -> Section {
    let states = [RecordState::Landed, RecordState::Skipped, RecordState::Dead, RecordState::Held];
    let entities = paper.tally.iter().flat_map(|tally| &tally.entities);
    let rows = entities.map(|(entity, tally)| {
        let mut row = vec![entity.to_string(), ui::grouped(tally.planned)];
        row.extend(states.map(|state| ui::grouped(tally.of(state))));
        row.push(ui::grouped(tally.open()));
        row
    });
    let section = Section::new("Data").table(
        &["entity", "planned", "landed", "skipped", "dead", "held", "open"],
        rows,
        "Nothing was moved.",
    );
    match paper.tally.as_ref().map(|tally| tally.check_conserved().is_ok()) {
        Some(true) => section.line("Planned = landed + skipped + dead + held + open, for every entity."),
        Some(false) => section.line("The counts do NOT add up."),
        None => section,
    }
}

fn dead(paper: &Paper) -> Section {
    let rows = paper.dead.iter().map(|((state, entity, kind), count)| {
        vec![state.clone(), entity.clone(), kind.clone(), ui::grouped(*count)]
    });
    Section::new("Dead letters by cause").table(
        &["state", "entity", "kind", "records"],
        rows,
        "There is none.",
    )
}

fn decisions(paper: &Paper) -> Section {
    let rows = paper.entries.iter().filter_map(|entry| {
        let Fact::Decision(gate, decision) = &entry.fact else { return None };
        let how = if decision.overrides { "override: against the checks" } else { "" };
        Some(vec![
            stamp(entry.at),
            gate.to_string(),
            decision.verb.as_str().to_owned(),
            decision.person.clone(),
            entry.note.clone().unwrap_or_default(),
            how.to_owned(),
        ])
    });
    Section::new("Decisions").table(
        &["when", "gate", "what", "who", "why", ""],
        rows,
        "Nobody decided anything.",
    )
}

fn changes(paper: &Paper) -> Section {
    let rows =
        paper.dates.changes.iter().map(|change| {
            vec![stamp(change.at), change.by.clone(), change.what.say(), change.reason.clone()]
        });
    Section::new("Changes of dates and waves").table(
        &["when", "who", "what", "why"],
        rows,
        "Nobody changed any.",
    )
}

fn windows(paper: &Paper) -> Section {
    let calendar = &paper.dates.calendar;
    let rows = calendar.windows.iter().filter_map(|window| {
        let opening = calendar.window_date(window)?;
        Some(vec![
            window.name.clone(),
            paper.dates.say(opening.span.start, None),
            paper.dates.say(opening.span.end, None),
            lead::say(opening.planned.length()),
            lead::say(opening.extended),
        ])
    });
    Section::new("Windows").table(
        &["window", "from", "to", "announced", "extended by"],
        rows,
        "None has one date.",
    )
}

fn notices(paper: &Paper) -> Section {
    let rows = paper.posts.iter().map(|post| {
        vec![
            stamp(post.since),
            post.state.as_str().to_owned(),
            post.what.audience.clone(),
            post.what.channel.clone(),
            post.what.title.clone(),
            post.said.clone().unwrap_or_default(),
        ]
    });
    Section::new("Notices").table(
        &["when", "state", "audience", "channel", "title", "said"],
        rows,
        "Nobody was told.",
    )
}

fn fallback(paper: &Paper) -> Section {
    let calendar = &paper.dates.calendar;
    let deadlines = calendar.windows.iter().filter_map(|window| {
        let opening = calendar.window_date(window)?;
        let deadlines = Deadlines::of(&opening, window, &calendar.durations, None);
        let last = deadlines.last_safe_rollback?;
        Some(vec![
            window.name.clone(),
            paper.dates.say(last, None),
            paper.dates.say(deadlines.decision_point, None),
        ])
    });
    let hooks = paper.hooks.iter().map(|(hook, seen)| {
        let each: Vec<String> = seen.iter().map(|took| lead::say(*took)).collect();
        format!("Hook {hook} took {}.", each.join(", "))
    });
    Section::new("Going back").lines(hooks).table(
        &["window", "last safe rollback", "decision point"],
        deadlines,
        "No window has one date and a known restore.",
    )
}
