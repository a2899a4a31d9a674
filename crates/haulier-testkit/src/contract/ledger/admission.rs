//! Promises about rows that the producer read.

use haulier_core::port::{Admission, Admit, Claim, Settlement, SightingIntent, Wanted};
use haulier_core::{FailureKind, RecordState, TenantKey};

use super::Bench;
use super::fixture::{Desk, NOW, digest, failure, key, landed, send, sighting};

/// Each becomes part of the run once.
pub async fn new_rows_are_published_and_counted(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let rows: Vec<_> = (0..250).map(|n| sighting(&n.to_string(), n)).collect();
    assert_eq!(desk.admit(&rows).await, vec![Admission::Publish; 250]);
    let counts = desk.counts().await;
    assert_eq!((counts.planned, counts.of(RecordState::Queued)), (250, 250));
    assert_eq!(desk.admit(&[]).await, []);
}

/// A producer that crashed reads its chunk again, perhaps with rows that are new.
pub async fn admitting_a_chunk_again_changes_nothing(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let rows: Vec<_> = (0..20).map(|n| sighting(&n.to_string(), n)).collect();
    desk.admit(&rows[..15]).await;
    assert_eq!(desk.admit(&rows).await, vec![Admission::Publish; 20]);
    assert_eq!(desk.admit(&rows[5..10]).await, vec![Admission::Publish; 5]);
    let counts = desk.counts().await;
    assert_eq!((counts.planned, counts.of(RecordState::Queued)), (20, 20));
    let twice = [sighting("x", 1), sighting("x", 1)];
    assert_eq!(desk.admit(&twice).await, [Admission::Publish, Admission::Publish]);
    assert_eq!(desk.counts().await.planned, 21);
}

/// It is part of the run, without anything to do.
pub async fn a_second_run_skips_what_landed_unchanged(bench: &dyn Bench) {
    let first = Desk::open(bench).await;
    first.land("1", 1, "t1").await;
    let second = first.next_run("r-2").await;
    for _ in 0..2 {
        assert_eq!(second.admit_one(sighting("1", 1)).await, Admission::Unchanged);
        let counts = second.counts().await;
        assert_eq!((counts.planned, counts.of(RecordState::Skipped)), (1, 1));
    }
    assert_eq!(second.claim_one("1", 1).await, Claim::Drop);
    let third = second.next_run("r-3").await;
    assert_eq!(third.admit_one(sighting("1", 1)).await, Admission::Unchanged);
    assert_eq!(third.row("1").await.target_id.map(|id| id.to_string()), Some("t1".to_owned()));
}

/// It goes out as an update of the record that landed.
pub async fn a_second_run_publishes_changed_content(bench: &dyn Bench) {
    let first = Desk::open(bench).await;
    first.land("1", 1, "t1").await;
    let second = first.next_run("r-2").await;
    assert_eq!(second.admit_one(sighting("1", 2)).await, Admission::Publish);
    assert_eq!(second.state("1").await, RecordState::Queued);
    let Claim::Send { attempt: 1, known: Some(known), unsure: false } = second.claim_one("1", 2).await else {
        unreachable!("a changed record must be sent with its id")
    };
    assert!(second.settle("1", 1, landed(known.as_str(), 2)).await);
    let third = second.next_run("r-3").await;
    assert_eq!(third.admit_one(sighting("1", 2)).await, Admission::Unchanged);
}

/// Attempts that older content used up do not count.
pub async fn changed_content_starts_afresh_in_the_same_run(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit_one(sighting("1", 1)).await;
    desk.claim_one("1", 1).await;
    let retry = Settlement::Retry { due: 9, failure: failure(FailureKind::Transient), counted: true };
    assert!(desk.settle("1", 1, retry).await);
    assert_eq!(desk.admit_one(sighting("1", 1)).await, Admission::Publish);
    assert_eq!(desk.state("1").await, RecordState::Retry);
    assert_eq!(desk.admit_one(sighting("1", 2)).await, Admission::Publish);
    let row = desk.row("1").await;
    assert_eq!((row.state, row.attempts, row.failure), (RecordState::Queued, 0, None));
    assert_eq!(desk.ledger.next_due(&desk.run).await, Ok(None));
    assert_eq!(desk.claim_one("1", 1).await, Claim::Drop);
    assert_eq!(desk.claim_one("1", 2).await, send(1));
    assert_eq!(desk.counts().await.planned, 1);
}

