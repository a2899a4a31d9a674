//! A small scripted HTTP system on loopback: it answers what a test says, and breaks where a test wants it broken.
//!
//! ```no_run
//! # async fn example() {
//! use haulier_testkit::fake_target::{Fault, FakeTarget, Reply};
//!
//! let target = FakeTarget::start().await;
//! target.on("POST", "/users").reply(201, r#"{"id":1}"#).then(Reply::json(201, r#"{"id":2}"#).fault(Fault::Cut));
//! // ... push two records to target.url() ...
//! assert_eq!(target.log().len(), 2);
//! # }
//! ```

mod reply;
mod sample;
mod server;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use reply::{Fault, Gate, Reply};
pub use sample::{CountingThrottle, entity, lookup, record, reference, request, template};

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When it was complete.
    pub at: Instant,
    /// The connection it came by, counted from 0.
    pub connection: usize,
    /// The method.
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Seen {
    /// The first header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `METHOD path`, handy for comparing a whole log.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// The scripted target. Dropping it closes everything.
#[derive(Debug)]
pub struct FakeTarget {
    url: String,
    script: Arc<Script>,
    server: JoinHandle<()>,
}

impl Drop for FakeTarget {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What the target answers and has seen.
#[derive(Debug)]
struct Script {
    routes: Mutex<Vec<Answers>>,
    log: Mutex<Vec<Seen>>,
    seen: watch::Sender<usize>,
}

type Handler = Box<dyn FnMut(&Seen) -> Reply + Send>;

struct Answers {
    method: String,
    path: String,
    queue: VecDeque<Reply>,
    /// Answers when the queue is empty.
    always: Option<Reply>,
    handler: Option<Handler>,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answers")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl FakeTarget {
    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be opened.
    #[must_use = "dropping it closes it"]
    #[expect(clippy::expect_used, reason = "a test without its target cannot go on")]
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("cannot open a port on loopback");
        let port = listener.local_addr().expect("the listener has no address").port();
        let script =
            Arc::new(Script { routes: Mutex::default(), log: Mutex::default(), seen: watch::Sender::new(0) });
        let server = tokio::spawn(server::run(listener, Arc::clone(&script)));
        Self { url: format!("http://127.0.0.1:{port}"), script, server }
    }

    /// An address on loopback where nobody listens.
    ///
    /// # Panics
    /// When no port can be opened.
    #[expect(clippy::expect_used, reason = "a test without its target cannot go on")]
    pub async fn nobody() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("cannot open a port on loopback");
        let port = listener.local_addr().expect("the listener has no address").port();
        format!("http://127.0.0.1:{port}")
    }

    /// Its base address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Scripts the answers to a method and path. A path without `?` answers for every query; `*` at its end stands for
    /// any rest. The latest script that fits wins; without one, the answer is 501.
    pub fn on(&self, method: &str, path: &str) -> Route<'_> {
        let mut routes = lock(&self.script.routes);
        routes.push(Answers {
            method: method.to_owned(),
            path: path.to_owned(),
            queue: VecDeque::new(),
            always: None,
            handler: None,
        });
        Route { script: &self.script, index: routes.len() - 1 }
    }

    /// Every request so far, in the order they were complete.
    #[must_use]
    pub fn log(&self) -> Vec<Seen> {
        lock(&self.script.log).clone()
    }

    /// The log as `METHOD path` lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        lock(&self.script.log).iter().map(Seen::line).collect()
    }

    /// The bodies of all requests with that method, in order.
    #[must_use]
    pub fn bodies(&self, method: &str) -> Vec<String> {
        lock(&self.script.log)
            .iter()
            .filter(|seen| seen.method == method)
            .map(|seen| seen.body.clone())
            .collect()
    }

    /// Waits until that many requests have come in.
    ///
    /// # Panics
    /// When they have not by the deadline.
    #[expect(clippy::panic, reason = "a test whose event does not come has failed")]
    pub async fn wait_for(&self, requests: usize, deadline: Duration) {
        let mut seen = self.script.seen.subscribe();
        let waited = tokio::time::timeout(deadline, seen.wait_for(|count| *count >= requests)).await;
        if waited.is_err() {
            panic!(
                "{} of {requests} requests came within {deadline:?}: {:?}",
                self.log().len(),
                self.lines()
            );
        }
    }
}

/// The answers of one method and path.
#[derive(Debug)]
pub struct Route<'a> {
    script: &'a Script,
    index: usize,
}

impl Route<'_> {
    /// Adds a JSON reply, given once.
    pub fn reply(&self, status: u16, body: &str) -> &Self {
        self.then(Reply::json(status, body))
    }

    /// Adds a reply, given once.
    pub fn then(&self, reply: Reply) -> &Self {
        self.change(|answers| answers.queue.push_back(reply))
    }

    /// Gives this JSON reply whenever the queue is empty.
    pub fn always(&self, status: u16, body: &str) -> &Self {
        self.ever(Reply::json(status, body))
    }

    /// Gives this reply whenever the queue is empty.
    pub fn ever(&self, reply: Reply) -> &Self {
        self.change(|answers| answers.always = Some(reply))
    }

    /// Asks the function for every reply once the queue is empty.
    pub fn with(&self, handler: impl FnMut(&Seen) -> Reply + Send + 'static) -> &Self {
        self.change(|answers| answers.handler = Some(Box::new(handler)))
    }

    fn change(&self, change: impl FnOnce(&mut Answers)) -> &Self {
        if let Some(answers) = lock(&self.script.routes).get_mut(self.index) {
            change(answers);
        }
        self
    }
}

impl Script {
    /// Notes the request and finds its answer.
    fn answer(&self, seen: Seen) -> Reply {
        let path = seen.path.split('?').next().unwrap_or_default();
        let fits = |answers: &Answers| {
            let wanted = answers.path.as_str();
            answers.method == seen.method
                && match wanted.strip_suffix('*') {
                    Some(start) => seen.path.starts_with(start),
                    None => wanted == if wanted.contains('?') { seen.path.as_str() } else { path },
                }
        };
        let mut routes = lock(&self.routes);
        let found = routes.iter_mut().rev().filter(|answers| fits(answers)).find_map(|answers| {
            let queued = answers.queue.pop_front();
            queued
                .or_else(|| answers.handler.as_mut().map(|handler| handler(&seen)))
                .or_else(|| answers.always.clone())
        });
        drop(routes);
        let reply =
            found.unwrap_or_else(|| Reply::text(501, &format!("nothing is scripted for {}", seen.line())));
        let mut log = lock(&self.log);
        log.push(seen);
        let count = log.len();
        drop(log);
        self.seen.send_replace(count);
        reply
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
