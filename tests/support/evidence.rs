//! What a case has to say afterwards: the target's request log, the run's counts, the id map.

use std::collections::HashSet;

use serde_json::Value;

use super::{Case, Engine, process, services};

/// One line of `haulier idmap export`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) entity: String,
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) origin: String,
}

impl Case {
    /// Changes the source, whatever its engine, and the file that the comparison reads.
    pub(crate) async fn execute(&self, sql: &str) {
        services::execute(Engine::Sqlite, "", &self.field, sql).await;
        if self.setting.source != Engine::Sqlite {
            services::execute(self.setting.source, &self.name, &self.field, sql).await;
        }
    }

    /// Replaces a text in one of the case's files, which must hold it.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "{file} does not hold {from:?}:\n{text}");
        std::fs::write(self.path(file), text.replace(from, to)).unwrap();
    }

    /// Every request that the target has answered, in order.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.path("requests.jsonl")).unwrap();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How many requests so far could have changed something.
    pub(crate) fn writes(&self) -> usize {
        self.requests().iter().filter(|request| request["method"] != "GET").count()
    }

    /// How many records the target holds.
    pub(crate) fn stored(&self) -> usize {
        self.sandbox.stats().collections.values().map(|stats| stats.records).sum()
    }

    /// Waits until the target holds so many records.
    pub(crate) async fn until_stored(&self, records: usize) {
        process::wait_for("records in the target", async || (self.stored() >= records).then_some(())).await;
    }

    /// What `haulier status --json` says.
    pub(crate) async fn status(&self) -> Value {
        self.haulier(&["status", "--json"]).run().await.expect(0).json()
    }

    /// What `haulier idmap export` says.
    pub(crate) async fn id_map(&self, args: &[&str]) -> Vec<Pair> {
        let args = [&["idmap", "export"], args].concat();
        let exported = self.haulier(&args).run().await.expect(0).stdout;
        let mut lines = csv::Reader::from_reader(exported.as_bytes());
        let pair = |line: csv::Result<csv::StringRecord>| {
            let line = line.unwrap();
            let cell = |index: usize| line[index].to_owned();
            Pair { entity: cell(0), key: cell(1), id: cell(2), origin: cell(3) }
        };
        lines.records().map(pair).collect()
    }

    /// Asserts that every record of the id map was answered by a 2xx to a write, or found by a lookup, in the target's log.
    pub(crate) async fn assert_every_landing_is_logged(&self) {
        let mut logged: HashSet<(String, String)> = HashSet::new();
        for request in self.requests() {
            let record = &request["record"];
            let good = request["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
            if let (true, Some(id)) = (good && request["method"] != "GET", record["id"].as_str()) {
                logged.insert((record["collection"].as_str().unwrap().to_owned(), id.to_owned()));
            }
        }
        let landed = self.id_map(&[]).await;
        assert!(!landed.is_empty(), "nothing has landed");
        for pair in &landed {
            let wanted = (format!("{}s", pair.entity), pair.id.clone());
            assert!(logged.contains(&wanted), "{pair:?} has no 2xx in the target's log");
        }
        assert_eq!(landed.len(), logged.len(), "the target stored more than the id map knows");
    }

    /// Asserts that the run is finished and its counts add up.
    pub(crate) async fn assert_accounted_for(&self) {
        let status = self.status().await;
        assert_eq!(status["state"], "finished", "{status:#}");
        assert_eq!(status["conserved"], true, "{status:#}");
        for counts in status["entities"].as_array().unwrap().iter().chain([&status["all"]]) {
            let sum: u64 =
                ["landed", "dead", "held", "skipped"].iter().map(|state| number(counts, state)).sum();
            assert_eq!(number(counts, "planned"), sum, "{counts:#}");
        }
    }
}

/// A number of a JSON object.
pub(crate) fn number(object: &Value, name: &str) -> u64 {
    object[name].as_u64().unwrap_or_else(|| panic!("no number `{name}` in {object:#}"))
}
