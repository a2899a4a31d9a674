//! The port's contract suite over both databases.

mod postgres;
mod sqlite;

use haulier_core::control::{Change, Knob, Limit, Report, Setting, Turn};
use haulier_core::port::Ledger;
use haulier_core::{ProcessId, RunId};

pub(crate) use postgres::Schema;

/// A run with a process, as a ledger of the first version has them.
pub(crate) const FIRST_VERSION_ROWS: &str = "
    INSERT INTO run (name, plan, digest, started_at, lease_until, lease_epoch) VALUES ('r-1', 'p', 'd', 1, 0, 0);
    INSERT INTO process (name, run, role, host, pid, beat_at, in_flight, ended) VALUES ('w-1', 1, 'worker', 'h', 7, 5, 2, 0);";

/// What was in a ledger of the first version is there, and what the later ones keep is kept.
pub(crate) async fn assert_upgraded(ledger: &dyn Ledger) {
    let (run, process) = (RunId::new("r-1"), ProcessId::new("w-1"));
    assert_eq!(ledger.latest_run().await.unwrap().unwrap().id, run);
    let beats = ledger.processes(&run).await.unwrap();
    assert_eq!(
        (beats[0].process.clone(), beats[0].in_flight, beats[0].report.clone()),
        (process.clone(), 2, None)
    );
    let change = Change {
        version: 1,
        at: 6,
        by: "ana".to_owned(),
        reason: None,
        turn: Turn::Knob(Knob::Workers, Setting::To(Limit::At(4.0))),
        previous: "2".to_owned(),
        forced: false,
        expires: None,
    };
    assert_eq!(ledger.changes(&run, 0).await.unwrap(), []);
    assert!(ledger.change(&run, 0, std::slice::from_ref(&change)).await.unwrap());
    assert_eq!(ledger.changes(&run, 0).await.unwrap(), [change]);
    let report = Report { version: 1, ..Report::default() };
    ledger.report(&process, &report).await.unwrap();
    assert_eq!(ledger.processes(&run).await.unwrap()[0].report, Some(report));
    assert_eq!(ledger.samples(&run).await.unwrap(), []);
}

/// Where the kept counts of the newest run differ from its records: entity, state, difference.
const WRONG_COUNTS: &str = "
    SELECT CAST(entity AS BIGINT), CAST(state AS BIGINT), CAST(SUM(n) AS BIGINT) FROM (
        SELECT entity, state, n FROM tally WHERE run = (SELECT MAX(id) FROM run) AND state < 8
        UNION ALL
        SELECT entity, state, -1 FROM record WHERE run = (SELECT MAX(id) FROM run)
    ) AS both_sides GROUP BY entity, state HAVING SUM(n) <> 0";
