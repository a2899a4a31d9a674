//! Promises about claims.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Admission, Claim, Settled, Settlement, Wanted};
use haulier_core::{FailureKind, RecordState, TenantKey};

use super::Bench;
use super::fixture::{Desk, NOW, digest, failure, key, landed, send, sighting};

/// Also after a failure.
pub async fn a_claim_counts_the_attempt(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit(&[sighting("1", 1), sighting("2", 1)]).await;
    assert_eq!(desk.claim(&["1", "2"], 1).await, [send(1), send(1)]);
    let retry = Settlement::Retry { due: 9, failure: failure(FailureKind::Transient), counted: true };
    assert!(desk.settle("2", 1, retry).await);
    assert_eq!(desk.claim_one("2", 1).await, send(2));
    let counts = desk.counts().await;
    assert_eq!(counts.of(RecordState::Sending), 2);
    assert_eq!(desk.row("2").await.attempts, 2);
}

/// Landed, dead, held, of another run, or in other hands.
pub async fn a_claim_is_dropped_where_there_is_nothing_to_send(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    assert_eq!(desk.claim(&[], 1).await, []);
    desk.land("landed", 1, "t1").await;
    desk.admit(&["dead", "held", "busy", "old", "free"].map(|text| sighting(text, 1))).await;
    desk.claim(&["dead", "held"], 1).await;
    desk.settle("dead", 1, Settlement::Dead(failure(FailureKind::Refused))).await;
    desk.settle("held", 1, Settlement::AwaitPerson(failure(FailureKind::Conflict))).await;
    assert_eq!(desk.process("other").claim_one("busy", 1).await, send(1));
    let claims = desk.claim(&["landed", "dead", "held", "busy", "free"], 1).await;
    assert_eq!(claims, [Claim::Drop, Claim::Drop, Claim::Drop, Claim::Drop, send(1)]);
    assert_eq!(desk.claim_one("free", 1).await, Claim::Drop);
    let next = desk.next_run("r-2").await;
    assert_eq!(next.claim_one("old", 1).await, Claim::Drop);
    assert_eq!(desk.claim_one("old", 1).await, send(1));
}

/// A message of a record that was never admitted says that this is not the ledger that it was published under.
pub async fn a_record_that_was_never_admitted_is_a_stranger(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit(&[sighting("here", 1)]).await;
    assert_eq!(desk.claim(&["here", "never"], 1).await, [send(1), Claim::Stranger]);
    assert_eq!(desk.claim(&["never"], 1).await, [Claim::Stranger]);
}

/// A message may say that it is as new as it likes: what was admitted is what is sent.
pub async fn content_that_was_never_admitted_is_dropped(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let mut row = sighting("1", 1);
    row.generation = 4;
    desk.admit_one(row).await;
    let wanted = |generation, content| Wanted { key: key("1"), generation, hash: digest(content) };
    for generation in [3, 4, 5, i64::MAX] {
        assert_eq!(desk.claim_these(&[wanted(generation, 2)]).await, [Claim::Drop], "{generation}");
    }
    assert_eq!(desk.claim_these(&[wanted(4, 1)]).await, [send(1)]);
}

/// The newer one is published too, and goes out instead.
pub async fn a_superseded_generation_is_dropped(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let mut row = sighting("1", 1);
    row.generation = 4;
    desk.admit_one(row.clone()).await;
    (row.generation, row.hash) = (5, digest(2));
    desk.admit_one(row).await;
    let wanted = |generation, content| Wanted { key: key("1"), generation, hash: digest(content) };
    assert_eq!(desk.claim_these(&[wanted(4, 1)]).await, [Claim::Drop]);
    assert_eq!(desk.claim_these(&[wanted(5, 2)]).await, [send(1)]);
}

/// Two workers that were given the same parcels.
pub async fn each_key_is_claimed_once_by_racing_owners(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let keys: Arc<Vec<String>> = Arc::new((0..600).map(|n| format!("k{n:04}")).collect());
    let rows: Vec<_> = keys.iter().map(|text| sighting(text, 1)).collect();
    desk.admit(&rows).await;
    let race = |name: &str, ledger| {
        let desk = Desk { ledger, ..desk.process(name) };
        let keys = Arc::clone(&keys);
        tokio::spawn(async move {
            let mut mine = Vec::new();
            for chunk in keys.chunks(30) {
                let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
                let claims = desk.claim(&chunk, 1).await;
                let got = chunk.iter().zip(claims).filter(|(_, claim)| matches!(claim, Claim::Send { .. }));
                mine.extend(got.map(|(text, _)| (*text).to_owned()));
            }
            mine
        })
    };
    let other = bench.open().await.unwrap();
    let (one, two) = (race("one", Arc::clone(&desk.ledger)), race("two", other));
    let (one, two) = (one.await.unwrap(), two.await.unwrap());
    let all: HashSet<&String> = one.iter().chain(&two).collect();
    assert_eq!((one.len() + two.len(), all.len()), (600, 600));
    assert_eq!(desk.counts().await.of(RecordState::Sending), 600);
}

