//! What the controller needs others to do.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use haulier_core::calendar::Calendar;
use haulier_core::plan::{ProofLevel, Start};
use haulier_core::port::LedgerError;
use haulier_core::stage::{CheckResult, Finding, Misstep, Refusal, Standing};
use haulier_core::{StageName, TenantKey};
use tokio_util::sync::CancellationToken;

/// Whose records a leg carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Those of these tenants.
    Only(Vec<TenantKey>),
    /// All but those of these tenants.
    AllBut(Vec<TenantKey>),
}

/// One leg to carry.
#[derive(Debug, Clone, PartialEq)]
pub struct Carry {
    /// Another for each leg of the run, and the same when it is taken up again.
    pub number: u32,
    /// Whose records.
    pub whose: Whose,
    /// Values to start with, where nobody tuned them.
    pub start: Vec<Start>,
}

/// What ends a leg before it is drained.
#[derive(Debug, Clone, Default)]
pub struct Halt {
    /// Nothing more is read; what is queued still goes to the target.
    pub drain: CancellationToken,
    /// Nothing new begins; requests in flight end.
    pub stop: CancellationToken,
}

/// How carrying ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// Every record of the leg is accounted for.
    Drained,
    /// A stop came; the same leg goes on from there.
    Stopped,
}

/// What the command line does for a controller. Every call may be repeated after a crash.
#[async_trait]
pub trait Hands: Debug + Send + Sync {
    /// Asks every neighbour, and says what it found.
    async fn preflight(&self) -> Vec<Finding>;

    /// What neighbours look like: a name and a fingerprint each.
    async fn fingerprints(&self) -> Result<Vec<(String, String)>, Trouble>;

    /// The calendar as it is now, with every tenant of the source.
    async fn calendar(&self) -> Result<Calendar, Trouble>;

    /// Carries a leg until it is drained, or until it is halted.
    async fn carry(&self, carry: Carry, halt: &Halt) -> Result<Carried, Trouble>;

    /// How many records of the run are dead.
    async fn dead(&self) -> Result<u64, Trouble>;

    /// How many records of the run are neither landed, dead, held nor skipped.
    async fn open(&self) -> Result<u64, Trouble>;

    /// Tenants of whose records some are dead.
    async fn failed(&self) -> Result<BTreeSet<TenantKey>, Trouble>;

    /// Compares both sides; of these tenants, or of all where there are none.
    async fn prove(&self, level: ProofLevel, tenants: &[TenantKey]) -> (CheckResult, String);

    /// Asks one check of the gate before a stage: one of the built-in ones, or the plan's own.
    async fn look(&self, check: &str, before: &StageName, standing: &Standing) -> (CheckResult, String);

    /// Proves that the queue is empty, twice, so far apart.
    async fn empty(&self, apart: Duration) -> (CheckResult, String);

    /// Sends a body to an address.
    async fn call(&self, url: &str, body: String) -> Result<(), String>;

    /// Marks the run as finished in the ledger, so that a new one may begin.
    async fn finish(&self) -> Result<(), Trouble>;

    /// Says a line to the operator.
    fn tell(&self, line: &str);
}

/// Why a run cannot go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The history makes no sense.
    #[error("the stage log does not hold together: {0}")]
    Broken(#[from] Misstep),
    /// Another controller has the run.
    #[error("{holder} controls run {run}")]
    Held {
        /// The run.
        run: String,
        /// Who.
        holder: String,
    },
    /// The lease is gone: another controller took the run up.
    #[error("the controller's lease of run {0} was lost")]
    Lost(String),
    /// A decision does not count.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Something else, told by whoever met it.
    #[error("{0}")]
    Told(String),
}
