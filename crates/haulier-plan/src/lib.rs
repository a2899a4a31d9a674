#![doc = include_str!("../README.md")]

mod digest;
mod near;
mod node;
mod notes;
mod plan;
mod problem;
mod scalar;
mod shape;
pub mod site;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use haulier_core::plan::Plan;

pub use problem::{Problem, Problems};
pub use site::Site;
pub use text::MAX_BYTES;

/// Reads a plan's text; `file` is only its name in messages.
pub fn parse_plan(file: &Path, text: &str) -> Result<Plan, Problems> {
    plan::parse(file, text::without_mark(text))
}

/// Reads a plan file.
pub fn read_plan(file: &Path) -> Result<Plan, Problems> {
    parse_plan(file, &text::load(file)?)
}

/// Reads a site's text; `file` is its name in messages, and its folder is where relative paths start.
pub fn parse_site(file: &Path, text: &str) -> Result<Site, Problems> {
    site::parse(file, text::without_mark(text))
}

/// Reads a site file.
pub fn read_site(file: &Path) -> Result<Site, Problems> {
    parse_site(file, &text::load(file)?)
}
