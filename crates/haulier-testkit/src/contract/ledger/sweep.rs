//! Promises about what time and people do.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use haulier_core::port::{Admission, Claim, DeadFilter, Due, ProcessBeat, Settlement};
use haulier_core::{Failure, FailureKind, RecordState, TenantKey};

use super::Bench;
use super::fixture::{Desk, NOW, failure, key, landed, send, sighting};

fn unknown(due: i64) -> Settlement {
    Settlement::Unknown { due, failure: failure(FailureKind::Unknown) }
}

fn retry(due: i64) -> Settlement {
    Settlement::Retry { due, failure: failure(FailureKind::Transient), counted: true }
}

impl Desk {
    async fn ready(&self, keys: &[&str]) {
        self.admit(&keys.iter().map(|text| sighting(text, 1)).collect::<Vec<_>>()).await;
        assert_eq!(self.claim(keys, 1).await, vec![send(1); keys.len()]);
    }

    async fn all_due(&self) -> Vec<Due> {
        self.ledger.due(&self.run, i64::MAX, 1000).await.unwrap()
    }

    async fn republish(&self) {
        self.ledger.republished(&self.run, &self.all_due().await).await.unwrap();
    }
}

/// The claim says so. Nobody may claim it before its time, whose request may still be on its way: a message may come twice.
pub async fn an_unknown_outcome_is_looked_up_before_it_is_sent(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.ready(&["1"]).await;
    assert!(desk.settle("1", 1, unknown(NOW + 9)).await);
    assert_eq!(desk.admit_one(sighting("1", 1)).await, Admission::Noted);
    assert_eq!(desk.claim_one("1", 1).await, Claim::Drop);
    assert_eq!(desk.due(NOW + 9).await, ["1"]);
    desk.republish().await;
    assert_eq!(desk.claim_one("1", 1).await, Claim::Send { attempt: 2, known: None, unsure: true });
    assert!(desk.settle("1", 2, landed("t1", 1)).await);
    desk.admit_one(sighting("1", 2)).await;
    assert!(matches!(desk.claim_one("1", 2).await, Claim::Send { unsure: false, .. }));
}

/// Another failure in between does not tell what became of the first request.
pub async fn doubt_lasts_until_it_lands(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.ready(&["1"]).await;
    desk.settle("1", 1, unknown(NOW)).await;
    desk.republish().await;
    for (attempt, how) in [(2, retry(NOW)), (3, Settlement::Unsent), (3, retry(NOW))] {
        assert_eq!(desk.claim_one("1", 1).await, Claim::Send { attempt, known: None, unsure: true });
        desk.settle("1", attempt, how).await;
    }
    desk.claim_one("1", 1).await;
    desk.settle("1", 4, Settlement::Dead(failure(FailureKind::Refused))).await;
    let by_hand = desk.ledger.judge(&desk.run, &[desk.record("1")], None, "ann", NOW).await;
    assert_eq!(by_hand, Ok(1));
    assert_eq!(desk.claim_one("1", 1).await, Claim::Send { attempt: 1, known: None, unsure: true });
}

/// Those that beat keep theirs.
pub async fn silent_processes_lose_their_claims(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let (quick, dead) = (desk.process("quick"), desk.process("dead"));
    quick.beat(NOW).await;
    dead.beat(NOW - 20).await;
    quick.ready(&["1"]).await;
    dead.ready(&["2", "3"]).await;
    dead.settle("3", 1, landed("t3", 1)).await;
    assert_eq!(desk.ledger.reap(&desk.run, NOW - 20, NOW + 7).await, Ok(0));
    assert_eq!(desk.ledger.reap(&desk.run, NOW - 10, NOW + 7).await, Ok(1));
    assert_eq!(desk.ledger.reap(&desk.run, NOW - 10, NOW + 8).await, Ok(0));
    desk.conserved().await;
    assert_eq!(desk.state("1").await, RecordState::Sending);
    let row = desk.row("2").await;
    assert_eq!(row.failure.map(|failure| failure.kind), Some(FailureKind::Unknown));
    assert_eq!(desk.due(NOW + 6).await, [""; 0]);
    assert_eq!(desk.due(NOW + 7).await, ["2"]);
    // Who comes back to life has lost it.
    assert!(!dead.settle("2", 1, landed("t2", 1)).await);
    desk.republish().await;
    assert_eq!(quick.claim_one("2", 1).await, Claim::Send { attempt: 2, known: None, unsure: true });
    assert!(!dead.settle("2", 1, landed("t2", 1)).await);
    assert!(quick.settle("2", 2, landed("t2", 1)).await);
}

