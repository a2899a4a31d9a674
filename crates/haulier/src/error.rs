//! What went wrong, what to do next, and the exit code that belongs to it.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use haulier_core::port::{LedgerError, QueueError, SourceError};
use haulier_core::{Failure, FailureKind};
use haulier_producer::ProduceError;
use haulier_sides::SidesError;
use haulier_validator::diff::DiffError;
use haulier_validator::extract::ExtractError;
use haulier_validator::sort::SortError;
use haulier_worker::WorkError;

use crate::exit::Exit;
use crate::ui::printable;

/// An error as the operator sees it.
#[derive(Debug)]
pub struct CliError {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl CliError {
    /// An error with its exit code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), causes: Vec::new(), hints: Vec::new() }
    }

    /// Something that cannot happen unless haulier is wrong.
    pub fn bug(error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        let causes = error.chain().skip(1).map(ToString::to_string).collect();
        Self { exit: Exit::Bug, message: error.to_string(), causes, hints: Vec::new() }
    }

    fn of(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        Self { exit, message: error.to_string(), causes, hints: Vec::new() }
    }

    /// What went wrong, without what to do next.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same error with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The error and its hints in one line, for a report that goes on.
    pub(crate) fn told(&self) -> String {
        std::iter::once(&self.message).chain(&self.hints).map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    /// Writes it to stderr and gives the exit code. A broken pipe ends in silence.
    pub fn report(self) -> ExitCode {
        if self.message == BROKEN_PIPE {
            return Exit::Done.code();
        }
        let places = self.exit == Exit::Plan && self.message.contains(".toml:");
        let title = if places || self.message.lines().count() > 1 { "" } else { "error: " };
        let causes: String = self.causes.iter().flat_map(|cause| ["  caused by: ", cause, "\n"]).collect();
        let hints: String = self.hints.iter().flat_map(|hint| ["\nhint: ", hint, "\n"]).collect();
        let text = printable(&format!("{title}{}\n{causes}{hints}", self.message));
        // Nothing is left to tell it to when stderr is gone.
        let _unheard = io::stderr().lock().write_all(text.as_bytes());
        self.exit.code()
    }
}

/// What helps where a certificate is not believed, in a table of the site.
fn untrusted(cause: &str, table: &str) -> Option<String> {
    let why = cause.split_once("invalid peer certificate: ")?.1;
    if why.starts_with("UnknownIssuer") || why.starts_with("BadSignature") {
        return Some(format!(
            "name the authority that signed the server's certificate: `{table}.ca_file` in the site file"
        ));
    }
    why.contains("not valid for name").then(|| {
        let key = if table == "target" { "base_url" } else { "url" };
        format!("use a name that stands in the server's certificate as the host of `{table}.{key}`")
    })
}

const BROKEN_PIPE: &str = "broken pipe";

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Done, BROKEN_PIPE);
        }
        let full = matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
        );
        if full {
            return Self::new(Exit::Unreachable, format!("the output cannot be written: {error}"))
                .hint("make room, or write it somewhere else; nothing else was lost");
        }
        Self::of(Exit::Bug, &error)
    }
}

impl From<SourceError> for CliError {
    fn from(error: SourceError) -> Self {
        match &error {
            SourceError::Unreachable { cause, .. } => {
                let usual = "check `source.url` in the site file, or `--from`, and that the database runs and lets this host in";
                Self::of(Exit::Unreachable, &error).hint(untrusted(cause, "source").unwrap_or_else(|| usual.to_owned()))
            }
            SourceError::Credentials { .. } => Self::of(Exit::Unreachable, &error)
                .hint("check the user in `source.url` or `--from`, the database, and the secret that `source.password` names (with `--from`, HAULIER_SOURCE_PASSWORD)"),
            SourceError::Plan { hint, .. } => {
                let wrong = Self::of(Exit::Plan, &error);
                match hint {
                    Some(hint) => wrong.hint(hint.clone()),
                    None => wrong,
                }
            }
            SourceError::Value { .. } => Self::of(Exit::Plan, &error).hint(
                "mend the row, leave it out with `source.where`, or read the column through `source.query`",
            ),
            SourceError::Timeout { .. } | SourceError::Failed { .. } => Self::of(Exit::Unreachable, &error),
        }
    }
}

