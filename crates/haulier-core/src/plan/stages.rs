//! The stages of a plan, the gates between them, who may open those, and what is run beside them.

use std::time::Duration;

use super::{Method, Person, Question};
use crate::control::Knob;
use crate::stage::Weight;
use crate::{StageName, TenantKey};

/// Checks that every plan has, by name, each with what it proves.
pub const BUILT_IN_CHECKS: [(&str, &str); 12] = [
    ("queue.empty", "the broker's queues are empty, and the ledger has nothing open"),
    ("validate.equal", "every entity has a fresh result without unexplained differences"),
    ("dead.within", "no more records are dead than the stages before allow"),
    ("snapshot.checked", "a snapshot was taken and checked in this run"),
    ("snapshot.young", "the snapshot is not older than its `max_age`"),
    ("source.readonly", "the source's user may only read"),
    ("incidents.closed", "no incident of the severity s1 is open"),
    ("drill.done", "a drill of this plan lost nothing and doubled nothing"),
    ("cover.present", "whom the stage needs is there for as long as it may run"),
    ("findings.s1", "no finding of severity s1 is open"),
    ("findings.s2", "no finding of severity s1 or s2 is open"),
    ("findings.s3", "no finding is open"),
];

/// Everything that a plan says of its stages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stages {
    /// In the order in which they are walked.
    pub stages: Vec<Stage>,
    /// At most one before each stage.
    pub gates: Vec<Gate>,
    /// Who may decide.
    pub people: Vec<Person>,
    /// What nobody has answered yet.
    pub questions: Vec<Question>,
    /// What can be run.
    pub hooks: Vec<Hook>,
    /// The plan's own checks.
    pub checks: Vec<OwnCheck>,
    /// How the target is kept and put back.
    pub snapshot: Option<Snapshot>,
    /// A marked record that the preflight writes to the target; none unless the plan asks for it.
    pub write_probe: Option<WriteProbe>,
}

impl Stages {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// The stage of that name.
    #[must_use]
    pub fn stage(&self, name: &StageName) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == *name)
    }

    /// The first stage of that kind.
    #[must_use]
    pub fn of_kind(&self, kind: StageKind) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.kind == kind)
    }

    /// The gate before that stage.
    #[must_use]
    pub fn gate(&self, before: &StageName) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.before == *before)
    }

    /// The hook of that name.
    #[must_use]
    pub fn hook(&self, name: &str) -> Option<&Hook> {
        self.hooks.iter().find(|hook| hook.name == name)
    }

    /// The plan's own check of that name.
    #[must_use]
    pub fn check(&self, name: &str) -> Option<&OwnCheck> {
        self.checks.iter().find(|check| check.name == name)
    }
}

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StageKind {
    /// Asks every neighbour, and notes what it looks like.
    Preflight,
    /// A few tenants with everything that belongs to them, then a deep validation.
    Smoke,
    /// The tenants of its waves, or all.
    Bulk,
    /// The proof that the queue is empty.
    Drained,
    /// Validation.
    Validate,
    /// The source stands still: hooks, and counts before and after.
    Freeze,
    /// The step that people see: hooks.
    Release,
    /// The smoke tenants once more, field by field.
    FinalSmoke,
    /// Looks on for a while.
    Watch,
}

impl StageKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Preflight,
        Self::Smoke,
        Self::Bulk,
        Self::Drained,
        Self::Validate,
        Self::Freeze,
        Self::Release,
        Self::FinalSmoke,
        Self::Watch,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preflight => "preflight",
            Self::Smoke => "smoke",
            Self::Bulk => "bulk",
            Self::Drained => "drained",
            Self::Validate => "validate",
            Self::Freeze => "freeze",
            Self::Release => "release",
            Self::FinalSmoke => "final-smoke",
            Self::Watch => "watch",
        }
    }
}