/// At once: whatever it still had in hand when it said good-bye is nobody's.
pub async fn a_process_that_said_good_bye_loses_its_claims(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let gone = desk.process("gone");
    gone.beat(NOW).await;
    gone.ready(&["1"]).await;
    assert_eq!(desk.ledger.reap(&desk.run, NOW - 10, NOW + 7).await, Ok(0));
    let good_bye = ProcessBeat { ended: true, ..gone.sign(NOW) };
    desk.ledger.beat(&good_bye).await.unwrap();
    assert_eq!(desk.ledger.reap(&desk.run, NOW - 10, NOW + 7).await, Ok(1));
    assert_eq!(desk.due(NOW + 7).await, ["1"]);
}

/// And not before their time.
pub async fn due_records_come_oldest_first(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.ready(&["a", "b", "c", "d"]).await;
    for (text, how) in
        [("a", retry(NOW + 3)), ("b", unknown(NOW + 1)), ("c", retry(NOW + 2)), ("d", retry(NOW + 9))]
    {
        desk.settle(text, 1, how).await;
    }
    assert_eq!(desk.due(NOW).await, [""; 0]);
    assert_eq!(desk.due(NOW + 3).await, ["b", "c", "a"]);
    let two = desk.ledger.due(&desk.run, NOW + 9, 2).await.unwrap();
    let wanted = [("b", RecordState::Unknown, 1), ("c", RecordState::Retry, 2)]
        .map(|(text, state, later)| Due { record: desk.record(text), attempt: 1, state, since: NOW + later });
    assert_eq!(two, wanted);
    assert_eq!(desk.ledger.next_due(&desk.run).await, Ok(Some(NOW + 1)));
}

/// Another attempt number, state or due time: somebody was quicker.
pub async fn what_moved_on_is_not_republished(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let all = ["stays", "again", "throttled", "gone"];
    desk.ready(&all).await;
    for text in all {
        desk.settle(text, 1, retry(NOW)).await;
    }
    let due = desk.all_due().await;
    assert_eq!(desk.claim(&["again", "throttled", "gone"], 1).await, [send(2), send(2), send(2)]);
    desk.settle("again", 2, retry(NOW + 1)).await;
    let uncounted =
        Settlement::Retry { due: NOW + 2, failure: failure(FailureKind::Throttled), counted: false };
    desk.settle("throttled", 2, uncounted).await;
    desk.settle("gone", 2, landed("t1", 1)).await;
    desk.ledger.republished(&desk.run, &due).await.unwrap();
    desk.conserved().await;
    assert_eq!(desk.state("stays").await, RecordState::Queued);
    assert_eq!(desk.state("again").await, RecordState::Retry);
    assert_eq!(desk.state("gone").await, RecordState::Landed);
    assert_eq!(desk.state("throttled").await, RecordState::Retry);
    assert_eq!(desk.due(i64::MAX).await, ["again", "throttled"]);
    desk.ledger.republished(&desk.run, &[]).await.unwrap();
}

/// Its message may be lost as well: then it is rescued like any other.
pub async fn an_unknown_record_keeps_its_doubt_in_the_queue(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.ready(&["1"]).await;
    desk.settle("1", 1, unknown(NOW)).await;
    desk.republish().await;
    assert_eq!(desk.state("1").await, RecordState::Queued);
    assert_eq!(desk.ledger.rescue(&desk.run, NOW).await, Ok(1));
    desk.republish().await;
    assert!(matches!(desk.claim_one("1", 1).await, Claim::Send { unsure: true, .. }));
}

/// All of the run's, and nothing else.
pub async fn rescue_makes_queued_records_due(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.land("landed", 1, "t1").await;
    desk.admit(&["1", "2"].map(|text| sighting(text, 1))).await;
    desk.of("project").admit_one(sighting("3", 1)).await;
    assert_eq!(desk.ledger.rescue(&desk.run, NOW + 2).await, Ok(3));
    assert_eq!(desk.ledger.rescue(&desk.run, NOW + 2).await, Ok(0));
    desk.conserved().await;
    assert_eq!(desk.due(NOW + 1).await, [""; 0]);
    assert_eq!(desk.due(NOW + 2).await, ["1", "2", "3"]);
    let due = desk.all_due().await;
    desk.ledger.republished(&desk.run, &due).await.unwrap();
    assert_eq!(desk.claim(&["1", "2"], 1).await, [send(1), send(1)]);
}

