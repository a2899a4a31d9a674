//! `haulier waves propose` and `explain`: who should go first, and why.

use haulier_core::calendar::{Calendar, Proposal, Score, Tenant, Wave, Window, score};
use serde_json::json;

use super::begins;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::Dates;
use crate::ui;

pub(super) fn proposed(
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

pub(super) fn explain(
    global: &Global,
    dates: &Dates,
    keys: &[String],
    window: Option<&str>,
) -> Result<Exit, CliError> {
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
