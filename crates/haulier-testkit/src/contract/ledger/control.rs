//! Promises about runs, cursors, processes and leases.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use std::sync::Arc;

use haulier_core::port::{Admission, Cursor, LedgerError, ProducerLease, Run, RunRequest, WalkId};
use haulier_core::{ProcessId, RecordState, RunId};

use super::Bench;
use super::fixture::{Desk, NOW, entity, key, landed, sighting};

/// Each walk's newest state, in their order.
pub async fn cursors_are_kept_for_each_walk(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let cursor = |name: &str, range, at: Option<&str>, done| Cursor {
        walk: WalkId { entity: entity(name), range },
        after: (range > 0).then(|| key("m")),
        upto: (range == 0).then(|| key("m")),
        at: at.map(key),
        done,
    };
    let name = entity("account");
    assert_eq!(desk.ledger.cursors(&desk.run, &name).await, Ok(Vec::new()));
    let first = [
        cursor("account", 1, None, false),
        cursor("account", 0, Some("c"), false),
        cursor("project", 0, None, false),
    ];
    desk.ledger.advance(&desk.run, &first).await.unwrap();
    let second = [cursor("account", 0, Some("m"), true)];
    desk.ledger.advance(&desk.run, &second).await.unwrap();
    desk.ledger.advance(&desk.run, &[]).await.unwrap();
    let wanted = vec![cursor("account", 0, Some("m"), true), cursor("account", 1, None, false)];
    assert_eq!(desk.ledger.cursors(&desk.run, &name).await, Ok(wanted));
    let next = desk.next_run("r-2").await;
    assert_eq!(next.ledger.cursors(&next.run, &name).await, Ok(Vec::new()));
}

/// The refusal names the holder.
pub async fn the_producer_lease_is_held_by_one(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.beat(NOW).await;
    let other = ProcessId::new("other");
    let hold = |who: ProcessId, now| {
        let desk = desk.clone();
        async move { desk.ledger.hold_producer_lease(&desk.run, &who, now, now + 10).await }
    };
    assert_eq!(hold(desk.me.clone(), NOW).await, Ok(ProducerLease { epoch: 1 }));
    assert_eq!(hold(desk.me.clone(), NOW + 5).await, Ok(ProducerLease { epoch: 1 }));
    let refusal = LedgerError::LeaseHeld {
        run: desk.run.clone(),
        holder: desk.me.clone(),
        host: "host-1".to_owned(),
        pid: 4711,
    };
    assert_eq!(hold(other.clone(), NOW + 14).await, Err(refusal));
    assert_eq!(hold(other.clone(), NOW + 15).await, Ok(ProducerLease { epoch: 2 }));
    assert!(
        matches!(hold(desk.me.clone(), NOW + 16).await, Err(LedgerError::LeaseHeld { host, pid: 0, .. }) if host.is_empty())
    );
    desk.ledger.release_producer_lease(&desk.run, &desk.me).await.unwrap();
    assert!(hold(desk.me.clone(), NOW + 16).await.is_err());
    desk.ledger.release_producer_lease(&desk.run, &other).await.unwrap();
    assert_eq!(hold(desk.me.clone(), NOW + 16).await, Ok(ProducerLease { epoch: 3 }));
}

/// Whoever wins, the epochs differ.
pub async fn the_lease_epoch_grows_with_every_holder(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let mut racers = Vec::new();
    for racer in 0..8 {
        let ledger = if racer % 2 == 0 { Arc::clone(&desk.ledger) } else { bench.open().await.unwrap() };
        let run = desk.run.clone();
        racers.push(tokio::spawn(async move {
            let me = ProcessId::new(format!("p{racer}"));
            ledger.hold_producer_lease(&run, &me, NOW, NOW + 10).await
        }));
    }
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(lease) => {
                assert_eq!(lease.epoch, 1);
                won += 1;
            }
            Err(error) => assert!(matches!(error, LedgerError::LeaseHeld { .. }), "{error}"),
        }
    }
    assert_eq!(won, 1);
    let late = desk.ledger.hold_producer_lease(&desk.run, &desk.me, NOW + 10, NOW + 20).await;
    assert_eq!(late, Ok(ProducerLease { epoch: 2 }));
}

fn request<'a>(id: &'a RunId, plan: &'a str, digest: &'a str, accept_plan: bool) -> RunRequest<'a> {
    RunRequest { id, plan, digest, accept_plan, now: NOW + 1 }
}

