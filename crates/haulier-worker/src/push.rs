//! One push: a slot, the program, and what became of it.

use std::sync::atomic::{AtomicBool, Ordering};

use haulier_core::Outcome;
use haulier_core::plan::{Entity, PushProgram};
use haulier_core::port::Push;
use haulier_throttle::Slot;
use tokio_util::sync::CancellationToken;

use crate::fence::{Fenced, Hold};
use crate::load::Item;
use crate::shared::Shared;

/// What became of a push.
pub(crate) enum Flown {
    /// With the slot, for what comes next.
    Ended(Vec<(usize, Outcome)>, Slot),
    /// No request of it had left when its slot was wanted back.
    NotBegun(Vec<usize>),
}

/// Pushes records of one entity, all in one request where its program is bulk.
pub(crate) async fn push(
    shared: &Shared,
    hold: &Hold,
    entity: &Entity,
    batch: Vec<(usize, Item<'_>)>,
    mut slot: Slot,
    session: &CancellationToken,
) -> Flown {
    let pushes: Vec<Push<'_>> = batch
        .iter()
        .map(|(_, item)| Push {
            entity,
            record: item.record,
            refs: &item.refs,
            known: item.known.as_ref(),
            unsure: item.unsure,
            idempotency_key: &item.idempotency_key,
        })
        .collect();
    let begun = AtomicBool::new(false);
    let throttle = Fenced { flow: &shared.controls.flow, fence: &shared.fence, hold, begun: &begun };
    let pushing = async {
        match (&entity.push, pushes.as_slice()) {
            (PushProgram::Bulk(_), many) => shared.target.push_many(many, &throttle).await,
            (_, [one]) => vec![shared.target.push(*one, &throttle).await],
            (_, many) => shared.target.push_many(many, &throttle).await,
        }
    };
    // Once a request has left, the push goes on to its end whatever the limits become.
    let wanted_back = async {
        let has_begun = || begun.load(Ordering::Relaxed);
        tokio::select! {
            () = slot.recalled_unless(has_begun) => {}
            () = session.cancelled() => if has_begun() {
                std::future::pending::<()>().await;
            },
        }
    };
    let indices = batch.iter().map(|(index, _)| *index);
    tokio::select! {
        biased;
        outcomes = pushing => Flown::Ended(indices.zip(outcomes).collect(), slot),
        () = wanted_back => Flown::NotBegun(indices.collect()),
    }
}
