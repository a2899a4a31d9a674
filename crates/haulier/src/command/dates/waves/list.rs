//! `haulier waves list`: waves with their tenants, and who is excluded or deferred.

use haulier_core::calendar::{Tenant, lead};
use serde_json::json;

use super::begins;
use crate::args::Global;
use crate::error::CliError;
use crate::exit::Exit;
use crate::site::dates::Dates;
use crate::ui;

pub(super) fn run(global: &Global, dates: &Dates) -> Result<Exit, CliError> {
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
                "max_failed": wave.max_failed.map(|most| most.of(tenants.len())), "tenants": tenants,
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
        let at_a_time = wave.parallel.map_or_else(|| "all".to_owned(), |most| most.to_string());
        let holds = wave.max_failed.map_or_else(String::new, |most| {
            format!("; holds after more than {} failed", most.of(tenants.len()))
        });
        ui::line(format!(
            "wave {}: {} tenants, {at_a_time} at a time, in {windows}{holds}; watched for {}",
            wave.name,
            tenants.len(),
            lead::say(wave.soak)
        ))?;
    }
    Ok(Exit::Done)
}

fn names(tenants: &[&Tenant]) -> Vec<String> {
    tenants.iter().map(|tenant| tenant.key.to_string()).collect()
}
