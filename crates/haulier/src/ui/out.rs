//! Data to stdout, notes to stderr.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::CliError;

/// A text that a terminal shows as it is: what somebody else wrote must not move its cursor or change its title.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

/// Writes one line of data.
pub(crate) fn line(text: impl AsRef<str>) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref().as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// Writes one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    line(serde_json::to_string(value).map_err(CliError::bug)?)
}

/// Tells the operator something that is not data.
pub(crate) fn note(text: impl AsRef<str>) {
    let mut err = io::stderr().lock();
    // Nothing is left to tell it to when stderr is gone.
    let _unheard = writeln!(err, "{}", printable(text.as_ref()));
}
