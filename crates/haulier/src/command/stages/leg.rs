//! Carries one leg of a run: produces and works in this process until the leg is drained.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::TenantKey;
use haulier_core::control::Knob;
use haulier_producer::{Choice, Ending, Leg};
use haulier_stages::{Carried, Carry, Whose};
use tokio_util::sync::CancellationToken;

use super::crew::Crew;
use crate::command::helm::{self, Helm};
use crate::command::live::Brief;
use crate::command::tuning;
use crate::error::CliError;
use crate::process;
use crate::site::Role;
use crate::ui::{self, Watch};

fn choice(whose: Whose) -> Choice {
    let set =
        |tenants: Vec<TenantKey>| -> Arc<HashSet<TenantKey>> { Arc::new(tenants.into_iter().collect()) };
    match whose {
        Whose::Only(tenants) => Choice::Only(set(tenants)),
        Whose::AllBut(tenants) if tenants.is_empty() => Choice::All,
        Whose::AllBut(tenants) => Choice::AllBut(set(tenants)),
    }
}

/// Carries it, beside any other worker of the run.
pub(super) async fn carry(crew: &Crew, carry: Carry, halt: &CancellationToken) -> Result<Carried, CliError> {
    let (at, run) = (&*crew.at, &crew.run);
    let expected = tuning::check_source(at).await?;
    at.refuse_unfit_gauges().await?;
    let target = tuning::checked_target(at).await?;
    at.queue(Role::Both).await?;
    let start: Vec<(Knob, f64)> = carry.start.iter().map(|start| (start.knob, start.value)).collect();
    helm::keep_start_values(at, run, [crew.push.start_values(), start].concat()).await?;
    let stop = halt.child_token();
    let process = process::process_id();
    let rows = expected.iter().map(|(_, rows)| rows).sum();
    let helm = Helm::start(at, run, &process, Role::Both, Some(rows)).await?;
    let (mut producer, progress) = tuning::producer(at, run, &helm, &expected, &stop).await?;
    producer.leg = Some(Leg { number: carry.number, tenants: choice(carry.whose) });
    let work_stop = stop.child_token();
    let (worker, _) = tuning::worker(at, run, target, &helm, &crew.push, &work_stop).await?;
    let (mut watch, mut brief) = (Watch::new(&crew.global, expected), Brief::default());
    let mut working = tokio::spawn(worker.run());
    let mut producing = tokio::spawn(producer.run());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let mut worked = None;
    let produced = loop {
        tokio::select! {
            produced = &mut producing => break produced.map_err(CliError::bug)?,
            ended = &mut working, if worked.is_none() => {
                // The worker ends before the producer only when it failed or was stopped.
                stop.cancel();
                worked = Some(ended.map_err(CliError::bug)?);
            }
            _ = tick.tick() => {
                if let Ok(tally) = at.ledger.tally(&run.id).await {
                    watch.due(at.ledger.next_due(&run.id).await.ok().flatten());
                    let flow = brief.of(at, run, &tally).await;
                    watch.show(&tally, helm.push.in_flight(), flow)?;
                }
            }
        }
    };
    work_stop.cancel();
    let worked = match worked {
        Some(worked) => worked,
        None => working.await.map_err(CliError::bug)?,
    };
    helm.end().await;
    watch.end();
    worked?;
    ui::note(format!("leg {}: {} rows of the source were read", carry.number, ui::grouped(progress.read())));
    match produced? {
        Ending::Drained(_) => Ok(Carried::Drained),
        Ending::Stopped => Ok(Carried::Stopped),
    }
}
