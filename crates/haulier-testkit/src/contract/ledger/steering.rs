//! Promises about live control: its history, and what processes say of themselves.

#![expect(clippy::unwrap_used, reason = "a suite fails by panicking")]

use std::time::Duration;

use haulier_core::ProcessId;
use haulier_core::control::{Change, Knob, Limit, Measured, Report, Sample, Setting, Side, Turn, Valve};

use super::Bench;
use super::fixture::{Desk, NOW};

fn set(version: u64, workers: f64) -> Change {
    Change {
        version,
        at: NOW + 1,
        by: "ana".to_owned(),
        reason: None,
        turn: Turn::Knob(Knob::Workers, Setting::To(Limit::At(workers))),
        previous: "2".to_owned(),
        forced: false,
        expires: None,
    }
}

/// Whole, in order, for every handle and after whatever was read before.
pub async fn changes_of_control_are_kept_in_order(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    assert_eq!(desk.ledger.changes(&desk.run, 0).await, Ok(Vec::new()));
    let pause = Change {
        reason: Some("db backup \"at\" ten's".to_owned()),
        turn: Turn::Valve(Side::Push, Valve::Paused),
        previous: "open".to_owned(),
        forced: true,
        expires: Some(NOW + 5),
        ..set(2, 0.0)
    };
    let free = Change { turn: Turn::Knob(Knob::PushRate, Setting::To(Limit::None)), ..set(3, 0.0) };
    let all = [set(1, 0.5), pause, free];
    assert_eq!(desk.ledger.change(&desk.run, 0, &all[..1]).await, Ok(true));
    assert_eq!(desk.ledger.change(&desk.run, 1, &all[1..]).await, Ok(true));
    let other = bench.open().await.unwrap();
    assert_eq!(other.changes(&desk.run, 0).await.unwrap(), all);
    assert_eq!(other.changes(&desk.run, 2).await.unwrap(), all[2..]);
    assert_eq!(other.changes(&desk.run, 3).await, Ok(Vec::new()));
    let next = desk.next_run("r-2").await;
    assert_eq!(next.ledger.changes(&next.run, 0).await, Ok(Vec::new()));
    assert_eq!(next.ledger.changes(&desk.run, 0).await.unwrap(), all);
}

/// The others learn that they came late, and nothing of theirs is kept; the same call once more is no other's.
pub async fn one_of_racing_changes_wins(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let one = [set(1, 4.0), set(2, 5.0)];
    assert_eq!(desk.ledger.change(&desk.run, 0, &one).await, Ok(true));
    assert_eq!(desk.ledger.change(&desk.run, 0, &one).await, Ok(true));
    assert_eq!(desk.ledger.change(&desk.run, 0, &[set(1, 9.0)]).await, Ok(false));
    assert_eq!(desk.ledger.change(&desk.run, 1, &[set(2, 9.0)]).await, Ok(false));
    let mut racing = Vec::new();
    for racer in 0..8_u32 {
        let ledger = bench.open().await.unwrap();
        let run = desk.run.clone();
        racing.push(tokio::spawn(async move {
            ledger.change(&run, 2, &[set(3, f64::from(racer + 1))]).await.unwrap().then_some(racer)
        }));
    }
    let mut won = Vec::new();
    for racer in racing {
        won.extend(racer.await.unwrap());
    }
    let kept = desk.ledger.changes(&desk.run, 2).await.unwrap();
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(kept, [set(3, f64::from(won[0] + 1))]);
}

/// Beside its signs of life, which leave it alone.
pub async fn a_process_keeps_its_last_report(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let mut report = Report { version: 3, applied_at: NOW, workers: Some(5), ..Report::default() };
    // Whoever never gave a sign of life is not known.
    desk.ledger.report(&desk.me, &report).await.unwrap();
    desk.beat(NOW).await;
    let kept = async || desk.ledger.processes(&desk.run).await.unwrap().remove(0).report;
    assert_eq!(kept().await, None);
    desk.ledger.report(&desk.me, &report).await.unwrap();
    report.push_rate = Some(Limit::At(0.1));
    report.measured.latencies.add(Duration::from_millis(20));
    report.held = Some("control unreadable".to_owned());
    desk.ledger.report(&desk.me, &report).await.unwrap();
    desk.beat(NOW + 1).await;
    assert_eq!(kept().await, Some(report));
}

/// In the order of time, each run for itself; a repeated call is no second sample.
pub async fn what_processes_measured_is_a_runs_history(bench: &dyn Bench) {
    let desk = Desk::open(bench).await;
    let sample = |at, process: &str, failed| {
        let mut measured = Measured { requests_per_second: 1.0 / 3.0, failed, ..Measured::default() };
        measured.latencies.add(Duration::from_millis(u64::from(failed) + 1));
        Sample { at, process: ProcessId::new(process), measured }
    };
    let all = [sample(NOW, "w-1", 0), sample(NOW, "w-2", 3), sample(NOW + 10, "w-1", 7)];
    for index in [2, 0, 1, 0] {
        desk.ledger.sample(&desk.run, &all[index]).await.unwrap();
    }
    assert_eq!(bench.open().await.unwrap().samples(&desk.run).await.unwrap(), all);
    let next = desk.next_run("r-2").await;
    assert_eq!(next.ledger.samples(&next.run).await.unwrap(), []);
}