/// Held ones too; nothing else, and nothing of another run.
pub async fn a_person_retries_or_waives_dead_records(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    desk.ready(&["dead", "held", "waived", "queued"]).await;
    desk.settle("dead", 1, Settlement::Dead(failure(FailureKind::Refused))).await;
    desk.settle("held", 1, Settlement::AwaitParent(desk.record("nobody"))).await;
    desk.settle("waived", 1, Settlement::Dead(failure(FailureKind::Refused).with_status(422))).await;
    desk.settle("queued", 1, Settlement::Unsent).await;
    let records = ["dead", "held", "queued", "never"].map(|text| desk.record(text));
    assert_eq!(desk.ledger.judge(&desk.run, &records, None, "ann", NOW + 1).await, Ok(2));
    desk.conserved().await;
    assert_eq!(desk.due(NOW + 1).await, ["dead", "held"]);
    let row = desk.row("dead").await;
    assert_eq!((row.state, row.attempts, row.waits_for), (RecordState::Retry, 0, None));
    assert_eq!(desk.row("held").await.waits_for, None);
    let waived = [desk.record("waived")];
    assert_eq!(desk.ledger.judge(&desk.run, &waived, Some("not needed"), "ann", NOW).await, Ok(1));
    assert_eq!(desk.ledger.judge(&desk.run, &waived, Some("not needed"), "ann", NOW).await, Ok(0));
    let row = desk.row("waived").await;
    assert_eq!(row.state, RecordState::Skipped);
    let failure = row.failure.unwrap();
    assert_eq!((failure.kind, failure.status), (FailureKind::Refused, Some(422)));
    assert!(failure.reason.contains("ann") && failure.reason.contains("not needed"), "{failure}");
    assert_eq!(desk.admit_one(sighting("waived", 1)).await, Admission::Skipped);
    let next = desk.next_run("r-2").await;
    assert_eq!(next.ledger.judge(&next.run, &records, None, "ann", NOW).await, Ok(0));
}

/// In entity and key order.
pub async fn lists_are_filtered_and_paged(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    for entity in ["zebra", "account", "project"] {
        let desk = desk.of(entity);
        let rows: Vec<_> = (0..5)
            .map(|n| {
                let mut row = sighting(&n.to_string(), 1);
                row.tenant = Some(TenantKey::new(if n < 3 { "acme" } else { "umbrella" }));
                row
            })
            .collect();
        desk.admit(&rows).await;
        desk.claim(&["0", "1", "2", "3", "4"], 1).await;
        desk.settle("0", 1, Settlement::Dead(failure(FailureKind::Refused))).await;
        desk.settle("1", 1, Settlement::Dead(failure(FailureKind::Transient))).await;
        desk.settle("3", 1, Settlement::Dead(failure(FailureKind::Refused))).await;
        desk.settle("4", 1, Settlement::AwaitPerson(Failure::new(FailureKind::Conflict, "differs"))).await;
    }
    let list = |filter: DeadFilter| {
        let desk = desk.clone();
        async move {
            // Pages of two are the same list.
            let (mut all, mut after) = (Vec::new(), None);
            loop {
                let page = desk.ledger.list(&desk.run, &filter, after.as_ref(), 2).await.unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.record.clone());
                all.extend(page.iter().map(|row| row.record.to_string()));
            }
            all
        }
    };
    let dead = DeadFilter { states: vec![RecordState::Dead], ..DeadFilter::default() };
    let wanted = ["account", "project", "zebra"]
        .map(|entity| ["0", "1", "3"].map(|key| format!("{entity}/{key}")))
        .concat();
    assert_eq!(list(dead.clone()).await, wanted);
    let one = DeadFilter { entity: Some(super::entity("project")), ..dead.clone() };
    assert_eq!(list(one).await, wanted[3..6]);
    let kind = DeadFilter { kinds: vec![FailureKind::Transient, FailureKind::Conflict], ..dead.clone() };
    assert_eq!(list(kind).await, ["account/1", "project/1", "zebra/1"]);
    let tenant = DeadFilter { tenant: Some(TenantKey::new("umbrella")), ..dead.clone() };
    assert_eq!(list(tenant).await, ["account/3", "project/3", "zebra/3"]);
    let sending = DeadFilter { states: vec![RecordState::Sending, RecordState::Held], ..dead };
    assert_eq!(list(sending).await.len(), 6);
    let after = desk.record("1");
    let filter = DeadFilter { states: RecordState::ALL.to_vec(), ..DeadFilter::default() };
    let rest = desk.ledger.list(&desk.run, &filter, Some(&after), 100).await.unwrap();
    assert_eq!((rest.len(), &rest[0].record.key), (13, &key("2")));
}
