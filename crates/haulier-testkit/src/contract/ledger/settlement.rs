//! Promises about outcomes.

use std::time::Duration;

use haulier_core::port::{Admission, Claim, Settled, Settlement, Sighting};
use haulier_core::{FailureKind, Origin, RecordRef, RecordState, TargetId};

use super::Bench;
use super::fixture::{Desk, NOW, digest, failure, key, landed, natural, send, sighting};

/// The id map has it at once.
pub async fn a_landed_record_has_its_id(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let rows: Vec<_> = (0..100).map(|n| sighting(&n.to_string(), n)).collect();
    desk.admit(&rows).await;
    let keys: Vec<String> = (0..100).map(|n| n.to_string()).collect();
    for (n, text) in keys.iter().enumerate() {
        assert_eq!(desk.claim_one(text, n as u64).await, send(1));
    }
    let settled: Vec<Settled> = (0..100)
        .map(|n| Settled { key: key(&n.to_string()), attempt: 1, how: landed(&format!("t{n}"), n), now: NOW })
        .collect();
    assert_eq!(desk.settle_these(&settled).await, vec![true; 100]);
    assert_eq!(desk.settle_these(&[]).await, []);
    let counts = desk.counts().await;
    assert_eq!((counts.planned, counts.of(RecordState::Landed)), (100, 100));
    let asked: Vec<RecordRef> = ["7", "99", "never"]
        .iter()
        .map(|text| desk.record(text))
        .chain([desk.of("nobody").record("7")])
        .collect();
    let ids = desk.ledger.target_ids(&asked).await.unwrap_or_default();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids.get(&desk.record("99")), Some(&TargetId::new("t99")));
    let row = desk.row("7").await;
    assert_eq!((row.attempts, row.failure, row.target_id), (1, None, Some(TargetId::new("t7"))));
    assert_eq!((row.since, row.landed), (NOW, Some(digest(7))));
}

/// So that it is updated, not created twice.
pub async fn a_record_that_landed_before_is_claimed_with_its_id(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("1", 1, "t1").await;
    desk.admit_one(sighting("1", 2)).await;
    let known = Some(TargetId::new("t1"));
    assert_eq!(desk.claim_one("1", 2).await, Claim::Send { attempt: 1, known, unsure: false });
    // Its id holds while it is on its way again.
    let ids = desk.ledger.target_ids(&[desk.record("1")]).await.unwrap_or_default();
    assert_eq!(ids.get(&desk.record("1")), Some(&TargetId::new("t1")));
    // The target may give another.
    assert!(desk.settle("1", 1, landed("t2", 2)).await);
    assert_eq!(desk.row("1").await.target_id, Some(TargetId::new("t2")));
}

/// Who fell silent and lost the claim stores nothing.
pub async fn only_the_owner_settles(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit(&[sighting("1", 1), sighting("2", 1)]).await;
    desk.claim(&["1", "2"], 1).await;
    let other = desk.process("other");
    assert!(!other.settle("1", 1, landed("wrong", 1)).await);
    assert!(!other.settle("1", 1, Settlement::Dead(failure(FailureKind::Refused))).await);
    assert!(!desk.settle("1", 2, landed("wrong", 1)).await);
    assert_eq!(desk.state("1").await, RecordState::Sending);
    let lost = Settled { key: key("never"), attempt: 1, how: landed("t0", 1), now: NOW };
    let mine = Settled { key: key("1"), attempt: 1, how: landed("t1", 1), now: NOW };
    assert_eq!(desk.settle_these(&[lost, mine]).await, [false, true]);
    let counts = desk.counts().await;
    assert_eq!((counts.of(RecordState::Sending), counts.of(RecordState::Landed)), (1, 1));
}

/// A repeat after a lost answer does no harm.
pub async fn settling_twice_stores_once(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("1", 1, "t1").await;
    desk.settle("1", 1, landed("t1", 1)).await;
    desk.settle("1", 1, landed("t9", 1)).await;
    let row = desk.row("1").await;
    assert_eq!((row.state, row.target_id), (RecordState::Landed, Some(TargetId::new("t1"))));
    let twice = |text: &str, id: &str| Settled { key: key(text), attempt: 1, how: landed(id, 1), now: NOW };
    desk.admit_one(sighting("2", 1)).await;
    desk.claim_one("2", 1).await;
    assert_eq!(desk.settle_these(&[twice("2", "t2"), twice("2", "t3")]).await, [true, false]);
    assert_eq!(desk.counts().await.of(RecordState::Landed), 2);
}