/// A repeat within the run that landed it leaves it landed.
pub async fn what_landed_in_this_run_is_unchanged(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("1", 1, "t1").await;
    assert_eq!(desk.admit_one(sighting("1", 1)).await, Admission::Unchanged);
    assert_eq!(desk.state("1").await, RecordState::Landed);
    assert_eq!(desk.counts().await.planned, 1);
}

/// Its parent's landing sends it.
pub async fn a_held_row_that_is_seen_again_stays_held(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit_one(sighting("child", 1)).await;
    desk.claim_one("child", 1).await;
    assert!(desk.settle("child", 1, Settlement::AwaitParent(desk.record("parent"))).await);
    assert_eq!(desk.admit_one(sighting("child", 1)).await, Admission::Noted);
    assert_eq!(desk.state("child").await, RecordState::Held);
    assert_eq!(desk.admit_one(sighting("child", 2)).await, Admission::Publish);
    assert_eq!(desk.row("child").await.waits_for, None);
}

/// They are part of the run all the same, with the reason.
pub async fn refused_and_left_out_rows_are_not_published(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let mut refused = sighting("1", 1);
    refused.intent = SightingIntent::Refuse(failure(FailureKind::Mapping));
    refused.tenant = Some(TenantKey::new("acme"));
    let mut left_out = sighting("2", 1);
    left_out.intent = SightingIntent::Skip("it has no tenant".to_owned());
    let rows = [refused.clone(), sighting("3", 1), left_out.clone()];
    let wanted = [Admission::Dead, Admission::Publish, Admission::Skipped];
    assert_eq!(desk.admit(&rows).await, wanted);
    assert_eq!(desk.admit(&rows).await, wanted);
    let row = desk.row("1").await;
    assert_eq!((row.state, row.failure), (RecordState::Dead, Some(failure(FailureKind::Mapping))));
    assert_eq!(row.tenant, Some(TenantKey::new("acme")));
    let row = desk.row("2").await;
    assert_eq!(row.state, RecordState::Skipped);
    assert_eq!(row.failure.map(|failure| failure.reason), Some("it has no tenant".to_owned()));
    assert_eq!(desk.counts().await.planned, 3);
    // What was mended goes out.
    assert_eq!(desk.admit_one(sighting("2", 1)).await, Admission::Publish);
    assert_eq!(desk.admit_one(sighting("1", 2)).await, Admission::Publish);
}

/// Reading it again is no reason to send it again.
pub async fn a_dead_row_stays_dead_until_its_content_changes(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit_one(sighting("1", 1)).await;
    desk.claim_one("1", 1).await;
    assert!(desk.settle("1", 1, Settlement::Dead(failure(FailureKind::Refused))).await);
    assert_eq!(desk.admit_one(sighting("1", 1)).await, Admission::Dead);
    assert_eq!(desk.claim_one("1", 1).await, Claim::Drop);
    assert_eq!(desk.admit_one(sighting("1", 2)).await, Admission::Publish);
    let second = {
        desk.claim_one("1", 2).await;
        assert!(desk.settle("1", 1, Settlement::Dead(failure(FailureKind::Refused))).await);
        desk.next_run("r-2").await
    };
    assert_eq!(second.admit_one(sighting("1", 2)).await, Admission::Publish);
}

