//! Who raises: nobody, a person on advice, or the law.

use std::fmt;

/// How the law's findings become workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ramp {
    /// Measures and judges, changes nothing.
    Off,
    /// Cuts on RED and restores what it cut; a raise above the operator's value is offered, and taken only by `ramp next`.
    #[default]
    Advise,
    /// Raises by itself up to the operator's value.
    Auto,
    /// Cuts on RED, raises nothing.
    Hold,
}

impl Ramp {
    /// All of them, in the order of the command line.
    pub const ALL: [Self; 4] = [Self::Off, Self::Advise, Self::Auto, Self::Hold];

    /// The word that commands, JSON and the ledger use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Advise => "advise",
            Self::Auto => "auto",
            Self::Hold => "hold",
        }
    }

    /// Whether the law may raise, or offer to.
    pub(super) fn raises(self) -> bool {
        match self {
            Self::Advise | Self::Auto => true,
            Self::Off | Self::Hold => false,
        }
    }

    /// Reads what [`Ramp::as_str`] wrote.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ramp| ramp.as_str() == word)
    }
}

impl fmt::Display for Ramp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