/// One of each in one call.
pub async fn every_settlement_leads_to_its_state(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let refused = failure(FailureKind::Refused).with_status(422);
    let mut throttled = failure(FailureKind::Throttled).with_status(429);
    throttled.retry_after = Some(Duration::from_secs(7));
    let how = [
        (landed("t0", 1), RecordState::Landed, None, 1),
        (
            Settlement::Retry { due: NOW + 5, failure: throttled.clone(), counted: true },
            RecordState::Retry,
            Some(throttled),
            1,
        ),
        (
            Settlement::Unknown { due: NOW + 4, failure: failure(FailureKind::Unknown) },
            RecordState::Unknown,
            Some(failure(FailureKind::Unknown)),
            1,
        ),
        (
            Settlement::AwaitPerson(failure(FailureKind::Conflict)),
            RecordState::Held,
            Some(failure(FailureKind::Conflict)),
            1,
        ),
        (Settlement::Dead(refused.clone()), RecordState::Dead, Some(refused), 1),
        (Settlement::Unsent, RecordState::Queued, None, 0),
    ];
    let keys: Vec<String> = (0..how.len()).map(|n| n.to_string()).collect();
    desk.admit(&keys.iter().map(|text| sighting(text, 1)).collect::<Vec<_>>()).await;
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert_eq!(desk.claim(&texts, 1).await, vec![send(1); how.len()]);
    let settled: Vec<Settled> = (keys.iter().zip(&how))
        .map(|(text, how)| Settled { key: key(text), attempt: 1, how: how.0.clone(), now: NOW + 1 })
        .collect();
    assert_eq!(desk.settle_these(&settled).await, vec![true; how.len()]);
    for (text, (_, state, failure, attempts)) in keys.iter().zip(how) {
        let row = desk.row(text).await;
        assert_eq!((row.state, row.failure, row.attempts, row.since), (state, failure, attempts, NOW + 1));
    }
    assert_eq!(desk.due(NOW + 4).await, ["2"]);
    assert_eq!(desk.due(NOW + 5).await, ["2", "1"]);
    assert_eq!(desk.ledger.next_due(&desk.run).await, Ok(Some(NOW + 4)));
}

/// Neither what was given back, nor what the record is not to blame for.
pub async fn what_was_not_sent_does_not_count(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit_one(sighting("1", 1)).await;
    for how in [
        Settlement::Unsent,
        Settlement::Retry { due: NOW, failure: failure(FailureKind::Throttled), counted: false },
    ] {
        assert_eq!(desk.claim_one("1", 1).await, send(1));
        assert!(desk.settle("1", 1, how).await);
        assert_eq!(desk.row("1").await.attempts, 0);
    }
    assert_eq!(desk.claim_one("1", 1).await, send(1));
}

/// The record that lands second is dead and names the other.
pub async fn two_records_never_share_a_target_id(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("1", 1, "t1").await;
    desk.admit_one(sighting("2", 1)).await;
    desk.claim_one("2", 1).await;
    assert!(desk.settle("2", 1, landed("t1", 1)).await);
    let row = desk.row("2").await;
    assert_eq!((row.state, row.target_id), (RecordState::Dead, None));
    let failure = row.failure.unwrap_or_else(|| failure(FailureKind::Unknown));
    assert_eq!(failure.kind, FailureKind::Duplicate);
    assert!(failure.reason.contains("account/1"), "{}", failure.reason);
    assert_eq!(desk.admit_one(sighting("2", 1)).await, Admission::Dead);
}

/// Also when both land in one call.
pub async fn one_batch_never_shares_a_target_id(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit(&["1", "2", "3"].map(|text| sighting(text, 1))).await;
    desk.claim(&["1", "2", "3"], 1).await;
    let settled = [("1", "t1"), ("2", "t2"), ("3", "t1")].map(|(text, id)| Settled {
        key: key(text),
        attempt: 1,
        how: landed(id, 1),
        now: NOW,
    });
    assert_eq!(desk.settle_these(&settled).await, [true; 3]);
    assert_eq!(desk.state("2").await, RecordState::Landed);
    assert_eq!(desk.state("3").await, RecordState::Dead);
    assert_eq!(desk.counts().await.of(RecordState::Landed), 2);
}

