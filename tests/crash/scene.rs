//! A case in which nothing but haulier itself prevents doubled records, and the processes that work in it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hq_sandbox::{Faults, Uniqueness};

use crate::support::process::{self, Running};
use crate::support::{Case, LedgerKind, QueueKind, Setting, field};

/// Requests at a time, of all worker processes together.
pub(super) const WORKERS: usize = 4;
/// Records of one message.
const PARCEL: usize = 10;

/// Most writes that one kill may repeat. A worker has at most one parcel in hand for each request in flight, and one
/// more that waits for its first.
pub(super) const REPEATS_A_KILL: usize = (WORKERS + 1) * PARCEL;

/// A target that stores what it is sent as often as it is sent, and takes a while; processes that are soon found silent.
pub(super) fn setting(queue: QueueKind, ledger: LedgerKind) -> Setting {
    Setting {
        queue,
        ledger,
        unique: Uniqueness::None,
        idempotency_keys: 0,
        faults: Faults { latency_ms: 8, ..Faults::default() },
        push: format!(
            "zombie_grace = \"1s\"\nsilent_after = \"4s\"\nworkers = {WORKERS}\nparcel = {PARCEL}\n\
             [produce]\nchunk = 40\nfibres = 2"
        ),
        ..Setting::default()
    }
}

/// A case with a few hundred records.
pub(super) async fn small(setting: Setting) -> Case {
    Case::small(setting, 6).await
}

/// A case with more than a thousand, and how many there are.
pub(super) async fn larger(setting: Setting) -> (Case, u64) {
    let case = Case::small(setting, 20).await;
    let mut rows = 0;
    for (table, _) in field::TABLES {
        rows += field::rows(&case.field, table, &["1"]).await.len();
    }
    (case, u64::try_from(rows).unwrap())
}

/// Waits until the target has answered so many requests in all.
pub(super) async fn requests(case: &Case, count: u64) {
    process::wait_for("requests", async || (case.sandbox.stats().requests >= count).then_some(())).await;
}

/// A producer and its workers.
pub(super) struct Fleet<'c> {
    case: &'c Case,
    producer: Option<Running>,
    workers: Vec<Worker>,
}

struct Worker {
    process: Running,
    /// One that was started again may have come too late for the run.
    late: bool,
}

/// One process of a fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Producer,
    Worker(usize),
}

impl<'c> Fleet<'c> {
    /// Starts a producer and so many workers; one of them may be armed to crash at `POINT:N`.
    pub(super) fn start(case: &'c Case, workers: usize, armed: Option<(Who, &str)>) -> Self {
        let command = |who: Who| {
            let haulier = case.haulier(verb(who));
            match armed {
                Some((armed, at)) if armed == who => haulier.env("HAULIER_CRASH_AT", at),
                _ => haulier,
            }
        };
        let worker = |index| Worker { process: command(Who::Worker(index)).start(), late: false };
        Self {
            case,
            producer: Some(command(Who::Producer).start()),
            workers: (0..workers).map(worker).collect(),
        }
    }

    pub(super) fn process(&mut self, who: Who) -> &mut Running {
        match who {
            Who::Producer => self.producer.as_mut().expect("it has ended already"),
            Who::Worker(index) => &mut self.workers[index].process,
        }
    }

    /// Waits until an armed process has crashed, and starts it again, unarmed.
    pub(super) async fn restart_after_crash(&mut self, who: Who) {
        self.process(who).crashes().await;
        self.restart(who);
    }

    /// `kill -9`, and the same command again.
    pub(super) async fn kill_and_restart(&mut self, who: Who) {
        self.process(who).kill().await;
        self.restart(who);
    }

    fn restart(&mut self, who: Who) {
        *self.process(who) = self.case.haulier(verb(who)).start();
        if let Who::Worker(index) = who {
            self.workers[index].late = true;
        }
    }

    /// Starts one more worker.
    pub(super) fn start_worker(&mut self) {
        self.workers.push(Worker { process: self.case.haulier(verb(Who::Worker(0))).start(), late: false });
    }

    /// Stops all of them in order.
    pub(super) async fn stops(self) {
        for process in self.workers.into_iter().map(|worker| worker.process).chain(self.producer) {
            process.signal("TERM").await;
            process.ended().await.expect(5);
        }
    }

    /// Waits until all of them have ended well. Returns what they said.
    pub(super) async fn ends(mut self) -> String {
        self.producer_ends().await + &self.workers_end().await
    }

    /// Waits until the producer has ended well, and with it the run.
    pub(super) async fn producer_ends(&mut self) -> String {
        let producer = self.producer.take().expect("it has ended already");
        producer.ended().await.expect(0).stderr
    }

    /// Waits until all workers have ended well.
    pub(super) async fn workers_end(self) -> String {
        let mut said = String::new();
        for Worker { mut process, late } in self.workers {
            let in_time = tokio::time::timeout(Duration::from_secs(10), process.child.wait()).await.is_ok();
            if !in_time && late {
                // It came after the end and waits for the next run.
                process.signal("TERM").await;
                said += &process.ended().await.expect(5).stderr;
            } else {
                said += &process.ended().await.expect(0).stderr;
            }
        }
        said
    }
}

fn verb(who: Who) -> &'static [&'static str] {
    match who {
        Who::Producer => &["produce"],
        Who::Worker(_) => &["work", "-v"],
    }
}

/// Asserts that everything landed once, that the ledger says so and no more, and that no more was repeated than allowed.
pub(crate) async fn assert_once(case: &Case, most_repeats: usize, said: &str) {
    case.sandbox.set_faults(Faults::default()).unwrap();
    case.assert_same_on_both_sides().await;
    case.assert_accounted_for().await;
    case.assert_every_landing_is_logged().await;
    assert_every_row_landed(case).await;
    let mut writes: BTreeMap<String, usize> = BTreeMap::new();
    for request in case.requests() {
        let record = &request["record"];
        let done = request["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
        if let (true, Some(id)) = (done && request["method"] != "GET", record["id"].as_str()) {
            *writes.entry(format!("{}/{id}", record["collection"])).or_default() += 1;
        }
    }
    let repeats: usize = writes.values().map(|count| count - 1).sum();
    assert!(repeats <= most_repeats, "{repeats} writes were repeated, {most_repeats} are allowed:\n{said}");
}

/// Asserts that the id map names every row of the source, and nothing else.
async fn assert_every_row_landed(case: &Case) {
    let mut landed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pair in case.id_map(&[]).await {
        landed.entry(pair.entity).or_default().insert(pair.key);
    }
    for (table, key) in [
        ("accounts", &["id"] as &[&str]),
        ("projects", &["id"]),
        ("users", &["id"]),
        ("memberships", &["project_id", "user_id"]),
    ] {
        let rows = field::rows(&case.field, table, key).await;
        let keys =
            rows.into_iter().map(|row| row.into_iter().map(Option::unwrap).collect::<Vec<_>>().join("|"));
        let entity = table.strip_suffix('s').unwrap();
        assert_eq!(landed.remove(entity).unwrap_or_default(), keys.collect(), "{table}");
    }
    assert!(landed.is_empty(), "{landed:?}");
}
