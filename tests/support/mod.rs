//! What the end-to-end tests stand on: a case is a source, a queue, a ledger and a target of its own.

pub(crate) mod collections;
pub(crate) mod desk;
pub(crate) mod evidence;
pub(crate) mod field;
pub(crate) mod http;
pub(crate) mod neutral;
pub(crate) mod process;
pub(crate) mod server;
pub(crate) mod services;
pub(crate) mod shared;

use std::path::{Path, PathBuf};
use std::time::Duration;

use hq_sandbox::{Config, Faults, Login, Sandbox, StoreKind, Uniqueness};
use tempfile::TempDir;

pub(crate) use process::Haulier;
pub(crate) use services::Engine;

/// The token of every sandbox in tests.
pub(crate) const TOKEN: &str = "test-token";

/// Which queue a case uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueKind {
    Rabbit,
    Embedded,
}

/// Which ledger a case uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LedgerKind {
    Sqlite,
    Postgres,
}

/// What differs between cases.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) source: Engine,
    pub(crate) queue: QueueKind,
    pub(crate) ledger: LedgerKind,
    pub(crate) unique: Uniqueness,
    /// How many answers the target keeps for `Idempotency-Key`.
    pub(crate) idempotency_keys: usize,
    pub(crate) faults: Faults,
    /// Lines for the site's `[push]` table.
    pub(crate) push: String,
    /// Lines for the site's `[target]` table.
    pub(crate) target: String,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            source: Engine::Sqlite,
            queue: QueueKind::Embedded,
            ledger: LedgerKind::Sqlite,
            unique: Uniqueness::Enforced,
            idempotency_keys: 100_000,
            faults: Faults::default(),
            push: "zombie_grace = \"1s\"".to_owned(),
            target: String::new(),
        }
    }
}

/// A source with the demo's records, a queue, a ledger and a running target, all gone at the end.
pub(crate) struct Case {
    pub(crate) dir: TempDir,
    pub(crate) sandbox: Sandbox,
    /// The records as the source holds them, whatever its engine: a SQLite file.
    pub(crate) field: PathBuf,
    setting: Setting,
    name: String,
}

impl Case {
    /// Makes a case with the whole demo source.
    pub(crate) async fn new(setting: Setting) -> Self {
        let dir = TempDir::new().unwrap();
        let field = dir.path().join("field.sqlite");
        hq_sandbox::field_demo::create(&field, hq_sandbox::field_demo::DEFAULT_SEED).await.unwrap();
        Self::with_field(setting, dir, field).await
    }

    /// Makes a case whose source holds only the first `accounts` accounts with all that belongs to them.
    pub(crate) async fn small(setting: Setting, accounts: u32) -> Self {
        let dir = TempDir::new().unwrap();
        let field = dir.path().join("field.sqlite");
        hq_sandbox::field_demo::create(&field, hq_sandbox::field_demo::DEFAULT_SEED).await.unwrap();
        field::keep_accounts(&field, accounts).await;
        Self::with_field(setting, dir, field).await
    }

    /// Makes a case with this SQLite file as its source's content.
    pub(crate) async fn with_field(setting: Setting, dir: TempDir, field: PathBuf) -> Self {
        let name = services::unique_name();
        services::create_source(setting.source, &name, &field).await;
        let mut config = Config::in_memory(TOKEN);
        config.store = StoreKind::Memory;
        config.unique = setting.unique;
        config.faults = setting.faults.clone();
        config.idempotency_keys = setting.idempotency_keys;
        // For who logs in, with a token that is soon over.
        let lifetime = Duration::from_millis(400);
        config.login = Some(Login { user: "mover".to_owned(), password: TOKEN.to_owned(), lifetime });
        config.log = Some(dir.path().join("requests.jsonl"));
        let sandbox = Sandbox::start(config).await.unwrap();
        let case = Self { dir, sandbox, field, setting, name };
        case.write_files();
        case
    }

    /// The name of its queue, schema and database.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A file of the case's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes plan, site and token.
    pub(crate) fn write_files(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::copy(root.join("config/plan.toml"), self.path("plan.toml")).unwrap();
        process::write_secret(&self.path("hq.token"), TOKEN);
        std::fs::write(self.path("site.toml"), self.site()).unwrap();
    }

    fn site(&self) -> String {
        let source = services::source_url(self.setting.source, &self.name, &self.field);
        let (queue, queue_secret) = match self.setting.queue {
            QueueKind::Embedded => ("url = \"embedded:queue.sqlite\"".to_owned(), ""),
            QueueKind::Rabbit => {
                (services::rabbit_site(&self.name), "password = { env = \"TEST_AMQP_PASSWORD\" }")
            }
        };
        let ledger = match self.setting.ledger {
            LedgerKind::Sqlite => "url = \"sqlite:ledger.sqlite\"".to_owned(),
            LedgerKind::Postgres => services::postgres_ledger_site(&self.name),
        };
        format!(
            "[source]\n{source}\n[queue]\n{queue}\n{queue_secret}\n[ledger]\n{ledger}\n[target]\nbase_url = \"{}\"\n\
             auth = {{ bearer = {{ file = \"hq.token\" }} }}\n{}\n[push]\n{}\n",
            self.sandbox.base_url(),
            self.setting.target,
            self.setting.push,
        )
    }

    /// A `haulier` command on this case's plan and site.
    pub(crate) fn haulier(&self, args: &[&str]) -> Haulier {
        Haulier::new(self.dir.path(), args)
    }

    /// Asserts that the target holds exactly what the source holds, compared by natural keys.
    pub(crate) async fn assert_same_on_both_sides(&self) {
        let source = neutral::of_source(&self.field).await;
        let target = neutral::of_target(self.sandbox.base_url()).await;
        neutral::assert_equal(&source, &target);
        for (collection, stats) in self.sandbox.stats().collections {
            assert_eq!(stats.duplicates, 0, "{collection} holds doubled records");
        }
    }

    /// Loses everything that the queue holds, and on a broker the queue itself, while nobody uses it.
    pub(crate) async fn lose_queue(&self) {
        match self.setting.queue {
            QueueKind::Embedded => {
                let file = self.path("queue.sqlite");
                services::execute(Engine::Sqlite, &self.name, &file, "delete from message").await;
            }
            QueueKind::Rabbit => services::drop_queues(&self.name).await,
        }
    }

    /// Removes what the case made outside its folder, and stops the target.
    pub(crate) async fn end(self) {
        services::drop_source(self.setting.source, &self.name).await;
        if self.setting.ledger == LedgerKind::Postgres {
            services::drop_ledger(&self.name).await;
        }
        if self.setting.queue == QueueKind::Rabbit {
            services::drop_queues(&self.name).await;
        }
        self.sandbox.stop().await.unwrap();
    }
}