/// One request per key at a time; the newer content is due when it has ended.
pub async fn a_row_seen_while_it_is_sent_goes_out_afterwards(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit_one(sighting("1", 1)).await;
    desk.claim_one("1", 1).await;
    let mut newer = sighting("1", 2);
    newer.generation = 5;
    assert_eq!(desk.admit_one(newer.clone()).await, Admission::Noted);
    assert_eq!(desk.admit_one(newer.clone()).await, Admission::Noted);
    assert_eq!(desk.state("1").await, RecordState::Sending);
    assert!(desk.settle("1", 1, landed("t1", 1)).await);
    let row = desk.row("1").await;
    assert_eq!((row.state, row.attempts), (RecordState::Retry, 0));
    assert_eq!(row.target_id.map(|id| id.to_string()), Some("t1".to_owned()));
    assert_eq!(desk.due(NOW).await, ["1"]);
    // The older content does not go out any more.
    assert_eq!(desk.claim_one("1", 1).await, Claim::Drop);
    assert_eq!(desk.admit_one(newer).await, Admission::Publish);
    let wanted = Wanted { key: key("1"), generation: 5, hash: digest(2) };
    assert!(matches!(
        desk.claim_these(&[wanted]).await.remove(0),
        Claim::Send { attempt: 1, known: Some(_), unsure: false }
    ));
}

/// What is on its way is what was seen.
pub async fn a_row_seen_unchanged_while_it_is_sent_lands(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit_one(sighting("1", 1)).await;
    desk.claim_one("1", 1).await;
    assert_eq!(desk.admit_one(sighting("1", 2)).await, Admission::Noted);
    assert_eq!(desk.admit_one(sighting("1", 1)).await, Admission::Noted);
    assert!(desk.settle("1", 1, landed("t1", 1)).await);
    assert_eq!(desk.state("1").await, RecordState::Landed);
}

/// The later row is dead and names the other.
pub async fn two_rows_with_one_natural_key_are_one_row_and_a_duplicate(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let named = |text: &str, content| {
        let mut row = sighting(text, content);
        row.natural = Some(digest(99));
        row
    };
    assert_eq!(desk.admit_one(named("1", 1)).await, Admission::Publish);
    assert_eq!(desk.admit_one(named("1", 1)).await, Admission::Publish);
    assert_eq!(desk.admit_one(named("2", 2)).await, Admission::Dead);
    assert_eq!(desk.admit_one(named("2", 2)).await, Admission::Dead);
    let failure = desk.row("2").await.failure.unwrap_or_else(|| failure(FailureKind::Unknown));
    assert_eq!(failure.kind, FailureKind::Duplicate);
    assert!(failure.reason.contains("account/1"), "{}", failure.reason);
    // Another entity has natural keys of its own.
    assert_eq!(desk.of("project").admit_one(named("2", 2)).await, Admission::Publish);
}

/// Also when they come together.
pub async fn one_chunk_may_hold_both_rows_of_a_natural_key(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let mut rows: Vec<_> = (0..10).map(|n| sighting(&n.to_string(), n)).collect();
    for (row, natural) in rows.iter_mut().zip([0, 1, 2, 3, 4, 5, 6, 2, 8, 9]) {
        row.natural = Some(digest(1000 + natural));
    }
    let admissions = desk.admit(&rows).await;
    assert_eq!(admissions[7], Admission::Dead);
    assert_eq!(admissions.iter().filter(|a| **a == Admission::Publish).count(), 9);
    let counts = desk.counts().await;
    assert_eq!((counts.planned, counts.of(RecordState::Dead)), (10, 1));
}

/// Its old one is free then.
pub async fn a_row_may_change_its_natural_key(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let named = |text: &str, content, natural| {
        let mut row = sighting(text, content);
        row.natural = Some(digest(natural));
        row
    };
    desk.admit_one(named("1", 1, 50)).await;
    assert_eq!(desk.admit_one(named("1", 2, 51)).await, Admission::Publish);
    assert_eq!(desk.admit_one(named("2", 1, 50)).await, Admission::Publish);
    assert_eq!(desk.admit_one(named("3", 1, 51)).await, Admission::Dead);
}

/// In one chunk, whatever their order.
pub async fn two_rows_may_swap_their_natural_keys(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let named = |text: &str, content, natural| {
        let mut row = sighting(text, content);
        row.natural = Some(digest(natural));
        row
    };
    desk.admit(&[named("1", 1, 50), named("2", 1, 51)]).await;
    let swapped = [named("1", 2, 51), named("2", 2, 50), named("3", 1, 52)];
    assert_eq!(desk.admit(&swapped).await, [Admission::Publish; 3]);
    assert_eq!(desk.admit_one(named("4", 1, 50)).await, Admission::Dead);
}

