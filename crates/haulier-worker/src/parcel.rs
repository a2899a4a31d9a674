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
        return another_run(shared, consumer, delivery).await;
    }
    if let Some(reason) = changed_on_its_way(entity, &delivery.parcel) {
        tracing::warn!(
            reason,
            "a parcel is not sent, and kept among the dead messages; its records are published again at the end of the run"
        );
        return settle(shared, consumer, delivery, Settle::Bury(reason)).await;
    }
    let hold = tokio::select! {
        hold = shared.fence.hold() => hold,
        () = session.cancelled() => return settle(shared, consumer, delivery, Settle::GiveBack).await,
    };
    let work = async {
        let claims = claim(shared, &hold, entity, &delivery.parcel).await?;
        crash::point(crash::WORK_AFTER_CLAIM);
        let strangers = claims.iter().filter(|claim| **claim == Claim::Stranger).count();
        let mut load = Load::new(shared, &hold, entity, &delivery.parcel, claims).await?;
        load.push_all(&mut backlog, session).await?;
        Ok::<Settle, WorkError>(match strangers {
            _ if !load.all_done => Settle::GiveBack,
            0 => Settle::Done,
            _ => Settle::Bury(strange(&delivery.parcel, strangers)),
        })
    };
    let how = tokio::select! {
        how = work => how?,
        // Others hold the claims by now: nothing of this may be settled.
        () = hold.dropped.cancelled() => Settle::GiveBack,
    };
    crash::point(crash::WORK_AFTER_SETTLE);
    settle(shared, consumer, delivery, how).await?;
    crash::point(crash::WORK_AFTER_ACK);
    Ok(())
}

/// A parcel that an older run left is of no use: its records are the new run's by now. One of a run that the ledger does not
/// know says that this ledger is not the one that it was published under.
async fn another_run(shared: &Shared, consumer: &dyn Consumer, delivery: Delivery) -> Result<(), WorkError> {
    let run = delivery.parcel.run.clone();
    let known = || shared.ledger.has_run(&run);
    let how = match patiently("the ledger", &shared.stop, LedgerError::is_passing, known).await {
        Ok(true) => {
            tracing::info!(%run, "a parcel of another run is dropped; the ledger accounts for its records");
            Settle::Done
        }
        Ok(false) => {
            let reason = format!("the ledger does not know the run {run}");
            tracing::warn!(
                %run,
                "the queue holds parcels of a run that this ledger does not know: the ledger is older than the queue, or \
                 another one; stop, and put the newest ledger back. They are kept among the dead messages, and not sent"
            );
            Settle::Bury(reason)
        }
        Err(_) if shared.stop.is_cancelled() => Settle::GiveBack,
        Err(error) => return Err(error.into()),
    };
    settle(shared, consumer, delivery, how).await
}

/// Why a parcel must not be sent: the content of a record is not what its hash says, so it is not what the producer read.
fn changed_on_its_way(entity: &Entity, parcel: &Parcel) -> Option<String> {
    let changed = parcel.records.iter().find(|record| record.content(&entity.name) != record.hash)?;
    Some(format!("the content of {}/{} is not what its hash says", entity.name, changed.key))
}

fn strange(parcel: &Parcel, strangers: usize) -> String {
    tracing::warn!(
        entity = %parcel.entity,
        records = strangers,
        "the queue holds records that this ledger never admitted: the ledger is older than the queue; stop, and put the \
         newest one back. Their parcel is kept among the dead messages, and they are not sent"
    );
    format!("the ledger has never admitted {strangers} of its records")
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

#[cfg(test)]
mod tests {
    use super::*;
    use haulier_core::plan::PushProgram;
    use haulier_core::{Digest, Record, RunId, SourceKey};
    use haulier_testkit::fake_target::{entity, request};

    #[test]
    fn a_record_that_was_changed_on_its_way_is_found() {
        let write = request(haulier_core::plan::Method::Put, "/users/{v0}");
        let user = entity("user", PushProgram::Put { write });
        let mut record = Record {
            key: SourceKey::from_parts(&["7"]),
            tenant: None,
            generation: 1,
            hash: Digest([0; 16]),
            body: r#"{"name":"Ada"}"#.to_owned(),
            vars: vec!["ada".to_owned()],
            refs: vec![None, Some(SourceKey::from_parts(&["2"]))],
        };
        record.hash = record.content(&user.name);
        let parcel = |record: &Record| Parcel {
            run: RunId::new("r"),
            entity: user.name.clone(),
            epoch: 1,
            records: vec![record.clone()],
        };
        assert_eq!(changed_on_its_way(&user, &parcel(&record)), None);
        let changes: [fn(&mut Record); 4] = [
            |record| record.body = r#"{"name":"Eve"}"#.to_owned(),
            |record| record.vars[0].push('x'),
            |record| record.refs[1] = None,
            |record| record.key = SourceKey::from_parts(&["8"]),
        ];
        for change in changes {
            let mut changed = record.clone();
            change(&mut changed);
            let reason = changed_on_its_way(&user, &parcel(&changed)).unwrap();
            assert_eq!(reason, format!("the content of user/{} is not what its hash says", changed.key));
        }
    }
}