/// With the id that it had.
pub async fn an_unfinished_run_is_resumed(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    assert_eq!(ledger.latest_run().await, Ok(None));
    let (one, two) = (RunId::new("r-1"), RunId::new("r-2"));
    let first = ledger.open_run(request(&one, "p", "d", false)).await.unwrap();
    let wanted = Run {
        id: one.clone(),
        plan: "p".to_owned(),
        digest: "d".to_owned(),
        started_at: NOW + 1,
        produced_at: None,
        finished_at: None,
        fresh: true,
    };
    assert_eq!(first, wanted);
    ledger.produced(&one, NOW + 5).await.unwrap();
    ledger.produced(&one, NOW + 6).await.unwrap();
    let again = ledger.open_run(request(&two, "p", "d", false)).await;
    let wanted = Run { produced_at: Some(NOW + 5), fresh: false, ..wanted };
    assert_eq!(again, Ok(wanted.clone()));
    assert_eq!(bench.open().await.unwrap().latest_run().await, Ok(Some(wanted)));
}

/// Then the run goes on under the new digest, and walks anew: the cursors may stand in keys that the plan has no more.
pub async fn a_changed_plan_is_refused_until_it_is_accepted(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    let (one, two) = (RunId::new("r-1"), RunId::new("r-2"));
    ledger.open_run(request(&one, "p", "d", false)).await.unwrap();
    let name = entity("account");
    let walk = WalkId { entity: name.clone(), range: 0 };
    let cursor = Cursor { walk, after: None, upto: None, at: Some(key("c")), done: true };
    ledger.advance(&one, std::slice::from_ref(&cursor)).await.unwrap();
    ledger.produced(&one, NOW + 5).await.unwrap();
    let refused = ledger.open_run(request(&two, "p", "e", false)).await;
    assert_eq!(refused, Err(LedgerError::PlanChanged { run: one.clone() }));
    assert_eq!(ledger.cursors(&one, &name).await, Ok(vec![cursor.clone()]));
    let accepted = ledger.open_run(request(&two, "p", "e", true)).await.unwrap();
    assert_eq!((&accepted.id, accepted.digest.as_str(), accepted.fresh), (&one, "e", false));
    assert_eq!(ledger.cursors(&one, &name).await, Ok(Vec::new()));
    let again = ledger.open_run(request(&two, "p", "e", true)).await.unwrap();
    assert_eq!((again.produced_at, accepted.produced_at), (None, None));
    // The same plan once more changes nothing.
    ledger.advance(&one, std::slice::from_ref(&cursor)).await.unwrap();
    assert!(ledger.open_run(request(&two, "p", "e", true)).await.is_ok());
    assert_eq!(ledger.cursors(&one, &name).await, Ok(vec![cursor]));
}

/// Of any digest.
pub async fn a_finished_run_is_followed_by_a_fresh_one(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    let (one, two) = (RunId::new("r-1"), RunId::new("r-2"));
    ledger.open_run(request(&one, "p", "d", false)).await.unwrap();
    ledger.finish_run(&one, NOW + 7).await.unwrap();
    assert_eq!(ledger.latest_run().await.unwrap().unwrap().finished_at, Some(NOW + 7));
    let again = ledger.open_run(request(&one, "p", "d", false)).await;
    assert!(matches!(again, Err(LedgerError::Failed { .. })), "{again:?}");
    let second = ledger.open_run(request(&two, "p", "e", false)).await.unwrap();
    assert_eq!((second.id, second.fresh), (two, true));
}

/// Two plans' records do not mix.
pub async fn a_ledger_serves_one_plan(bench: &dyn Bench) {
    let ledger = bench.open().await.unwrap();
    let (one, two) = (RunId::new("r-1"), RunId::new("r-2"));
    ledger.open_run(request(&one, "p", "d", false)).await.unwrap();
    let other = || LedgerError::OtherPlan { found: "p".to_owned(), asked: "q".to_owned() };
    assert_eq!(ledger.open_run(request(&two, "q", "d", true)).await, Err(other()));
    ledger.finish_run(&one, NOW).await.unwrap();
    assert_eq!(ledger.open_run(request(&two, "q", "d", true)).await, Err(other()));
}