/// For good: whatever the kind of failure, and however many runs see it again. What changed is looked at again.
pub async fn a_waived_row_stays_waived_until_its_content_changes(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let mut refused = sighting("unmapped", 1);
    refused.intent = SightingIntent::Refuse(failure(FailureKind::Mapping));
    desk.admit(&[sighting("dead", 1), sighting("held", 1), refused.clone()]).await;
    desk.claim(&["dead", "held"], 1).await;
    assert!(desk.settle("dead", 1, Settlement::Dead(failure(FailureKind::Refused))).await);
    assert!(desk.settle("held", 1, Settlement::AwaitParent(desk.record("parent"))).await);
    let all = ["dead", "held", "unmapped"].map(|text| desk.record(text));
    assert_eq!(desk.ledger.judge(&desk.run, &all, Some("not needed"), "ann", NOW).await, Ok(3));
    let mut run = desk.clone();
    for id in ["r-2", "r-3"] {
        run = run.next_run(id).await;
        for _ in 0..2 {
            let rows = [sighting("dead", 1), sighting("held", 1), refused.clone()];
            assert_eq!(run.admit(&rows).await, [Admission::Skipped; 3]);
            assert_eq!(run.counts().await.of(RecordState::Skipped), 3);
        }
        let note = run.row("dead").await.failure.map(|failure| (failure.kind, failure.reason));
        assert_eq!(note, Some((FailureKind::Refused, "waived by ann: not needed".to_owned())));
    }
    assert_eq!(run.admit_one(sighting("dead", 2)).await, Admission::Publish);
    let judged = run.ledger.judgements(&run.record("dead")).await.unwrap_or_default();
    let told: Vec<_> = judged.iter().map(|j| (j.at, j.by.as_str(), j.waived.as_deref())).collect();
    assert_eq!(told, [(NOW, "ann", Some("not needed"))]);
    // A waiver can be taken back.
    assert_eq!(run.ledger.judge(&run.run, &[run.record("held")], None, "bob", NOW).await, Ok(1));
    assert_eq!(run.admit_one(sighting("held", 1)).await, Admission::Publish);
    assert_eq!(run.ledger.judgements(&run.record("held")).await.map(|all| all.len()), Ok(2));
    assert_eq!(run.ledger.judgements(&run.record("nobody")).await, Ok(Vec::new()));
}

/// Where its request's path is made of it: nothing is sent before a person decided, in this run and in later ones.
pub async fn a_landed_row_with_another_path_key_is_held_for_a_person(bench: &dyn Bench) {
    let named = |text: &str, content, natural| {
        let mut row = sighting(text, content);
        (row.natural, row.path_key) = (Some(digest(natural)), Some("`code`".into()));
        row
    };
    let desk = Desk::open(bench).await;
    let landing = [named("1", 1, 50), named("2", 2, 51)];
    assert_eq!(desk.admit(&landing).await, [Admission::Publish; 2]);
    for (text, content, id) in [("1", 1, "t50"), ("2", 2, "t51")] {
        desk.claim_one(text, content).await;
        assert!(desk.settle(text, 1, landed(id, content)).await);
    }
    // They swap, and a third row takes a key that one of them landed with.
    let rows = [named("1", 3, 51), named("2", 4, 50), named("3", 5, 50)];
    let mut run = desk;
    for id in ["r-2", "r-3"] {
        run = run.next_run(id).await;
        let wanted = [Admission::Noted, Admission::Noted, Admission::Dead];
        assert_eq!((run.admit(&rows).await, run.admit(&rows).await), (wanted.to_vec(), wanted.to_vec()));
        let row = run.row("1").await;
        let failure = row.failure.unwrap_or_else(|| failure(FailureKind::Unknown));
        assert_eq!((row.state, failure.kind), (RecordState::Held, FailureKind::KeyChanged));
        assert!(failure.reason.contains("t50") && failure.reason.contains("`code`"), "{}", failure.reason);
        assert_eq!(run.claim_one("1", 3).await, Claim::Drop);
    }
    // One alone would still overwrite the other.
    assert_eq!(run.ledger.judge(&run.run, &[run.record("1")], None, "ann", NOW).await, Ok(1));
    assert_eq!(run.admit_one(rows[0].clone()).await, Admission::Dead);
    let both = [run.record("1"), run.record("2")];
    assert_eq!(run.ledger.judge(&run.run, &both, None, "ann", NOW).await, Ok(2));
    assert_eq!(run.admit(&rows[..2]).await, [Admission::Publish; 2]);
    let due = run.ledger.due(&run.run, NOW, 10).await.unwrap_or_default();
    assert_eq!(run.ledger.republished(&run.run, &due).await, Ok(()));
    for (text, content, id) in [("1", 3, "t51"), ("2", 4, "t50")] {
        assert_eq!(run.claim_one(text, content).await, send(1), "the old id is forgotten");
        assert!(run.settle(text, 1, landed(id, content)).await);
        assert_eq!(run.state(text).await, RecordState::Landed);
    }
    // Back to what it is now, and a plan that reads the key otherwise: neither is a change.
    let mut same = named("1", 3, 99);
    assert_eq!(run.admit_one(same.clone()).await, Admission::Unchanged);
    same.path_key = None;
    (same.hash, same.natural) = (digest(6), Some(digest(98)));
    assert_eq!(run.admit_one(same).await, Admission::Publish);
}