impl From<QueueError> for CliError {
    fn from(error: QueueError) -> Self {
        match &error {
            QueueError::Unreachable { cause, .. } => {
                let usual = "check `queue.url` in the site file, and that the broker runs";
                Self::of(Exit::Unreachable, &error).hint(untrusted(cause, "queue").unwrap_or_else(|| usual.to_owned()))
            }
            QueueError::Credentials { .. } => Self::of(Exit::Unreachable, &error)
                .hint("check the user in `queue.url`, its vhost and the secret that `queue.password` names"),
            QueueError::Mismatch { .. } => Self::of(Exit::Plan, &error).hint(
                "name another queue in the site file (`queue.name`), or delete the old one once it is known to be empty",
            ),
            QueueError::Gone { .. } => Self::of(Exit::Unreachable, &error)
                .hint("`haulier run` and `haulier produce` declare it, and send what the ledger misses"),
            QueueError::Blocked { .. } => Self::of(Exit::Unreachable, &error)
                .hint("free memory or disk on the broker; nothing is lost meanwhile"),
            QueueError::TooLarge { .. } | QueueError::Failed { .. } => Self::of(Exit::Unreachable, &error)
                .hint("mend what the message names; the same command goes on from there, nothing is lost"),
        }
    }
}

impl From<LedgerError> for CliError {
    fn from(error: LedgerError) -> Self {
        match &error {
            LedgerError::Unreachable { cause, .. } => {
                let usual = "check `ledger.url` in the site file, and that the folder or database can be written";
                Self::of(Exit::Unreachable, &error).hint(untrusted(cause, "ledger").unwrap_or_else(|| usual.to_owned()))
            }
            LedgerError::Credentials { .. } => Self::of(Exit::Unreachable, &error)
                .hint("check the user in `ledger.url`, the database, and the secret that `ledger.password` names"),
            LedgerError::DiskFull { .. } => Self::of(Exit::Unreachable, &error)
                .hint("make room; the same command goes on from there, nothing is lost"),
            LedgerError::Newer { .. } => {
                Self::of(Exit::Plan, &error).hint("use the haulier that wrote it, or a newer one")
            }
            LedgerError::OtherPlan { .. } => {
                Self::of(Exit::Plan, &error).hint("a ledger serves one plan: name another `ledger.url` in the site file")
            }
            LedgerError::PlanChanged { .. } => Self::of(Exit::Plan, &error).hint(
                "put the plan back as it was, or go on with the new one: by `haulier plan amend --reason TEXT` where the plan has stages, else by `--accept-plan-change` (rows already landed are not sent again unless their mapped content differs)",
            ),
            LedgerError::LeaseHeld { .. } => Self::of(Exit::Unreachable, &error)
                .hint("one producer at a time; stop that process, or wait ten seconds after it died"),
            LedgerError::Corrupt { .. } | LedgerError::Failed { .. } => Self::of(Exit::Bug, &error),
        }
    }
}

impl From<ProduceError> for CliError {
    fn from(error: ProduceError) -> Self {
        match error {
            ProduceError::Source(error) => error.into(),
            ProduceError::Queue(error) => error.into(),
            ProduceError::Ledger(error) => error.into(),
            ProduceError::Orphan { .. } => Self::of(Exit::Plan, &error)
                .hint("mend the row, or say `orphans = \"skip\"` or `orphans = { attach = \"KEY\" }` for the entity"),
            ProduceError::Overtaken => Self::of(Exit::Unreachable, &error)
                .hint("one producer at a time; the other one goes on from where this one was"),
            ProduceError::Plan(_) | ProduceError::NotConserved { .. } | ProduceError::Panicked(_) => {
                Self::of(Exit::Bug, &error)
            }
        }
    }
}

