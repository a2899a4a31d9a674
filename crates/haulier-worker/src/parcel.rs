//! One parcel: claim, push, settle, acknowledge.

use haulier_core::plan::Entity;
use haulier_core::port::{Claim, Consumer, Delivery, LedgerError, Settle, Wanted};
use haulier_core::{Parcel, crash};
use haulier_throttle::patiently;
use tokio_util::sync::CancellationToken;

use crate::WorkError;
use crate::backlog::BacklogShare;
use crate::fence::Hold;
use crate::load::Load;
use crate::shared::Shared;

/// Handles one delivery to its end. An error means that the ledger is lost for good; the delivery comes again.
/// After `session` is cancelled nothing more of it begins, and it goes back.
pub(crate) async fn handle(
    shared: &Shared,
    consumer: &dyn Consumer,
    delivery: Delivery,
    session: &CancellationToken,
) -> Result<(), WorkError> {
    crash::point(crash::WORK_AFTER_TAKE);
    let mut backlog = BacklogShare::new(&shared.backlog, delivery.parcel.records.len());
    let Some(entity) = shared.plan.entity(&delivery.parcel.entity) else {
        let reason = format!("the plan has no entity `{}`", delivery.parcel.entity);
        return settle(shared, consumer, delivery, Settle::Bury(reason)).await;
    };
    if delivery.parcel.run != shared.run {
        tracing::info!(run = %delivery.parcel.run, "a parcel of another run is dropped; the ledger accounts for its records");
        return settle(shared, consumer, delivery, Settle::Done).await;
    }
    let hold = tokio::select! {
        hold = shared.fence.hold() => hold,
        () = session.cancelled() => return settle(shared, consumer, delivery, Settle::GiveBack).await,
    };
    let work = async {
        let claims = claim(shared, &hold, entity, &delivery.parcel).await?;
        crash::point(crash::WORK_AFTER_CLAIM);
        let mut load = Load::new(shared, &hold, entity, &delivery.parcel, claims).await?;
        load.push_all(&mut backlog, session).await?;
        Ok::<bool, WorkError>(load.all_done)
    };
    let done = tokio::select! {
        done = work => done?,
        // Others hold the claims by now: nothing of this may be settled.
        () = hold.dropped.cancelled() => false,
    };
    crash::point(crash::WORK_AFTER_SETTLE);
    settle(shared, consumer, delivery, if done { Settle::Done } else { Settle::GiveBack }).await?;
    crash::point(crash::WORK_AFTER_ACK);
    Ok(())
}

async fn settle(
    shared: &Shared,
    consumer: &dyn Consumer,
    delivery: Delivery,
    how: Settle,
) -> Result<(), WorkError> {
    // The ledger has the truth already: a lost acknowledgement only brings the parcel back, to be dropped.
    if let Err(error) = consumer.settle(delivery.receipt, how).await {
        tracing::debug!(error = %error, run = %shared.run, "an acknowledgement was lost; the parcel comes again");
    }
    Ok(())
}

async fn claim(
    shared: &Shared,
    hold: &Hold,
    entity: &Entity,
    parcel: &Parcel,
) -> Result<Vec<Claim>, LedgerError> {
    let wanted: Vec<Wanted> = parcel
        .records
        .iter()
        .map(|record| Wanted { key: record.key.clone(), generation: record.generation, hash: record.hash })
        .collect();
    let call = || shared.ledger.claim(&shared.run, &entity.name, &hold.process, &wanted);
    patiently("the ledger", &shared.stop, LedgerError::is_passing, call).await
}
