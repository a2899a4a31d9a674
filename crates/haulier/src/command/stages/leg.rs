//! Carries one leg of a run: produces and works in this process until the leg is drained.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::control::Knob;
use haulier_core::port::{Queue, Run};
use haulier_core::{RecordState, TenantKey};
use haulier_producer::{Choice, Ending, Leg};
use haulier_stages::{Carried, Carry, Halt, Whose};

use super::crew::Crew;
use crate::command::helm::{self, Giver, Helm};
use crate::command::live::Brief;
use crate::command::tuning;
use crate::error::CliError;
use crate::process;
use crate::site::{Neighbours, Role};
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

/// A queue is empty when so many looks, half a second apart, found nothing.
const QUIET_LOOKS: u32 = 4;

/// Whether nothing waits in the queue, and nobody has anything in hand. A queue that gives no answer is not.
async fn is_quiet(at: &Neighbours, run: &Run, queue: &dyn Queue) -> bool {
    let ready = queue.ready().await.is_ok_and(|ready| ready == 0);
    let sending = at.ledger.tally(&run.id).await.map(|tally| tally.total().of(RecordState::Sending));
    ready && sending.is_ok_and(|sending| sending == 0)
}

/// Carries it, beside any other worker of the run.
pub(super) async fn carry(crew: &Crew, carry: Carry, halt: &Halt) -> Result<Carried, CliError> {
    let (at, run) = (&*crew.at, &crew.run);
    let expected = tuning::check_source(at).await?;
    at.refuse_unfit_gauges().await?;
    let target = tuning::checked_target(at).await?;
    let queue = at.queue(Role::Both).await?;
    let start: Vec<(Knob, f64)> = carry.start.iter().map(|start| (start.knob, start.value)).collect();
    helm::keep_start_values(at, run, Giver::CommandLine, crew.push.start_values()).await?;
    helm::keep_start_values(at, run, Giver::Stage, start).await?;
    let stop = halt.stop.child_token();
    let reading = stop.child_token();
    let process = process::process_id();
    let rows = expected.iter().map(|(_, rows)| rows).sum();
    let helm = Helm::start(at, run, &process, Role::Both, Some(rows)).await?;
    let (mut producer, progress) = tuning::producer(at, run, &helm, &expected, &reading).await?;
    producer.leg = Some(Leg { number: carry.number, tenants: choice(carry.whose) });
    let work_stop = stop.child_token();
    let (worker, _) = tuning::worker(at, run, target, &helm, &crew.push, &work_stop).await?;
    let (mut watch, mut brief) = (Watch::new(&crew.global, expected), Brief::default());
    let mut working = tokio::spawn(worker.run());
    let mut producing = tokio::spawn(producer.run());
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let (mut worked, mut produced, mut quiet) = (None, None, 0);
    let produced = loop {
        tokio::select! {
            ended = &mut producing, if produced.is_none() => {
                let ended = ended.map_err(CliError::bug)?;
                // Nothing more is read, and what is queued still goes.
                let drains = halt.drain.is_cancelled() && !stop.is_cancelled() && matches!(ended, Ok(Ending::Stopped));
                if !drains {
                    break ended;
                }
                produced = Some(ended);
            }
            ended = &mut working, if worked.is_none() => {
                // The worker ends before the producer only when it failed or was stopped.
                stop.cancel();
                worked = Some(ended.map_err(CliError::bug)?);
                if let Some(produced) = produced {
                    break produced;
                }
            }
            () = halt.drain.cancelled(), if !reading.is_cancelled() => reading.cancel(),
            _ = tick.tick() => {
                if produced.is_some() {
                    quiet = if is_quiet(at, run, queue.as_ref()).await { quiet + 1 } else { 0 };
                }
                if (quiet >= QUIET_LOOKS || stop.is_cancelled())
                    && let Some(produced) = produced.take()
                {
                    break produced;
                }
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
