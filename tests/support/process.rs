//! The real binary, with a deadline on everything.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// Longest time for one command; a run that hangs is a failure with its output.
const DEADLINE: Duration = Duration::from_secs(120);

/// A `haulier` command, not yet started.
pub(crate) struct Haulier(Command);

/// A `haulier` that runs; killed when it is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    stderr: tokio::task::JoinHandle<()>,
    said: Arc<Mutex<String>>,
    stdout: tokio::task::JoinHandle<String>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Haulier {
    pub(crate) fn new(dir: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_haulier"));
        command
            .args(args)
            .current_dir(dir)
            .env_remove("HAULIER_PLAN")
            .env_remove("HAULIER_SITE")
            .env("NO_COLOR", "1")
            .env("TEST_AMQP_PASSWORD", "guest")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Self(command)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) async fn run(mut self) -> Ended {
        let output = tokio::time::timeout(DEADLINE, self.0.output()).await;
        let output: Output = output.unwrap_or_else(|_| panic!("{:?} did not end", self.0)).unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.0.spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let stderr = child.stderr.take().unwrap();
        let stdout = tokio::spawn(async move {
            let mut text = String::new();
            stdout.read_to_string(&mut text).await.unwrap();
            text
        });
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = tokio::spawn({
            let said = Arc::clone(&said);
            async move {
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    let mut said = said.lock().unwrap();
                    said.push_str(&line);
                    said.push('\n');
                }
            }
        });
        Running { child, stderr, said, stdout }
    }
}

impl Running {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it has ended already")
    }

    /// `kill -9`.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Sends a signal by name, such as `TERM`.
    pub(crate) async fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status().await.unwrap();
        assert!(status.success());
    }

    /// Waits until it has crashed, by its own hand.
    pub(crate) async fn crashes(&mut self) {
        use std::os::unix::process::ExitStatusExt;
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let status = status.expect("it did not come to the point where it should crash").unwrap();
        // SIGABRT.
        assert_eq!(status.signal(), Some(6), "{status}");
    }

    /// Waits for its end.
    pub(crate) async fn ended(mut self) -> Ended {
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let Ok(status) = status else {
            self.child.kill().await.unwrap();
            panic!("haulier did not end; it said:\n{}", self.said());
        };
        let stdout = self.stdout.await.unwrap();
        self.stderr.await.unwrap();
        let stderr = std::mem::take(&mut *self.said.lock().unwrap());
        Ended { code: status.unwrap().code(), stdout, stderr }
    }

    /// What it has said on stderr so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it has said this on stderr.
    pub(crate) async fn until_said(&self, words: &str) {
        wait_for(words, async || self.said().contains(words).then_some(())).await;
    }
}

impl Ended {
    /// Asserts the exit code and shows what was said otherwise.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The last line of stdout as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        let last =
            self.stdout.lines().last().unwrap_or_else(|| panic!("no output; stderr:\n{}", self.stderr));
        serde_json::from_str(last).unwrap_or_else(|error| panic!("{error} in {last}"))
    }
}

/// Waits until `ready` gives a value.
pub(crate) async fn wait_for<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ready: impl FnMut() -> F,
) -> T {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    let waiting = async {
        loop {
            tick.tick().await;
            if let Some(value) = ready().await {
                return value;
            }
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Writes a file that only its owner can read.
pub(crate) fn write_secret(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file =
        std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
