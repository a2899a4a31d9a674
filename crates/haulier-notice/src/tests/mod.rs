//! Notices over weeks, on a clock that the test turns; a real ledger, a real mail server.

mod change_window;
mod channels;
mod digest;
mod rollout;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use haulier_core::calendar::{Amendment, Change};
use haulier_core::notice::{Kind, Post};
use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger, Micros};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::channel::{Channel, Security, Smtp, SmtpOptions};
use crate::due::{Called, Facts, Happened, called};
use crate::send::{Sent, send};

/// A clock that stands still until it is turned.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A plan, a ledger and a clock.
struct Desk {
    plan: Plan,
    ledger: Arc<dyn Ledger>,
    clock: Hands,
    happened: Vec<Happened>,
    progress: Option<String>,
    folder: TempDir,
}

impl Desk {
    async fn open(plan: &str, now: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = haulier_ledger::sqlite::SqliteOptions {
            synchronous: haulier_ledger::sqlite::Synchronous::Normal,
        };
        let ledger = haulier_ledger::sqlite::open(&folder.path().join("ledger.db"), options).await.unwrap();
        let plan =
            haulier_plan::parse_plan(Path::new("plan.toml"), plan).unwrap_or_else(|error| panic!("{error}"));
        let clock = Hands(AtomicI64::new(0));
        let desk = Self { plan, ledger, clock, happened: Vec::new(), progress: None, folder };
        desk.turn(now);
        desk
    }

    /// Turns the clock to a time.
    fn turn(&self, now: &str) {
        let now: Timestamp = now.parse().unwrap();
        self.clock.0.store(now.as_microsecond(), Ordering::SeqCst);
    }

    async fn amend(&self, what: Amendment) {
        let known = self.ledger.amendments().await.unwrap().len() as u64;
        let (at, by, reason) = (self.clock.micros(), "sam".to_owned(), "the hub asked".to_owned());
        let change = Change { version: 0, at, by, reason, what };
        assert!(self.ledger.amend(known, &change).await.unwrap());
    }

    fn happen(&mut self, id: &str, kind: Kind, subject: &str, reason: Option<&str>) {
        self.happened.push(Happened {
            id: id.to_owned(),
            kind,
            subject: haulier_core::notice::Subject::parse(subject).unwrap(),
            at: self.clock.now(),
            reason: reason.map(str::to_owned),
            by: Some("sam".to_owned()),
        });
    }

    /// Works out what is called for, keeps it, and drops what is outdated.
    async fn look(&self) -> Called {
        let changes = self.ledger.amendments().await.unwrap();
        let (calendar, unfit) = self.plan.calendar.amended(&changes);
        assert!(unfit.is_empty(), "{unfit:?}");
        let posts = self.ledger.posts().await.unwrap();
        let facts = Facts {
            plan: &self.plan,
            calendar: &calendar,
            changes: &changes,
            happened: &self.happened,
            progress: self.progress.as_deref(),
            posts: &posts,
            now: self.clock.now(),
        };
        let found = called(&facts);
        crate::send::keep(&*self.ledger, &found, self.clock.micros()).await.unwrap();
        found
    }

    async fn send(&self, channels: &BTreeMap<String, Arc<dyn Channel>>) -> Sent {
        send(&*self.ledger, channels, &self.clock).await.unwrap()
    }

    async fn posts(&self) -> Vec<Post> {
        self.ledger.posts().await.unwrap()
    }

    fn micros(&self) -> Micros {
        self.clock.micros()
    }
}

/// A mail channel to a server on loopback.
fn mail(port: u16) -> BTreeMap<String, Arc<dyn Channel>> {
    let options = SmtpOptions {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
        ca_file: None,
        from: "Migration <ops@network.example>".to_owned(),
        login: None,
    };
    BTreeMap::from([("mail".to_owned(), Arc::new(Smtp::new(&options).unwrap()) as Arc<dyn Channel>)])
}