/// An id may be the natural key of the record that has it, or of another one: in either order, and in one call.
pub async fn a_target_id_that_is_a_natural_key_is_unique_too(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let named = |text: &str, name: &str| Sighting { natural: Some(natural(name)), ..sighting(text, 1) };
    let texts = ["1", "2", "3", "4", "5", "6", "7"];
    let naturals = ["a", "x", "b", "c", "y", "z", "u"];
    desk.admit(&texts.iter().zip(naturals).map(|(text, name)| named(text, name)).collect::<Vec<_>>()).await;
    desk.claim(&texts, 1).await;
    let lands = async |all: &[(&str, &str)]| {
        let settled: Vec<Settled> = (all.iter())
            .map(|(text, id)| Settled { key: key(text), attempt: 1, how: landed(id, 1), now: NOW })
            .collect();
        assert_eq!(desk.settle_these(&settled).await, vec![true; all.len()]);
        let mut states = Vec::new();
        for (text, _) in all {
            states.push(desk.state(text).await);
        }
        states
    };
    let (there, refused) = (RecordState::Landed, RecordState::Dead);
    // Its own natural key first, then another record with that id.
    assert_eq!(lands(&[("1", "a")]).await, [there]);
    assert_eq!(lands(&[("2", "a")]).await, [refused]);
    // Another record first, with what is the natural key of a later one.
    assert_eq!(lands(&[("3", "c")]).await, [there]);
    assert_eq!(lands(&[("4", "c")]).await, [refused]);
    // Both in one call.
    assert_eq!(lands(&[("5", "y"), ("6", "y")]).await, [there, refused]);
    assert_eq!(lands(&[("7", "x")]).await, [there]);
    // A record that gives up its natural key keeps its id, and so keeps it from others.
    let mut moved = named("1", "d");
    moved.hash = digest(2);
    assert_eq!(desk.admit_one(moved).await, Admission::Publish);
    desk.admit_one(named("8", "a")).await;
    desk.claim_one("8", 1).await;
    assert_eq!(lands(&[("8", "a")]).await, [refused]);
}

/// A deferred field lands with the id of the record that it belongs to.
pub async fn entities_have_ids_of_their_own(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("1", 1, "t1").await;
    let field = desk.of("account.parent");
    field.land("1", 1, "t1").await;
    assert_eq!(field.state("1").await, RecordState::Landed);
    let adopted = Settlement::Landed {
        id: TargetId::new("t2"),
        origin: Origin::Adopted,
        hash: digest(1),
        generation: 0,
    };
    desk.admit_one(sighting("2", 1)).await;
    desk.claim_one("2", 1).await;
    assert!(desk.settle("2", 1, adopted).await);
    assert_eq!(desk.state("2").await, RecordState::Landed);
}

/// Most land, some do not, some wait for one that lands here, and one was lost to another process.
pub async fn a_batch_may_end_in_every_way(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let keys: Vec<String> = (0..60).map(|n| format!("k{n:02}")).collect();
    let texts: Vec<&str> = keys.iter().map(String::as_str).collect();
    desk.admit(&texts.iter().map(|text| sighting(text, 1)).collect::<Vec<_>>()).await;
    desk.process("other").claim(&texts[..1], 1).await;
    desk.claim(&texts, 1).await;
    let how = |n: usize| match n % 10 {
        3 => Settlement::Dead(failure(FailureKind::Refused)),
        5 => Settlement::AwaitParent(desk.record(&keys[n - 1])),
        6 => Settlement::AwaitParent(desk.record("nobody")),
        7 => Settlement::Unsent,
        8 => landed("t02", 1),
        _ => landed(&format!("t{n:02}"), 1),
    };
    let settled: Vec<Settled> = (texts.iter().enumerate())
        .map(|(n, text)| Settled { key: key(text), attempt: 1, how: how(n), now: NOW })
        .collect();
    let kept = desk.settle_these(&settled).await;
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 59);
    assert!(!kept[0]);
    let counts = desk.counts().await;
    let wanted = [
        (RecordState::Sending, 1),
        (RecordState::Landed, 29),
        (RecordState::Dead, 6 + 6),
        (RecordState::Retry, 6),
        (RecordState::Held, 6),
        (RecordState::Queued, 6),
    ];
    assert_eq!(counts.states, wanted.into_iter().collect(), "{counts:?}");
}

/// A changed row and a new one, in one chunk and one parcel.
pub async fn updates_and_first_tries_share_a_batch(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("old", 1, "t1").await;
    desk.land("same", 2, "t2").await;
    let rows = ["new", "old", "same"].map(|text| sighting(text, 2));
    assert_eq!(desk.admit(&rows).await, [Admission::Publish, Admission::Publish, Admission::Unchanged]);
    let known = Claim::Send { attempt: 1, known: Some(TargetId::new("t1")), unsure: false };
    assert_eq!(desk.claim(&["new", "old", "same"], 2).await, [send(1), known, Claim::Drop]);
    let settled = [("old", "t1"), ("new", "t3"), ("same", "t2")].map(|(text, id)| Settled {
        key: key(text),
        attempt: 1,
        how: landed(id, 2),
        now: NOW,
    });
    assert_eq!(desk.settle_these(&settled).await, [true, true, false]);
    assert_eq!(desk.counts().await.of(RecordState::Landed), 3);
    assert_eq!(desk.admit(&rows).await, [Admission::Unchanged; 3]);
}
