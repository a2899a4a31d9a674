//! The knobs.

use std::fmt;

/// One of the two sides of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// From the source into the queue.
    Produce,
    /// From the queue to the target.
    Push,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Produce, Self::Push];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Produce => "produce",
            Self::Push => "push",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can be turned while a run goes on. Each is a total of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Knob {
    /// Walks of the source at a time.
    Fibres,
    /// Records a second out of the source.
    ProduceRate,
    /// Most rows of one read.
    Chunk,
    /// Pushes at a time, over all processes.
    Workers,
    /// Requests a second to the target, retries included, over all processes.
    PushRate,
}

impl Knob {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Fibres, Self::ProduceRate, Self::Chunk, Self::Workers, Self::PushRate];

    /// Its name on the command line and in the ledger.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fibres => "produce.fibres",
            Self::ProduceRate => "produce.rate",
            Self::Chunk => "produce.chunk",
            Self::Workers => "push.workers",
            Self::PushRate => "push.rate",
        }
    }

    /// The knob of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|knob| knob.as_str() == name)
    }

    /// The side that it acts on.
    #[must_use]
    pub fn side(self) -> Side {
        match self {
            Self::Fibres | Self::ProduceRate | Self::Chunk => Side::Produce,
            Self::Workers | Self::PushRate => Side::Push,
        }
    }

    /// Whether it is a number a second, which may be a fraction and may be without limit.
    #[must_use]
    pub fn is_rate(self) -> bool {
        match self {
            Self::ProduceRate | Self::PushRate => true,
            Self::Fibres | Self::Chunk | Self::Workers => false,
        }
    }

    /// The most that it can ever be set to, whatever the site allows.
    #[must_use]
    pub fn most(self) -> f64 {
        match self {
            Self::Fibres => 1_000.0,
            Self::Workers => 10_000.0,
            Self::Chunk => 100_000.0,
            Self::ProduceRate | Self::PushRate => 1_000_000.0,
        }
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
