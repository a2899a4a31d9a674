//! The commands, one file each.

mod brakes;
mod check;
mod completions;
mod control;
mod dates;
mod dead;
mod demo;
mod diff;
mod drill;
mod empty;
mod extract;
mod graph;
mod helm;
mod idmap;
mod init;
mod live;
mod notices;
mod papers;
mod produce;
mod run;
mod scan;
mod stages;
mod status;
mod summary;
mod tuning;
mod validate;
mod watch;
mod work;

use clap::Subcommand;

use crate::args::Args;
use crate::error::CliError;
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Args),
    Scan(scan::Args),
    Check(check::Args),
    Run(run::Args),
    Smoke(stages::SmokeArgs),
    Stages(stages::StagesArgs),
    Gate(stages::GateArgs),
    Incident(stages::IncidentArgs),
    Stage(stages::StageArgs),
    Finding(stages::FindingArgs),
    Abort(stages::AbortArgs),
    Plan(stages::PlanArgs),
    Drill(drill::Args),
    Produce(produce::Args),
    Work(work::Args),
    Status(status::Args),
    Tune(control::TuneArgs),
    Pause(control::PauseArgs),
    Resume(control::ResumeArgs),
    Drain(control::DrainArgs),
    Ramp(control::RampArgs),
    Explain(control::ExplainArgs),
    Empty(empty::Args),
    Extract(extract::Args),
    Validate(validate::Args),
    Dead(dead::Args),
    Idmap(idmap::Args),
    Windows(dates::WindowsArgs),
    Waves(dates::WavesArgs),
    Calendar(dates::CalendarArgs),
    Tenants(dates::TenantsArgs),
    Countdown(dates::CountdownArgs),
    Timeline(dates::TimelineArgs),
    Notices(notices::Args),
    Eta(papers::EtaArgs),
    Retime(papers::RetimeArgs),
    Report(papers::ReportArgs),
    Checklist(papers::ChecklistArgs),
    Handover(papers::HandoverArgs),
    Brief(papers::BriefArgs),
    Announce(papers::AnnounceArgs),
    Rollback(stages::RollbackArgs),
    Diff(diff::Args),
    Demo(demo::Args),
    Completions(completions::Args),
}

/// Runs the command that was asked for.
pub(crate) async fn run(args: Args) -> Result<Exit, CliError> {
    let Args { global, command } = args;
    match command {
        Command::Init(args) => Box::pin(init::run(&global, args)).await,
        Command::Scan(args) => Box::pin(scan::run(&global, args)).await,
        Command::Check(args) => Box::pin(check::run(&global, args)).await,
        Command::Run(args) => Box::pin(run::run(&global, args)).await,
        Command::Smoke(args) => Box::pin(stages::smoke(&global, args)).await,
        Command::Stages(args) => Box::pin(stages::stages(&global, args)).await,
        Command::Gate(args) => Box::pin(stages::gate(&global, args)).await,
        Command::Incident(args) => Box::pin(stages::incident(&global, args)).await,
        Command::Stage(args) => Box::pin(stages::stage(&global, args)).await,
        Command::Finding(args) => Box::pin(stages::finding(&global, args)).await,
        Command::Abort(args) => Box::pin(stages::abort(&global, args)).await,
        Command::Plan(args) => Box::pin(stages::plan(&global, args)).await,
        Command::Drill(args) => Box::pin(drill::run(&global, args)).await,
        Command::Produce(args) => Box::pin(produce::run(&global, args)).await,
        Command::Work(args) => Box::pin(work::run(&global, args)).await,
        Command::Status(args) => Box::pin(status::run(&global, args)).await,
        Command::Tune(args) => Box::pin(control::tune(&global, args)).await,
        Command::Pause(args) => Box::pin(control::pause(&global, args)).await,
        Command::Resume(args) => Box::pin(control::resume(&global, args)).await,
        Command::Drain(args) => Box::pin(control::drain(&global, args)).await,
        Command::Ramp(args) => Box::pin(control::ramp(&global, args)).await,
        Command::Explain(args) => Box::pin(control::explain(&global, args)).await,
        Command::Empty(args) => Box::pin(empty::run(&global, args)).await,
        Command::Extract(args) => Box::pin(extract::run(&global, args)).await,
        Command::Validate(args) => Box::pin(validate::run(&global, args)).await,
        Command::Dead(args) => Box::pin(dead::run(&global, args)).await,
        Command::Idmap(args) => Box::pin(idmap::run(&global, args)).await,
        Command::Windows(args) => Box::pin(dates::windows(&global, args)).await,
        Command::Waves(args) => Box::pin(dates::waves(&global, args)).await,
        Command::Calendar(args) => Box::pin(dates::calendar(&global, args)).await,
        Command::Tenants(args) => Box::pin(dates::tenants(&global, args)).await,
        Command::Countdown(args) => Box::pin(dates::countdown(&global, args)).await,
        Command::Timeline(args) => Box::pin(dates::timeline(&global, args)).await,
        Command::Eta(args) => Box::pin(papers::eta(&global, args)).await,
        Command::Retime(args) => Box::pin(papers::retime(&global, args)).await,
        Command::Report(args) => Box::pin(papers::report(&global, args)).await,
        Command::Checklist(args) => Box::pin(papers::checklist(&global, args)).await,
        Command::Handover(args) => Box::pin(papers::handover(&global, args)).await,
        Command::Brief(args) => Box::pin(papers::brief(&global, args)).await,
        Command::Announce(args) => Box::pin(papers::announce(&global, args)).await,
        Command::Notices(args) => Box::pin(notices::run(&global, args)).await,
        Command::Rollback(args) => Box::pin(stages::rollback(&global, args)).await,
        Command::Diff(args) => Box::pin(diff::run(&global, args)).await,
        Command::Demo(args) => Box::pin(demo::run(&global, args)).await,
        Command::Completions(args) => completions::run(&args),
    }
}
