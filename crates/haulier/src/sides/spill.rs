//! Where and how much a sort may spill.

use std::path::Path;
use std::sync::Arc;

use haulier_validator::meter::Meter;
use haulier_validator::sort::SortOptions;

use crate::error::CliError;
use crate::exit::Exit;

/// A sort's options: this share of the memory, spilling beside the state.
pub(crate) fn sort_options(
    state: &Path,
    memory: usize,
    sorts: usize,
    meter: &Arc<Meter>,
) -> Result<SortOptions, CliError> {
    use std::os::unix::fs::DirBuilderExt;
    let spill = state.join("spill");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&spill).map_err(|error| {
        CliError::new(Exit::Unreachable, format!("the folder {} cannot be made: {error}", spill.display()))
    })?;
    let usual = SortOptions::default();
    Ok(SortOptions {
        memory: memory / sorts.max(1),
        threads: usual.threads.div_ceil(sorts.max(1)),
        spill,
        meter: Arc::clone(meter),
    })
}
