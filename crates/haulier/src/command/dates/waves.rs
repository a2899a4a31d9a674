//! `haulier waves`: who goes when, and why.

use haulier_core::calendar::{
    Amendment, Calendar, Proposal, Score, Tenant, Wave, Window, lead, propose, score,
};
use serde_json::json;

use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::{Dates, Seen, Why, unknown};
use crate::ui;

/// Show who goes when, propose waves, and move tenants between them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List waves with their tenants, and who is excluded or deferred
    List {
        #[command(flatten)]
        seen: Seen,
    },
    /// Propose waves for the tenants that no wave names by key: the best first, each wave larger than the one before
    Propose {
        #[command(flatten)]
        seen: Seen,
        /// How many
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=20))]
        waves: u8,
        /// The window in which they would run
        #[arg(long, value_name = "NAME")]
        window: Option<String>,
        /// Print `[[wave]]` tables for the plan
        #[arg(long)]
        toml: bool,
    },
    /// Show every term of a tenant's score; several tenants side by side
    Explain {
        #[command(flatten)]
        seen: Seen,
        /// Their keys
        #[arg(required = true)]
        tenants: Vec<String>,
        /// The window in which they would run; that of their wave where none is named
        #[arg(long, value_name = "NAME")]
        window: Option<String>,
    },
    /// Move a tenant to another wave
    Move {
        #[command(flatten)]
        seen: Seen,
        /// Its key
        tenant: String,
        /// The wave
        #[arg(long, value_name = "WAVE")]
        to: String,
        #[command(flatten)]
        why: Why,
    },
    /// Set a wave's first day, from which on its date is the first opening
    Date {
        #[command(flatten)]
        seen: Seen,
        /// The wave
        wave: String,
        /// The day, in the schedule's zone: `2026-05-11`
        day: jiff::civil::Date,
        #[command(flatten)]
        why: Why,
    },
    /// Leave a tenant out
    Exclude {
        #[command(flatten)]
        seen: Seen,
        /// Its key
        tenant: String,
        #[command(flatten)]
        why: Why,
    },
    /// Take a tenant in again that was excluded or deferred
    Include {
        #[command(flatten)]
        seen: Seen,
        /// Its key
        tenant: String,
        #[command(flatten)]
        why: Why,
    },
    /// Let a tenant not begin before a time
    Defer {
        #[command(flatten)]
        seen: Seen,
        /// Its key
        tenant: String,
        /// The time: `2026-07-10T07:00` in the schedule's zone, or with `Z`
        #[arg(long, value_name = "TIME")]
        until: String,
        #[command(flatten)]
        why: Why,
    },
}

pub(crate) async fn run(global: &Global, args: Args) -> Result<Exit, CliError> {
    match args.what {
        What::List { seen } => list(global, &Dates::read(global, &seen).await?),
        What::Propose { seen, waves, window, toml } => {
            let dates = Dates::read(global, &seen).await?;
            let window = window.as_deref().map(|name| dates.window(name)).transpose()?;
            let proposal = propose(&dates.calendar, usize::from(waves), window, dates.now);
            proposed(global, &dates, &proposal, window, toml)
        }
        What::Explain { seen, tenants, window } => {
            let dates = Dates::read(global, &seen).await?;
            explain(global, &dates, &tenants, window.as_deref())
        }
        What::Move { seen, tenant, to, why } => {
            let dates = Dates::write(global, &seen).await?;
            let tenant = key(&dates, &tenant)?;
            let names: Vec<&str> = dates.calendar.waves.iter().map(|wave| wave.name.as_str()).collect();
            if !names.contains(&to.as_str()) {
                return Err(unknown("wave", &to, names.into_iter()));
            }
            changed(global, dates, Amendment::Move { tenant, wave: to }, &why).await
        }
        What::Date { seen, wave, day, why } => {
            let dates = Dates::write(global, &seen).await?;
            changed(global, dates, Amendment::Date { wave, day }, &why).await
        }
        What::Exclude { seen, tenant, why } => {
            let dates = Dates::write(global, &seen).await?;
            let tenant = key(&dates, &tenant)?;
            changed(global, dates, Amendment::Exclude { tenant }, &why).await
        }
        What::Include { seen, tenant, why } => {
            let dates = Dates::write(global, &seen).await?;
            let tenant = key(&dates, &tenant)?;
            changed(global, dates, Amendment::Include { tenant }, &why).await
        }
        What::Defer { seen, tenant, until, why } => {
            let dates = Dates::write(global, &seen).await?;
            let (tenant, until) = (key(&dates, &tenant)?, super::windows::time(&dates, &until)?);
            changed(global, dates, Amendment::Defer { tenant, until }, &why).await
        }
    }
}