/// An empty value matters only where something stood.
pub async fn a_row_sent_only_if_it_landed_is_no_record_before(bench: &dyn Bench) {
    let empty = |text: &str, content| {
        let mut row = sighting(text, content);
        row.intent = SightingIntent::SendIfLanded;
        row
    };
    let desk = Desk::open(bench).await;
    desk.land("landed", 1, "t1").await;
    desk.admit(&[sighting("queued", 1), sighting("sending", 1)]).await;
    desk.claim_one("sending", 1).await;
    let rows = [empty("landed", 2), empty("queued", 2), empty("sending", 2), empty("never", 2)];
    let wanted = [Admission::Publish, Admission::Skipped, Admission::Noted, Admission::Skipped];
    assert_eq!(desk.admit(&rows).await, wanted);
    assert_eq!(desk.admit(&rows).await, wanted);
    assert_eq!(desk.counts().await.planned, 3, "what never landed is no part of the run");
    let claim = desk.claim_one("landed", 2).await;
    assert!(matches!(claim, Claim::Send { attempt: 1, known: Some(_), .. }), "{claim:?}");
    assert!(desk.settle("landed", 1, landed("t1", 2)).await);
    let second = desk.next_run("r-2").await;
    assert_eq!(
        second.admit(&[empty("landed", 2), empty("never", 2)]).await,
        [Admission::Unchanged, Admission::Skipped]
    );
}

/// A walk that was held up, or one that another producer had taken over from. A row that is read again because it is due
/// is as new as it gets, whatever its generation.
pub async fn a_row_that_was_read_before_a_newer_one_changes_nothing(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let seen = |generation, content| {
        let mut row = sighting("1", content);
        row.generation = generation;
        row
    };
    desk.admit_one(seen(5, 5)).await;
    assert_eq!(desk.admit(&[seen(4, 4)]).await, [Admission::Noted]);
    let wanted = |generation, content| Wanted { key: key("1"), generation, hash: digest(content) };
    assert_eq!(desk.claim_these(&[wanted(4, 4)]).await, [Claim::Drop]);
    assert_eq!(desk.claim_these(&[wanted(5, 5)]).await, [send(1)]);
    assert_eq!(desk.admit(&[seen(4, 4)]).await, [Admission::Noted]);
    let landed = Settlement::Landed {
        id: haulier_core::TargetId::new("t1"),
        origin: haulier_core::Origin::Created,
        hash: digest(5),
        generation: 5,
    };
    assert!(desk.settle("1", 1, landed).await);
    assert_eq!(desk.admit(&[seen(4, 4)]).await, [Admission::Noted]);
    assert_eq!(desk.counts().await.of(RecordState::Landed), 1);
    let again =
        Admit { run: &desk.run, entity: &desk.entity, sightings: &[seen(4, 4)], again: true, now: NOW };
    assert_eq!(desk.ledger.admit(again).await.ok(), Some(vec![Admission::Publish]));
}
