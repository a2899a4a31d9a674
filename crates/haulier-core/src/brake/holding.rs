//! A brake that holds, as it is shown.

use std::fmt;

use crate::port::Micros;

/// One brake that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Its name.
    pub name: String,
    /// What was read last, or why nothing was.
    pub value: String,
    /// Its limit.
    pub limit: String,
    /// Since when it holds.
    pub since: Micros,
    /// Whether it is critical: a person should look before the side goes on.
    pub critical: bool,
    /// Whether it holds only a part of the side, such as one tenant; all else goes on.
    pub part: bool,
}

impl Holding {
    /// `src-lag 3.1 s (limit 2 s) for 14 s`
    #[must_use]
    pub fn at(&self, now: Micros) -> String {
        format!("{self} for {} s", now.saturating_sub(self.since).max(0) / 1_000_000)
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.value)?;
        if !self.limit.is_empty() {
            write!(f, " (limit {})", self.limit)?;
        }
        if self.critical {
            f.write_str(", critical")?;
        }
        Ok(())
    }
}