fn key(dates: &Dates, text: &str) -> Result<String, CliError> {
    dates.tenant(text).map(|tenant| tenant.key.as_str().to_owned())
}

async fn changed(global: &Global, dates: Dates, what: Amendment, why: &Why) -> Result<Exit, CliError> {
    let (_, change) = dates.change(what, why).await?;
    super::told(global, &change, why.is_dry())?;
    Ok(Exit::Done)
}

/// When a tenant of a wave may begin next, in words.
fn begins(dates: &Dates, wave: &Wave, tenant: &Tenant) -> String {
    dates.verdict(&dates.calendar.may_begin(wave, tenant, dates.now), Some(tenant))
}

fn list(global: &Global, dates: &Dates) -> Result<Exit, CliError> {
    let roster = dates.calendar.roster();
    let put_off = |tenant: &Tenant| {
        dates.calendar.deferred.iter().find(|(key, _)| key == tenant.key.as_str()).map(|(_, until)| *until)
    };
    if global.json {
        for (wave, tenants) in &roster.waves {
            let tenants: Vec<_> = tenants
                .iter()
                .map(|tenant| {
                    let verdict = dates.calendar.may_begin(wave, tenant, dates.now);
                    json!({
                        "tenant": tenant.key.as_str(), "name": tenant.name,
                        "zone": tenant.zone.as_ref().map(haulier_core::calendar::Zone::name),
                        "may_begin": verdict.is_open(), "next": verdict.next().map(|next| next.to_string()),
                        "deferred_until": put_off(tenant).map(|until| until.to_string()),
                    })
                })
                .collect();
            ui::json(&json!({
                "wave": wave.name, "windows": wave.windows, "parallel": wave.parallel, "soak_seconds": wave.soak.as_secs(),
                "max_failed": wave.max_failed.of(tenants.len()), "tenants": tenants,
            }))?;
        }
        let excluded: Vec<_> = roster
            .excluded
            .iter()
            .map(|(tenant, why)| json!({ "tenant": tenant.key.as_str(), "reason": why }))
            .collect();
        ui::json(&json!({ "excluded": excluded, "in_no_wave": names(&roster.left) }))?;
        return Ok(Exit::Done);
    }
    let mut rows = Vec::new();
    for (wave, tenants) in &roster.waves {
        for tenant in tenants {
            let mut says = begins(dates, wave, tenant);
            if let Some(until) = put_off(tenant).filter(|until| *until > dates.now) {
                says = format!("deferred until {}; {says}", dates.say(until, Some(tenant)));
            }
            rows.push(vec![wave.name.clone(), tenant.key.to_string(), tenant.name.clone(), says]);
        }
    }
    for (tenant, why) in &roster.excluded {
        rows.push(vec![
            String::new(),
            tenant.key.to_string(),
            tenant.name.clone(),
            format!("excluded: {why}"),
        ]);
    }
    for tenant in &roster.left {
        rows.push(vec![String::new(), tenant.key.to_string(), tenant.name.clone(), "in no wave".to_owned()]);
    }
    ui::line(ui::table(&["wave", "tenant", "name", "may begin"], rows))?;
    for (wave, tenants) in &roster.waves {
        let windows = if wave.windows.is_empty() { "any time".to_owned() } else { wave.windows.join(", ") };
        ui::line(format!(
            "wave {}: {} tenants, {} at a time, in {windows}; holds after more than {} failed; watched for {}",
            wave.name,
            tenants.len(),
            wave.parallel,
            wave.max_failed.of(tenants.len()),
            lead::say(wave.soak)
        ))?;
    }
    Ok(Exit::Done)
}

fn names(tenants: &[&Tenant]) -> Vec<String> {
    tenants.iter().map(|tenant| tenant.key.to_string()).collect()
}

