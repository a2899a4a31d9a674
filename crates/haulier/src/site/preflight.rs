//! The neighbours as they are, without making anything.

use std::path::Path;
use std::sync::Arc;

use haulier_core::notice::{Notice, Post, PostState, Subject};
use haulier_core::plan::{Lint, Plan, lint};
use haulier_core::port::{Clock, Ledger, Micros, Queue, QueueError, Source, Target};
use haulier_plan::Site;

use super::clocks::{self, Off};
use super::room::{self, Room};
use super::{Role, brakes, wire};
use crate::args::Global;
use crate::clock::SystemClock;
use crate::error::CliError;

/// What a neighbour is before the first run.
pub(crate) enum There<T> {
    /// It is there.
    Yes(T),
    /// The first run makes it.
    NotYet(String),
}

/// Plan and site, with nothing opened.
pub(crate) struct Preflight {
    pub(crate) plan: Plan,
    site: Site,
}

impl Preflight {
    pub(crate) fn read(global: &Global) -> Result<Self, CliError> {
        let (plan, site) = super::read(global)?;
        Ok(Self { plan, site })
    }

    pub(crate) async fn source(&self) -> Result<Arc<dyn Source>, CliError> {
        Ok(haulier_source::open(wire::source(&self.site)?).await?)
    }

    /// Opens a ledger that is there; one in PostgreSQL gets its tables.
    pub(crate) async fn ledger(&self) -> Result<There<Arc<dyn Ledger>>, CliError> {
        if let Some(missing) = missing(wire::ledger_file(&self.site)) {
            return Ok(There::NotYet(missing));
        }
        wire::ledger(&self.site).await.map(There::Yes)
    }

    pub(crate) async fn queue(&self) -> Result<There<Arc<dyn Queue>>, CliError> {
        if let Some(missing) = missing(wire::queue_file(&self.site)) {
            return Ok(There::NotYet(missing));
        }
        let clock = Arc::new(SystemClock);
        match wire::queue(&self.site, &self.plan.name, Role::Consume, clock).await? {
            Err(QueueError::Gone { queue }) => Ok(There::NotYet(format!(
                "the broker answers; its queue `{queue}` is not there yet, the first run makes it"
            ))),
            opened => Ok(There::Yes(opened?)),
        }
    }

    /// Channels that the plan's notices name and the site does not have.
    pub(crate) fn missing_channels(&self) -> Vec<String> {
        super::notices::missing(&self.plan, &self.site)
    }

    /// What the plan leaves open, by the calendar as people changed it and by what has gone out.
    pub(crate) async fn lint(&self, ledger: Option<&dyn Ledger>) -> Result<Vec<Lint>, CliError> {
        let (changes, posts) = match ledger {
            Some(ledger) => (ledger.amendments().await?, ledger.posts().await?),
            None => (Vec::new(), Vec::new()),
        };
        let (calendar, _) = self.plan.calendar.amended(&changes);
        let told = |notice: &Notice, subject: &Subject| {
            let subject = subject.to_string();
            let of = |post: &&Post| post.what.notice == notice.name && post.what.subject == subject;
            posts.iter().filter(of).any(|post| post.state != PostState::Dropped)
        };
        Ok(lint(&self.plan, &calendar, told, SystemClock.now()))
    }

    /// The room of ledger and queue where they are files, and how many bytes must be free there.
    pub(crate) fn rooms(&self) -> (Vec<Room>, u64) {
        (room::rooms(&self.site), self.site.preflight.least_free)
    }

    /// How far the clocks of servers are off, and how far they may be.
    pub(crate) async fn clocks(&self) -> (Vec<Off>, Micros) {
        let most = Micros::try_from(self.site.preflight.clocks.as_micros()).unwrap_or(Micros::MAX);
        (clocks::read(&self.site).await, most)
    }

    pub(crate) async fn gauges(&self) -> Result<Vec<brakes::Reading>, CliError> {
        brakes::read(&self.site).await
    }

    pub(crate) fn target(&self) -> Result<Arc<dyn Target>, CliError> {
        wire::target(&self.site)
    }
}

fn missing(file: Option<&Path>) -> Option<String> {
    let file = file.filter(|file| !file.exists())?;
    Some(format!("{} is not there yet; the first run makes it", file.display()))
}
