//! Exit codes: part of the interface, documented in docs/exit-codes.md.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done: what was asked for is so.
    Done,
    /// The answer is no: differences, dead letters, a queue that is not empty.
    No,
    /// The command line is wrong.
    Usage,
    /// A comparison that has no answer, as diff(1) says it: a broken file, a key that comes more than once.
    Trouble,
    /// The plan or the site is wrong.
    Plan,
    /// A neighbour (source, queue, ledger, target) cannot be reached or refuses the credentials.
    Unreachable,
    /// Stopped by the operator, or waiting for a decision or a window; the run goes on from there.
    Stopped,
    /// A bug in haulier.
    Bug,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage | Self::Trouble => 2,
            Self::Plan => 3,
            Self::Unreachable => 4,
            Self::Stopped => 5,
            Self::Bug => 70,
        }
    }

    /// The number as the process returns it.
    #[must_use]
    pub fn code(self) -> ExitCode {
        ExitCode::from(self.number())
    }
}