/// One stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Its name.
    pub name: StageName,
    /// What it does.
    pub kind: StageKind,
    /// What must have succeeded, or been skipped, before it begins.
    pub needs: Vec<StageName>,
    /// Its tenants: of a smoke, and of a bulk that has no waves.
    pub tenants: Vec<TenantKey>,
    /// Its waves, in order; a bulk with neither waves nor tenants moves everything.
    pub waves: Vec<String>,
    /// The window in which it may run; any time where it names none.
    pub window: Option<String>,
    /// Whether it may be skipped, with a reason.
    pub optional: bool,
    /// Whether nothing leads back from it.
    pub point_of_no_return: bool,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Roles of which somebody must be there while it runs.
    pub cover: Vec<String>,
    /// Values that it starts with.
    pub start: Vec<Start>,
    /// Hooks before its work, in order.
    pub enter: Vec<String>,
    /// Hooks after its proof, in order.
    pub leave: Vec<String>,
    /// How it is proved.
    pub proof: Vec<ProofLevel>,
    /// Most dead records with which it succeeds.
    pub most_dead: u64,
    /// How long the broker must stay empty, or how long a watch looks on.
    pub lasts: Duration,
    /// How long it took elsewhere, or is thought to take.
    pub expect: Option<Duration>,
}

/// A value that a stage starts with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Start {
    /// Which.
    pub knob: Knob,
    /// To what.
    pub value: f64,
}

/// How a stage is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProofLevel {
    /// As many records on both sides.
    Counts,
    /// Every agreed column.
    Diff,
    /// Every mapped field of its tenants.
    Deep,
}

impl ProofLevel {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counts => "counts",
            Self::Diff => "diff",
            Self::Deep => "deep",
        }
    }
}

/// The closed door before a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The stage behind it.
    pub before: StageName,
    /// Checks by name, with their weight.
    pub checks: Vec<(Weight, String)>,
    /// Who may open it.
    pub approvers: Approvers,
    /// The role that may say go against a `must` check.
    pub override_role: String,
    /// How long what the checks answered may be decided on.
    pub fresh_for: Duration,
    /// How long a go is good for what has not begun.
    pub expires: Duration,
    /// How long it may wait for a person; for ever where it does not say.
    pub due: Option<Duration>,
    /// What that time-out comes to. Never to a go.
    pub on_timeout: OnTimeout,
    /// In a rehearsal it opens by itself when its checks advise to go; that is kept as a decision, too.
    pub auto: bool,
}

/// Who may open a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvers {
    /// The role that it takes.
    pub role: String,
    /// How many of them.
    pub min: u32,
    /// Whether who started the run does not count.
    pub not_the_starter: bool,
}

/// What the time-out of a gate comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTimeout {
    /// It stays as it is, and says so.
    Hold,
    /// It is a no.
    NoGo,
}

/// Something that is run beside a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// What it does.
    pub act: HookAct,
    /// How long it is thought to take.
    pub expect: Option<Duration>,
    /// How long it may take.
    pub timeout: Duration,
    /// How often it is tried again after it failed.
    pub retries: u32,
}

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookAct {
    /// Runs a program with arguments, without a shell.
    Exec(Vec<String>),
    /// Sends its facts as JSON to this address.
    Webhook(String),
}

/// A check of the plan's own.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnCheck {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub ask: CheckAsk,
    /// How long it may take.
    pub timeout: Duration,
}

/// What a check of the plan's own asks.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckAsk {
    /// Runs a program: 0 passes, 1 fails, 75 has no answer, anything else is an error.
    Exec(Vec<String>),
    /// Asks one number of a database, and whether it is within these bounds, both included.
    Sql {
        /// Which database.
        on: CheckSide,
        /// One column, one row.
        sql: String,
        /// The least number that passes.
        least: Option<f64>,
        /// The most number that passes.
        most: Option<f64>,
    },
    /// Asks an address; 200 to 299 passes.
    Http(String),
    /// A person looks, and says so.
    Person(String),
}

/// Which database a check asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckSide {
    /// The source.
    Source,
    /// The target's own.
    Target,
}

/// How the target is kept and put back: hooks by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Takes one.
    pub take: String,
    /// Proves that it can be used.
    pub check: Option<String>,
    /// Puts the target back.
    pub restore: Option<String>,
    /// How old one may be.
    pub max_age: Option<Duration>,
    /// Who may decide to put the target back.
    pub approvers: Approvers,
}

/// A marked record that the preflight creates in the target, and removes where the plan says how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteProbe {
    /// How it is created.
    pub method: Method,
    /// Where.
    pub path: String,
    /// What is sent: a JSON object that says of itself what it is.
    pub body: String,
    /// Where the reply holds the new id, as a JSON pointer.
    pub id: Option<String>,
    /// The path, with `{id}`, at which it is removed; without it the marked record stays.
    pub remove: Option<String>,
}