impl From<DiffError> for CliError {
    fn from(error: DiffError) -> Self {
        let exit = match &error {
            DiffError::Stopped(_) | DiffError::Sort(SortError::Stopped(_)) => Exit::Stopped,
            DiffError::Thread | DiffError::Sort(SortError::Thread) => Exit::Bug,
            DiffError::Csv(_)
            | DiffError::Sort(_)
            | DiffError::Extract(_)
            | DiffError::Columns { .. }
            | DiffError::HashKeys { .. }
            | DiffError::NoColumn { .. }
            | DiffError::Moving { .. }
            | DiffError::Sink(_) => Exit::Trouble,
        };
        let told = Self::of(exit, &error);
        match error {
            DiffError::Columns { .. } => {
                told.hint("`--columns` names what is compared, `--ignore` what is left out; `--delimiter` if the file has another")
            }
            DiffError::NoColumn { .. } => told.hint("names are those of the header row; `--delimiter` if the file has another"),
            DiffError::HashKeys { .. } => {
                told.hint("write both extracts with one `[validate] pii_key`, or leave those columns out with `--ignore`")
            }
            DiffError::Sort(SortError::Full { .. } | SortError::Spill { .. }) => told.hint("`--spill DIR`, `--memory SIZE`"),
            DiffError::Csv(error) => match error.mend() {
                Some(mend) => told.hint(mend),
                None => told,
            },
            DiffError::Sort(_)
            | DiffError::Extract(_)
            | DiffError::Moving { .. }
            | DiffError::Sink(_)
            | DiffError::Thread
            | DiffError::Stopped(_) => told,
        }
    }
}

impl From<WorkError> for CliError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::Queue(error) => error.into(),
            WorkError::Ledger(error) => error.into(),
            WorkError::Panicked(_) => Self::of(Exit::Bug, &error),
        }
    }
}

impl From<SidesError> for CliError {
    fn from(error: SidesError) -> Self {
        match error {
            SidesError::Source(error) => error.into(),
            SidesError::Target { entity, failure } => {
                let reason = failure.reason.clone();
                let mut told = Self::from(failure);
                told.message = format!("entity `{entity}`: the target's list cannot be read: {reason}");
                told
            }
            SidesError::NoExtract(_) | SidesError::NoPlace { .. } | SidesError::Columns { .. } => {
                Self::of(Exit::Plan, &error)
            }
            SidesError::Spill(_) => Self::of(Exit::Unreachable, &error),
            SidesError::Stopped | SidesError::Panicked(_) => Self::of(Exit::Bug, &error),
        }
    }
}

impl From<ExtractError> for CliError {
    fn from(error: ExtractError) -> Self {
        match &error {
            ExtractError::Cell(_) => Self::of(Exit::No, &error),
            ExtractError::Doubled { .. } => Self::of(Exit::No, &error)
                .hint("a natural key must be the key of one record: mend the records, or name more columns in `natural_key`"),
            ExtractError::NoHashKey(_) => Self::of(Exit::Plan, &error)
                .hint("`[validate] pii_key = { file = \"...\" }` in the site, of at least 16 bytes"),
            ExtractError::Sort(_) | ExtractError::Full { .. } | ExtractError::Write { .. } => {
                Self::of(Exit::Unreachable, &error)
            }
        }
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        let at_target = format!("the target: {failure}");
        match failure.kind {
            FailureKind::Credential => Self::new(Exit::Unreachable, at_target)
                .hint("check `target.auth` in the site file and the secret that it names"),
            FailureKind::Transient | FailureKind::Throttled | FailureKind::Unknown => {
                let usual = "check `target.base_url` in the site file, and that the target runs";
                let hint = untrusted(&failure.reason, "target").unwrap_or_else(|| usual.to_owned());
                Self::new(Exit::Unreachable, at_target).hint(hint)
            }
            FailureKind::Mapping
            | FailureKind::Refused
            | FailureKind::Duplicate
            | FailureKind::Conflict
            | FailureKind::KeyChanged
            | FailureKind::MissingParent
            | FailureKind::SilentLoss => Self::new(Exit::Plan, at_target),
        }
    }
}
