//! A server of a test's own, which it may kill, or bring into straits.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

/// A machine that is busy takes its time to start a broker, and to ask it anything.
const PATIENCE: Duration = Duration::from_secs(100);

/// `host:port` of a URL.
pub(crate) fn place(url: &str) -> String {
    url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned()
}

/// A server with ports and a folder of its own; stopped when it is dropped.
pub(crate) struct Server {
    name: &'static str,
    /// More of the environment that `scripts/services.sh` is called with.
    settings: Vec<(String, String)>,
    home: TempDir,
    base: u16,
}

impl Server {
    pub(crate) async fn start(name: &'static str, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let server = Self { name, settings, home: TempDir::new().unwrap(), base: free_ports() };
        server.script("start").await;
        server
    }

    /// The address of one of its ports.
    pub(crate) fn at(&self, offset: u16) -> String {
        format!("127.0.0.1:{}", self.base + offset)
    }

    pub(crate) async fn kill_and_restart(&self) {
        self.script("kill9").await;
        self.script("start").await;
    }

    /// Runs `rabbitmqctl` on it.
    pub(crate) async fn ctl(&self, args: &[&str]) {
        let mut command = Command::from(self.command("ctl", args));
        let ended =
            tokio::time::timeout(PATIENCE, command.output()).await.expect("rabbitmqctl hangs").unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "rabbitmqctl {args:?}: {said}");
    }

    /// What the broker wrote into its log so far.
    pub(crate) fn log(&self) -> String {
        let folder = self.home.path().join(self.name).join("log");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter_map(|file| std::fs::read_to_string(file).ok()).collect()
    }

    fn command(&self, what: &str, args: &[&str]) -> std::process::Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/services.sh");
        let mut command = std::process::Command::new(script);
        command
            .arg(what)
            .args(args)
            .envs(self.settings.iter().cloned())
            .env("HAULIER_SERVICES", self.home.path())
            .env("HAULIER_AMQP_PORT", self.base.to_string())
            .env("HAULIER_AMQP_API_PORT", (self.base + 5).to_string())
            .env("HAULIER_POSTGRES_PORT", (self.base + 11).to_string())
            .env("HAULIER_MYSQL_PORT", (self.base + 13).to_string());
        command
    }

    /// A command line, without a shell, that does this to the server.
    pub(crate) fn words(&self, what: &str) -> Vec<String> {
        let command = self.command(what, &[self.name]);
        let set = command.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?)));
        let set: Vec<String> = set.map(|(name, value)| format!("{name}={value}")).collect();
        let words = [command.get_program()].into_iter().chain(command.get_args());
        let words = words.map(|word| word.to_str().unwrap().to_owned());
        std::iter::once("env".to_owned()).chain(set).chain(words).collect()
    }

    async fn script(&self, what: &str) {
        let ended = Command::from(self.command(what, &[self.name])).status();
        let ended = tokio::time::timeout(PATIENCE, ended).await;
        assert!(ended.expect("the script hangs").unwrap().success(), "{what} {} failed", self.name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that does not run any more needs no stop.
        let _ended = self.command("stop", &[self.name]).status();
    }
}

/// The first of sixteen ports that are free now, and that no other test of this process was given.
fn free_ports() -> u16 {
    static TURN: AtomicU16 = AtomicU16::new(0);
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let start = u16::try_from(std::process::id() % 200).unwrap();
    (0..200)
        .map(|_| 57_000 + (start + TURN.fetch_add(1, Ordering::Relaxed)) % 200 * 16)
        .find(|base| (*base..*base + 16).all(free))
        .expect("no free ports")
}
