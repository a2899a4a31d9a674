//! A case under load, and what the target and the command line say of it.

use hq_sandbox::{Faults, Uniqueness};
use serde_json::Value;

use crate::support::evidence::number;
use crate::support::process::{Running, wait_for};
use crate::support::{Case, LedgerKind, QueueKind, Setting};

/// The embedded default, and both servers.
pub(super) const BOTH: [(QueueKind, LedgerKind); 2] =
    [(QueueKind::Embedded, LedgerKind::Sqlite), (QueueKind::Rabbit, LedgerKind::Postgres)];

/// A target that stores whatever is sent twice and takes so long over each request.
pub(super) fn setting(queue: QueueKind, ledger: LedgerKind, latency_ms: u64, push: &str) -> Setting {
    Setting {
        queue,
        ledger,
        unique: Uniqueness::None,
        idempotency_keys: 0,
        faults: Faults { latency_ms, ..Faults::default() },
        push: format!("zombie_grace = \"1s\"\nparcel = 10\n{push}"),
        ..Setting::default()
    }
}

/// A producer and so many workers.
pub(super) struct Fleet {
    pub(super) producer: Running,
    pub(super) workers: Vec<Running>,
}

impl Fleet {
    pub(super) fn start(case: &Case, workers: usize) -> Self {
        let work = || case.haulier(&["work"]).start();
        Self { producer: case.haulier(&["produce"]).start(), workers: (0..workers).map(|_| work()).collect() }
    }

    /// `kill -9` for all.
    pub(super) async fn kill(&mut self) {
        self.producer.kill().await;
        for worker in &mut self.workers {
            worker.kill().await;
        }
    }

    /// Lets the target answer at once, and waits until everything has landed once.
    pub(super) async fn ends(self, case: &Case) {
        case.sandbox.set_faults(Faults::default()).unwrap();
        let mut said = self.producer.ended().await.expect(0).stderr;
        for worker in self.workers {
            said += &worker.ended().await.expect(0).stderr;
        }
        crate::crash::scene::assert_once(case, 0, &said).await;
    }
}

/// Waits until exactly so many requests are in flight at the target.
pub(super) async fn in_flight(case: &Case, count: u64) {
    wait_for("requests in flight", async || (case.sandbox.stats().in_flight == count).then_some(())).await;
}

/// Runs a command of control and gives its JSON.
pub(super) async fn said(case: &Case, args: &[&str]) -> Value {
    case.haulier(&[args, &["--json"]].concat()).run().await.expect(0).json()
}

/// What `haulier explain --history` says.
pub(super) async fn explain(case: &Case) -> Value {
    said(case, &["explain", "--history"]).await
}

/// The shares of the workers that live.
pub(super) async fn shares(case: &Case) -> Vec<u64> {
    let explained = case.haulier(&["explain", "--json"]).run().await;
    if explained.code != Some(0) {
        // There is no run yet.
        return Vec::new();
    }
    let explained = explained.json();
    let of = |process: &Value| process["workers"].as_u64();
    let mut shares: Vec<u64> = explained["processes"].as_array().unwrap().iter().filter_map(of).collect();
    shares.sort_unstable();
    shares
}

/// Waits until the workers have these shares.
pub(crate) async fn until_shared(case: &Case, wanted: &[u64]) {
    wait_for("shares", async || (shares(case).await == wanted).then_some(())).await;
}

/// What a knob comes to.
pub(super) fn knob<'v>(explained: &'v Value, name: &str) -> &'v Value {
    let knobs = explained["knobs"].as_array().unwrap();
    knobs.iter().find(|knob| knob["knob"] == name).unwrap_or_else(|| panic!("no {name} in {explained:#}"))
}

/// How many changes were kept so far.
pub(super) async fn version(case: &Case) -> u64 {
    number(&explain(case).await, "version")
}
