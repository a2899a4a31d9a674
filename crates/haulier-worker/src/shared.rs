//! What all parcels of a process share: the neighbours, the limits, the stop.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::plan::Plan;
use haulier_core::port::{Clock, Ledger, Target};
use haulier_core::{ProcessId, RunId};
use haulier_throttle::Controls;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::backlog::Backlog;
use crate::fence::Fence;
use crate::ids::Ids;
use crate::progress::Progress;

/// What does not change while a run goes on.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Unsettled parcels that the queue may hand to this process; `None` for two rounds of every worker.
    pub prefetch: Option<u16>,
    /// How long a request may still act on the target after this process gave it up or died.
    pub zombie_grace: Duration,
    /// How long requests in flight may take to end after a stop.
    pub grace: Duration,
    /// How long a process may be silent before others take over what it holds.
    pub silent_after: Duration,
    /// `worker`, or `run` where the producer is in the same process.
    pub role: &'static str,
    /// This host's name.
    pub host: String,
}

/// What all parcels share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) run: RunId,
    pub(crate) controls: Arc<Controls>,
    pub(crate) name: Arc<watch::Sender<ProcessId>>,
    pub(crate) settings: Settings,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) fence: Fence,
    pub(crate) ids: Ids,
    pub(crate) backlog: Backlog,
}
