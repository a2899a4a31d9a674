//! Promises about the history of a run's stages, and its controller's lease.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use haulier_core::stage::{
    CheckResult, Decision, Entry, Evidence, Fact, Finding, RunEvent, RunKind, Verb, Weight,
};
use haulier_core::{ProcessId, StageName};

use super::Bench;
use super::fixture::{Desk, NOW};

fn entry(version: u64, fact: Fact) -> Entry {
    Entry { version, at: NOW + 1, by: "ana@ops".to_owned(), note: None, fact }
}

/// Whole, in order, for every handle, and each run's own.
pub async fn entries_of_stages_are_kept_in_order(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let bulk = StageName::new("bulk");
    let finding = Finding {
        check: "queue.empty".to_owned(),
        weight: Weight::Must,
        result: CheckResult::Inconclusive,
        saw: "it's \"blocked\"".to_owned(),
    };
    let decision = Decision {
        verb: Verb::Go,
        person: "pierre".to_owned(),
        plan: "p1".to_owned(),
        evidence: "e1".to_owned(),
        overrides: true,
    };
    let note = Some("it's\n\"known\"".to_owned());
    let all = [
        entry(1, Fact::Opened(RunKind::Production, "sam".to_owned())),
        entry(2, Fact::Plan(1, "p1".to_owned())),
        Entry { note, ..entry(3, Fact::Run(RunEvent::Start)) },
        entry(4, Fact::Evidence(bulk.clone(), Evidence { digest: "e1".to_owned(), findings: vec![finding] })),
        entry(5, Fact::Decision(bulk.clone(), decision)),
        entry(6, Fact::Part(bulk, "wave \"w1\"".to_owned())),
    ];
    assert_eq!(desk.ledger.entries(&desk.run, 0).await, Ok(Vec::new()));
    assert_eq!(desk.ledger.append(&desk.run, 0, &all[..2]).await, Ok(true));
    assert_eq!(desk.ledger.append(&desk.run, 2, &all[2..]).await, Ok(true));
    let other = bench.open().await.unwrap();
    assert_eq!(other.entries(&desk.run, 0).await.unwrap(), all);
    assert_eq!(other.entries(&desk.run, 4).await.unwrap(), all[4..]);
    let next = desk.next_run("r-2").await;
    assert_eq!(next.ledger.entries(&next.run, 0).await, Ok(Vec::new()));
}

/// The others learn that they came late, and nothing of theirs is kept; the same call once more is no other's.
pub async fn one_of_racing_entries_wins(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let first = [entry(1, Fact::Run(RunEvent::Start)), entry(2, Fact::Run(RunEvent::Pause))];
    assert_eq!(desk.ledger.append(&desk.run, 0, &first).await, Ok(true));
    assert_eq!(desk.ledger.append(&desk.run, 0, &first).await, Ok(true));
    assert_eq!(desk.ledger.append(&desk.run, 1, &[entry(2, Fact::Run(RunEvent::Abort))]).await, Ok(false));
    let mut racing = Vec::new();
    for racer in 0..8_u32 {
        let ledger = bench.open().await.unwrap();
        let run = desk.run.clone();
        racing.push(tokio::spawn(async move {
            let mine = [entry(3, Fact::Plan(racer, "p".to_owned())), entry(4, Fact::Run(RunEvent::AtRest))];
            ledger.append(&run, 2, &mine).await.unwrap().then_some(racer)
        }));
    }
    let mut won = Vec::new();
    for racer in racing {
        won.extend(racer.await.unwrap());
    }
    assert_eq!(won.len(), 1, "{won:?}");
    let kept = desk.ledger.entries(&desk.run, 2).await.unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].fact, Fact::Plan(won[0], "p".to_owned()));
}

/// Until it ends, is given back, or runs out.
pub async fn the_controller_lease_is_held_by_one(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let (one, two) = (ProcessId::new("one"), ProcessId::new("two"));
    let ledger = &desk.ledger;
    assert_eq!(ledger.controller_lease(&desk.run).await, Ok(None));
    let held = ledger.hold_controller_lease(&desk.run, &one, NOW, NOW + 10).await.unwrap();
    assert_eq!((held.holder.clone(), held.since, held.until), (one.clone(), NOW, NOW + 10));
    let refused = ledger.hold_controller_lease(&desk.run, &two, NOW + 9, NOW + 19).await.unwrap();
    assert_eq!(refused, held);
    let renewed = ledger.hold_controller_lease(&desk.run, &one, NOW + 5, NOW + 15).await.unwrap();
    assert_eq!((renewed.since, renewed.until), (NOW, NOW + 15));
    assert!(renewed.is_live(NOW + 14) && !renewed.is_live(NOW + 15));
    // One that is not its holder gives nothing back.
    ledger.release_controller_lease(&desk.run, &two).await.unwrap();
    assert_eq!(ledger.controller_lease(&desk.run).await, Ok(Some(renewed)));
    let taken = ledger.hold_controller_lease(&desk.run, &two, NOW + 15, NOW + 25).await.unwrap();
    assert_eq!((taken.holder, taken.since), (two.clone(), NOW + 15));
    ledger.release_controller_lease(&desk.run, &two).await.unwrap();
    assert_eq!(ledger.controller_lease(&desk.run).await, Ok(None));
}