/// Parcels that overlap, with their keys in opposite orders.
pub async fn racing_claims_in_any_order_neither_double_nor_stall(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let keys: Vec<String> = (0..100).map(|n| format!("k{n:03}")).collect();
    desk.admit(&keys.iter().map(|text| sighting(text, 1)).collect::<Vec<_>>()).await;
    let mut racers = Vec::new();
    for racer in 0..8 {
        let desk = desk.process(&format!("p{racer}"));
        let mut keys = keys.clone();
        if racer % 2 == 1 {
            keys.reverse();
        }
        keys.rotate_left(racer * 10);
        racers.push(tokio::spawn(async move {
            let mut got = 0;
            for chunk in keys.chunks(40) {
                let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
                got += desk.claim(&chunk, 1).await.iter().filter(|claim| **claim != Claim::Drop).count();
            }
            got
        }));
    }
    let mut total = 0;
    for racer in racers {
        total += tokio::time::timeout(Duration::from_secs(30), racer).await.unwrap().unwrap();
    }
    assert_eq!(total, 100);
}

/// Also when a parcel names it twice.
pub async fn one_claim_takes_each_key_once(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.admit(&[sighting("1", 1), sighting("2", 1)]).await;
    assert_eq!(desk.claim(&["1", "2", "1"], 1).await, [send(1), send(1), Claim::Drop]);
    assert!(desk.settle("1", 1, landed("t1", 1)).await);
    assert_eq!(desk.counts().await.of(RecordState::Sending), 1);
}

/// Quotes, signs, other scripts, blanks, escapes; as keys, tenants and ids alike.
pub async fn keys_and_ids_of_any_text_survive(bench: &dyn Bench) {
    const TEXTS: [&str; 16] = [
        "plain",
        "it's",
        "\"quoted\"",
        "back\\slash",
        "a|b",
        "{\"json\": [1]}",
        "line\nbreak",
        "tab\tstop",
        "\u{1}",
        "ümläut",
        "漢字",
        "🦀",
        " blank ",
        "$1 ?2 :x",
        "null",
        "-7.5e3",
    ];
    let desk = Desk::open(bench).await;
    for fast in [true, false] {
        let desk = desk.of(if fast { "fast" } else { "slow" });
        let mut rows: Vec<_> = TEXTS.iter().map(|text| sighting(text, 1)).collect();
        for row in &mut rows {
            row.tenant = Some(TenantKey::new(row.key.as_str()));
        }
        if !fast {
            // One that is there already takes the whole batch the other way.
            desk.admit(&rows[3..4]).await;
        }
        assert_eq!(desk.admit(&rows).await, vec![Admission::Publish; TEXTS.len()]);
        if !fast {
            desk.claim(&TEXTS[5..6], 1).await;
            assert!(desk.settle(TEXTS[5], 1, Settlement::Unsent).await);
            desk.admit_one(sighting("parent", 1)).await;
            desk.claim(&["parent"], 1).await;
            assert!(desk.settle("parent", 1, Settlement::AwaitParent(desk.record(TEXTS[0]))).await);
        }
        assert_eq!(desk.claim(&TEXTS, 1).await, vec![send(1); TEXTS.len()]);
        let settled: Vec<_> = TEXTS
            .iter()
            .map(|text| Settled { key: key(text), attempt: 1, how: landed(text, 1), now: NOW })
            .collect();
        assert_eq!(desk.settle_these(&settled).await, vec![true; TEXTS.len()]);
        let records = TEXTS.map(|text| desk.record(text));
        let ids = desk.ledger.target_ids(&records).await.unwrap();
        for (text, record) in TEXTS.iter().zip(&records) {
            assert_eq!(ids.get(record).map(haulier_core::TargetId::as_str), Some(*text));
            assert_eq!(desk.row(text).await.tenant, Some(TenantKey::new(*text)));
        }
    }
}

/// As a source's column holds them.
pub async fn generations_of_any_number_survive(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let all = [0, 1, -1, 42, i64::MAX, i64::MIN, 1_700_000_000_000_000];
    let rows: Vec<_> = (all.iter().enumerate())
        .map(|(n, generation)| {
            let mut row = sighting(&n.to_string(), 1);
            row.generation = *generation;
            row
        })
        .collect();
    assert_eq!(desk.admit(&rows).await, vec![Admission::Publish; all.len()]);
    let wanted = |by: i64| -> Vec<Wanted> {
        (all.iter().enumerate())
            .map(|(n, generation)| Wanted {
                key: key(&n.to_string()),
                generation: generation.saturating_add(by),
                hash: digest(1),
            })
            .collect()
    };
    let older: Vec<_> = wanted(-1).into_iter().filter(|w| w.generation != i64::MIN).collect();
    assert_eq!(desk.claim_these(&older).await, vec![Claim::Drop; all.len() - 1]);
    assert_eq!(desk.claim_these(&wanted(0)).await, vec![send(1); all.len()]);
}