/// Not an empty answer.
pub async fn a_run_that_does_not_exist_is_an_error(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let nobody = RunId::new("r-404");
    assert!(desk.ledger.has_run(&desk.run).await.unwrap());
    assert!(!desk.ledger.has_run(&nobody).await.unwrap());
    assert!(desk.ledger.tally(&nobody).await.is_err());
    assert!(desk.ledger.finish_run(&nobody, NOW).await.is_err());
    let mut beat = desk.sign(NOW);
    beat.run = nobody;
    assert!(desk.ledger.beat(&beat).await.is_err());
}

/// Each once, with what it said last.
pub async fn processes_are_listed_by_their_last_beat(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let (one, two, three) = (desk.process("one"), desk.process("two"), desk.process("three"));
    one.beat(NOW).await;
    two.beat(NOW + 1).await;
    three.beat(NOW + 2).await;
    let mut last = one.sign(NOW + 3);
    (last.in_flight, last.ended) = (0, true);
    desk.ledger.beat(&last).await.unwrap();
    // One that claims without a beat is not shown.
    desk.process("mute").claim(&["1"], 1).await;
    let wanted = vec![last, three.sign(NOW + 2), two.sign(NOW + 1)];
    assert_eq!(desk.ledger.processes(&desk.run).await, Ok(wanted));
}

/// Whatever newer runs do with its records.
pub async fn a_finished_run_keeps_its_tally(bench: &dyn Bench) {
    let first = Desk::open(bench).await;
    first.land("1", 1, "t1").await;
    first.land("2", 1, "t2").await;
    let before = first.ledger.tally(&first.run).await.unwrap();
    let second = first.next_run("r-2").await;
    assert_eq!(second.counts().await.planned, 0);
    second.admit(&[sighting("1", 1), sighting("2", 2), sighting("3", 1)]).await;
    second.claim(&["2"], 2).await;
    second.settle("2", 1, landed("t2", 2)).await;
    assert_eq!(first.ledger.tally(&first.run).await.unwrap(), before);
    let counts = second.counts().await;
    let states =
        [RecordState::Queued, RecordState::Landed, RecordState::Skipped].map(|state| counts.of(state));
    assert_eq!((counts.planned, states), (3, [1, 1, 1]));
}

/// What one stored, the other reads.
pub async fn two_handles_see_each_other(bench: &dyn Bench) {
    let one = Desk::open(bench).await;
    let two = Desk { ledger: bench.open().await.unwrap(), ..one.clone() };
    one.of("early").admit_one(sighting("1", 1)).await;
    two.of("late").land("1", 1, "t1").await;
    assert_eq!(one.of("late").row("1").await, two.of("late").row("1").await);
    assert_eq!(one.ledger.tally(&one.run).await, two.ledger.tally(&two.run).await);
    let record = [one.of("late").record("1")];
    assert_eq!(one.ledger.target_ids(&record).await.unwrap().len(), 1);
    assert_eq!(two.of("early").admit_one(sighting("1", 1)).await, Admission::Publish);
    let mut both = Vec::new();
    for (desk, offset) in [(one.clone(), 0), (two.clone(), 500)] {
        both.push(tokio::spawn(async move {
            for chunk in 0..10 {
                let rows: Vec<_> =
                    (0..20).map(|n| sighting(&format!("{}", offset + chunk * 20 + n), 1)).collect();
                desk.admit(&rows).await;
            }
        }));
    }
    for part in both {
        part.await.unwrap();
    }
    assert_eq!(one.counts().await.planned, 400);
}

/// By name, before anything is read or written.
pub async fn a_newer_ledger_is_refused(bench: &dyn Bench) {
    drop(Desk::open(bench).await);
    bench.pretend_version(999).await;
    let refused = bench.open().await.unwrap_err();
    assert!(matches!(refused, LedgerError::Newer { found: 999, known } if known < 999), "{refused}");
}

/// Several processes start together on a host.
pub async fn opening_at_once_makes_one_ledger(bench: &dyn Bench) {
    let mut opened = tokio::join!(bench.open(), bench.open(), bench.open(), bench.open());
    let one = RunId::new("r-1");
    for ledger in [&mut opened.0, &mut opened.1, &mut opened.2, &mut opened.3] {
        let run = ledger.as_ref().unwrap().open_run(request(&one, "p", "d", false)).await.unwrap();
        assert_eq!(run.id, one);
    }
}