fn proposed(
    global: &Global,
    dates: &Dates,
    proposal: &Proposal,
    window: Option<&Window>,
    toml: bool,
) -> Result<Exit, CliError> {
    if proposal.waves.iter().all(Vec::is_empty) {
        return Err(CliError::new(Exit::No, "there is no tenant to propose a wave for")
            .hint("`[tenants.KEY]` in the plan says what is known of a tenant"));
    }
    if toml {
        for (number, wave) in (1..).zip(&proposal.waves) {
            let keys: Vec<String> = wave.iter().map(|score| format!("{:?}", score.tenant)).collect();
            let windows = window.map(|window| format!("windows = [{:?}]\n", window.name)).unwrap_or_default();
            ui::line(format!("[[wave]]\nname = \"w{number}\"\ntenants = [{}]\n{windows}", keys.join(", ")))?;
        }
        return Ok(Exit::Done);
    }
    if global.json {
        for (number, (wave, covered)) in (1..).zip(proposal.waves.iter().zip(&proposal.covered)) {
            let scores: Vec<_> = wave.iter().map(told).collect();
            let known = (number == 1).then_some(&proposal.missing_first);
            ui::json(&json!({
                "wave": format!("w{number}"), "tenants": scores, "covers": covered, "values": proposal.values,
                "missing": known,
            }))?;
        }
        return Ok(Exit::Done);
    }
    let mut rows = Vec::new();
    for (number, wave) in (1..).zip(&proposal.waves) {
        for score in wave {
            let name =
                dates.calendar.tenant(&score.tenant).map(|tenant| tenant.name.clone()).unwrap_or_default();
            let best = score
                .terms
                .iter()
                .max_by(|one, other| (one.points * one.weight).total_cmp(&(other.points * other.weight)));
            let why = best.map(|term| format!("{}: {}", term.name, term.why)).unwrap_or_default();
            rows.push(vec![
                format!("w{number}"),
                score.tenant.clone(),
                name,
                format!("{:.2}", score.total()),
                why,
            ]);
        }
    }
    ui::line(ui::table(&["wave", "tenant", "name", "score", "above all"], rows))?;
    for (number, covered) in (1..).zip(&proposal.covered) {
        let missing = match (number, proposal.missing_first.is_empty()) {
            (1, false) => format!("; without {}", proposal.missing_first.join(", ")),
            _ => String::new(),
        };
        ui::line(format!(
            "after w{number}: {covered} of {} configuration values met{missing}",
            proposal.values
        ))?;
    }
    if !(2..=4).contains(&proposal.waves.len()) {
        ui::note("note: two to four waves show trouble early without taking for ever");
    }
    ui::line("`haulier waves explain TENANT` shows every term, `--toml` prints tables for the plan")?;
    Ok(Exit::Done)
}

fn told(score: &Score) -> serde_json::Value {
    let terms: Vec<_> = score
        .terms
        .iter()
        .map(|term| json!({ "term": term.name, "points": term.points, "weight": term.weight, "why": term.why }))
        .collect();
    json!({ "tenant": score.tenant, "score": score.total(), "terms": terms })
}

fn explain(global: &Global, dates: &Dates, keys: &[String], window: Option<&str>) -> Result<Exit, CliError> {
    let named = window.map(|name| dates.window(name)).transpose()?;
    let roster = dates.calendar.roster();
    for key in keys {
        let tenant = dates.tenant(key)?;
        let wave = roster.wave_of(tenant.key.as_str());
        let own = wave.and_then(|wave| dates.calendar.windows_of(wave).first().copied());
        let before = covered_before(&dates.calendar, wave, tenant);
        let score = score(&dates.calendar, tenant, named.or(own), dates.now, &before);
        if global.json {
            let mut shown = told(&score);
            shown["wave"] = json!(wave.map(|wave| wave.name.as_str()));
            shown["excluded"] = json!(tenant.excluded);
            ui::json(&shown)?;
            continue;
        }
        let place = match (wave, &tenant.excluded) {
            (_, Some(why)) => format!("excluded: {why}"),
            (Some(wave), None) => format!("wave {}; {}", wave.name, begins(dates, wave, tenant)),
            (None, None) => "in no wave".to_owned(),
        };
        ui::line(format!("{} ({}): {place}", tenant.name, tenant.key))?;
        let terms = score.terms.iter().map(|term| {
            vec![
                term.name.to_owned(),
                format!("{:.2}", term.points),
                format!("{:.0}", term.weight),
                format!("{:.2}", term.points * term.weight),
                term.why.clone(),
            ]
        });
        let whole = vec![
            "all".to_owned(),
            String::new(),
            "10".to_owned(),
            format!("{:.2}", score.total()),
            String::new(),
        ];
        ui::line(ui::table(&["term", "points", "weight", "counts", "why"], terms.chain([whole])))?;
        for change in dates
            .changes
            .iter()
            .filter(|change| change.what.words().1.first().is_some_and(|k| k == tenant.key.as_str()))
        {
            ui::line(format!(
                "change {}: {}, by {}: {}",
                change.version,
                change.what.say(),
                change.by,
                change.reason
            ))?;
        }
    }
    Ok(Exit::Done)
}

/// The configuration values that tenants of earlier waves show.
fn covered_before<'c>(
    calendar: &'c Calendar,
    wave: Option<&Wave>,
    tenant: &Tenant,
) -> std::collections::BTreeSet<&'c str> {
    let roster = calendar.roster();
    let mut covered = std::collections::BTreeSet::new();
    for (earlier, tenants) in &roster.waves {
        if wave.is_some_and(|wave| wave.name == earlier.name) {
            break;
        }
        let others = tenants.iter().filter(|other| other.key != tenant.key);
        covered.extend(others.flat_map(|other| other.configuration()));
    }
    covered
}
