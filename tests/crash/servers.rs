//! A server of our own is killed in the middle and comes back: everything goes on by itself.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use super::scene::{self, Fleet, REPEATS_A_KILL};
use crate::support::services::address;
use crate::support::{LedgerKind, QueueKind};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_while_it_is_published_to_loses_nothing() {
    let broker = Server::start("rabbitmq").await;
    let setting = scene::setting(QueueKind::Rabbit, LedgerKind::Sqlite);
    // Slowly, so that there is something to publish all the time.
    let push = setting.push.replace("[produce]", "[produce]\nrate = 500");
    let (case, rows) = scene::larger(crate::support::Setting { push, ..setting }).await;
    case.edit("site.toml", &place(&address("HAULIER_TEST_AMQP_URL")), &broker.at(0));
    case.edit("site.toml", &place(&address("HAULIER_TEST_AMQP_API_URL")), &broker.at(5));
    let fleet = Fleet::start(&case, 2, None);
    scene::requests(&case, rows / 4).await;
    assert!(case.status().await["produced_at"].is_null(), "everything was published already");
    broker.kill_and_restart().await;
    let said = fleet.ends().await;
    assert!(said.contains("publishing is interrupted"), "the broker's end went unnoticed:\n{said}");
    assert!(!said.contains("never came out of it"), "the broker lost what it had confirmed:\n{said}");
    // Its claims stay a worker's own without the broker.
    scene::assert_once(&case, 0, &said).await;
    case.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_killed_comes_back_with_all_that_it_said() {
    let server = Server::start("postgres").await;
    let (case, rows) = scene::larger(scene::setting(QueueKind::Embedded, LedgerKind::Postgres)).await;
    case.edit("site.toml", &place(&address("HAULIER_TEST_POSTGRES_URL")), &server.at(11));
    let fleet = Fleet::start(&case, 2, None);
    scene::requests(&case, rows / 3).await;
    server.kill_and_restart().await;
    let said = fleet.ends().await;
    // Both workers may have dropped what they held.
    scene::assert_once(&case, 2 * REPEATS_A_KILL, &said).await;
    case.end().await;
}

/// `host:port` of a URL.
fn place(url: &str) -> String {
    url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned()
}

/// A server with ports and a folder of its own; stopped when it is dropped.
struct Server {
    name: &'static str,
    home: TempDir,
    base: u16,
}

impl Server {
    async fn start(name: &'static str) -> Self {
        let server = Self { name, home: TempDir::new().unwrap(), base: free_ports() };
        server.script("start").await;
        server
    }

    /// The address of one of its ports.
    fn at(&self, offset: u16) -> String {
        format!("127.0.0.1:{}", self.base + offset)
    }

    async fn kill_and_restart(&self) {
        self.script("kill9").await;
        self.script("start").await;
    }

    fn command(&self, what: &str) -> std::process::Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services.sh");
        let mut command = std::process::Command::new(script);
        command
            .args([what, self.name])
            .env("HAULIER_SERVICES", self.home.path())
            .env("HAULIER_AMQP_PORT", self.base.to_string())
            .env("HAULIER_AMQP_API_PORT", (self.base + 5).to_string())
            .env("HAULIER_POSTGRES_PORT", (self.base + 11).to_string());
        command
    }

    async fn script(&self, what: &str) {
        let ended = Command::from(self.command(what)).status();
        let ended = tokio::time::timeout(Duration::from_secs(100), ended).await;
        assert!(ended.expect("the script hangs").unwrap().success(), "{what} {} failed", self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that does not run any more needs no stop.
        let _ended = self.command("stop").status();
    }
}

/// The first of sixteen ports that are free now.
fn free_ports() -> u16 {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let start = u16::try_from(std::process::id() % 200).unwrap();
    (0..200)
        .map(|turn| 57_000 + (start + turn) % 200 * 16)
        .find(|base| (*base..*base + 16).all(free))
        .expect("no free ports")
}
