//! `site.toml`: where everything is, with how many connections, and where its secrets are found.

mod address;
mod brakes;
mod channels;
mod drill;
mod program;
mod secret;
mod server;
mod settings;
mod target;
mod tolerance;

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

pub use self::brakes::{BrakesSite, CheckBrake, QueryBrake};
pub use self::channels::{ChannelSite, Url};
pub use self::drill::{DrillSite, Plug};
pub use self::secret::Secret;
pub use self::server::{Database, LedgerSite, QueueKind, QueueSite, Server, SourceSite, Tls};
pub use self::target::{Auth, HeaderValue, Login, TargetSite, TokenSource};
pub use self::tolerance::ToleranceSite;
use crate::node::Table;
use crate::notes::Notes;
use crate::{Problems, shape, text};

/// One environment. Relative paths are already taken from the site file's folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The database that is read.
    pub source: SourceSite,
    /// What carries the records to the workers.
    pub queue: QueueSite,
    /// What remembers everything.
    pub ledger: LedgerSite,
    /// The API that is written to.
    pub target: TargetSite,
    /// Settings of the producer.
    pub produce: ProduceSite,
    /// Settings of the workers.
    pub push: PushSite,
    /// What holds producer or workers still.
    pub brakes: BrakesSite,
    /// The target's bounds, and how the workers are ramped.
    pub tolerance: ToleranceSite,
    /// Settings of the validator.
    pub validate: ValidateSite,
    /// On which ways notices reach people, by their names.
    pub channels: Vec<(String, ChannelSite)>,
    /// The folder for what belongs to no other place, such as the `PAUSE` file.
    pub state: PathBuf,
    /// What a preflight asks of machine and clocks.
    pub preflight: PreflightSite,
    /// Whether it is one to rehearse on, where a drill may kill what works for it.
    pub rehearsal: bool,
    /// How a drill kills its neighbours, and starts them again.
    pub drill: DrillSite,
}

/// Settings of the producer.
#[derive(Debug, Clone, PartialEq)]
pub struct ProduceSite {
    /// Concurrent walks.
    pub fibres: u32,
    /// Records a second; unlimited when `None`.
    pub rate: Option<f64>,
    /// Most rows of one read.
    pub chunk: u32,
    /// The most concurrent walks that an operator may set.
    pub max_fibres: Option<u32>,
    /// The most records a second that an operator may set.
    pub max_rate: Option<f64>,
    /// The most rows of one read that an operator may set.
    pub max_chunk: Option<u32>,
}

/// Settings of the workers.
#[derive(Debug, Clone, PartialEq)]
pub struct PushSite {
    /// Concurrent requests, over all worker processes.
    pub workers: u32,
    /// Attempts a second, over all worker processes; unlimited when `None`.
    pub rate: Option<f64>,
    /// The most concurrent requests that an operator may set.
    pub max_workers: Option<u32>,
    /// The most attempts a second that an operator may set.
    pub max_rate: Option<f64>,
    /// Most records of one message.
    pub parcel: u32,
    /// How long a request that nobody heard of again is given, before the record is looked up.
    pub zombie_grace: Duration,
    /// How long a process may give no sign of life before others take over what it holds.
    pub silent_after: Duration,
}

/// Settings of the validator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidateSite {
    /// Bytes that a sort may hold before it spills.
    pub memory: usize,
    /// Pages of the target's lists that are read at a time.
    pub pages: u32,
    /// The key of the hashes that stand for personal data.
    pub pii_key: Option<Secret>,
}

/// What a preflight asks of machine and clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreflightSite {
    /// Bytes that must be free where the ledger and the queue are kept in files.
    pub least_free: u64,
    /// How far the clocks of servers may be off.
    pub clocks: Duration,
}

/// Reads a site's text.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Site, Problems> {
    let notes = Notes::new(file, text);
    let tables = text::tables(&notes);
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let site = tables.as_ref().and_then(|tables| read(&notes, tables, &folder));
    notes.finish()?;
    site.ok_or_else(|| notes.unfinished())
}

fn read<'d>(notes: &'d Notes<'d>, tables: &'d DeTable<'d>, folder: &Path) -> Option<Site> {
    let table = Table::new(notes, 0, &shape::SITE, tables);
    let source = table
        .need("source", "`[source]` with `url = \"postgres://user@host/database\"` or `\"sqlite:file\"`");
    let source = source.and_then(|node| server::source(&node.table(&shape::SITE_SOURCE)?, folder));
    let queue = table.need("queue", "`[queue]` with `url = \"amqps://user@host\"` or `\"embedded:file\"`");
    let queue = queue.and_then(|node| server::queue(&node.table(&shape::SITE_QUEUE)?, folder));
    let ledger = table
        .need("ledger", "`[ledger]` with `url = \"postgres://user@host/database\"` or `\"sqlite:file\"`");
    let ledger = ledger.and_then(|node| server::ledger(&node.table(&shape::SITE_LEDGER)?, folder));
    let target = table.need("target", "`[target]` with `base_url = \"https://host/api\"` and `auth`");
    let target = target.and_then(|node| target::read(&node.table(&shape::SITE_TARGET)?, folder));
    let settings = settings::read(&table, folder);
    let (brakes, tolerance) = (brakes::read(&table), tolerance::read(&table));
    let channels = channels::read(&table, folder);
    Some(Site {
        source: source?,
        queue: queue?,
        ledger: ledger?,
        target: target?,
        produce: settings.produce,
        push: settings.push,
        brakes,
        tolerance,
        validate: settings.validate,
        channels,
        state: settings.state,
        preflight: settings.preflight,
        rehearsal: table.flag("rehearsal", false),
        drill: drill::read(&table, folder),
    })
}
