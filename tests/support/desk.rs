//! A case with a source and a plan of its own, an embedded queue, a SQLite ledger, and a target that keeps any JSON.

use std::path::PathBuf;

use tempfile::TempDir;

use super::collections::Collections;
use super::services::{self, Engine};
use super::{Haulier, process};

/// A plan of notes that are created, and found by their title.
pub(crate) const NOTES: &str = r#"
name = "notes"
tenant = "note"
[retry]
base = "50ms"
cap = "300ms"
[[entity]]
name = "note"
source = { table = "notes", key = ["id"] }
natural_key = ["title"]
fields = { title = "title" }
[entity.push]
shape = "create"
create = { path = "/notes", id = "/id" }
lookup = { path = "/notes?title={title}", items = "/items", match = ["title"] }
"#;

/// So many of them: `note 1`, `note 2` and so on.
pub(crate) fn notes(count: u32) -> String {
    let rows: Vec<String> = (1..=count).map(|id| format!("({id}, 'note {id}')")).collect();
    format!(
        "create table notes (id integer primary key, title varchar(40)); insert into notes values {};",
        rows.join(", ")
    )
}

/// The case; [`Desk::end`] removes its database.
pub(crate) struct Desk {
    dir: TempDir,
    engine: Engine,
    name: String,
    pub(crate) target: Collections,
}

impl Desk {
    /// Makes the source by this script, and writes plan and site.
    pub(crate) async fn new(engine: Engine, script: &str, plan: &str, target: Collections) -> Self {
        let dir = TempDir::new().unwrap();
        let name = services::unique_name();
        services::create_database(engine, &name, &dir.path().join("source.sqlite"), script).await;
        let desk = Self { dir, engine, name, target };
        std::fs::write(desk.path("plan.toml"), plan).unwrap();
        desk.write_site("zombie_grace = \"1s\"\nworkers = 8");
        desk
    }

    /// Writes the site, with these lines in its `[push]` table.
    pub(crate) fn write_site(&self, push: &str) {
        let source = services::source_url(self.engine, &self.name, &self.path("source.sqlite"));
        let site = format!(
            "[source]\n{source}\n[queue]\nurl = \"embedded:queue.sqlite\"\n[ledger]\nurl = \"sqlite:ledger.sqlite\"\n\
             [target]\nbase_url = \"{}\"\n[push]\n{push}\n",
            self.target.url()
        );
        std::fs::write(self.path("site.toml"), site).unwrap();
    }

    /// The name of its database.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A file of the case's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A `haulier` command on this case's plan and site.
    pub(crate) fn haulier(&self, args: &[&str]) -> Haulier {
        Haulier::new(self.dir.path(), args)
    }

    /// Runs a script in the source.
    pub(crate) async fn execute(&self, script: &str) {
        services::execute(self.engine, &self.name, &self.path("source.sqlite"), script).await;
    }

    /// What `haulier status --json` says.
    pub(crate) async fn status(&self) -> serde_json::Value {
        self.haulier(&["status", "--json"]).run().await.expect(0).json()
    }

    /// What `haulier dead list --json` says, a line each.
    pub(crate) async fn dead(&self) -> Vec<serde_json::Value> {
        let listed = self.haulier(&["dead", "list", "--json", "--limit", "10000"]).run().await;
        listed.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Removes what the case made outside its folder.
    pub(crate) async fn end(self) {
        services::drop_source(self.engine, &self.name).await;
    }
}

/// Waits until a run's counts fit.
pub(crate) async fn wait_for_counts(desk: &Desk, what: &str, fits: impl Fn(&serde_json::Value) -> bool) {
    process::wait_for(what, async || {
        let status = desk.haulier(&["status", "--json"]).run().await;
        (status.code == Some(0) && fits(&status.json()["all"])).then_some(())
    })
    .await;
}
