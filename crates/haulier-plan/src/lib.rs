#![doc = include_str!("../README.md")]

mod digest;
mod near;
mod node;
mod notes;
mod plan;
mod problem;
mod scalar;
mod shape;
mod text;

use std::path::Path;

use haulier_core::plan::Plan;

pub use problem::{Problem, Problems};
pub use text::MAX_BYTES;

/// Reads a plan's text; `file` is only its name in messages.
pub fn parse_plan(file: &Path, text: &str) -> Result<Plan, Problems> {
    plan::parse(file, text::without_mark(text))
}

/// Reads a plan file.
pub fn read_plan(file: &Path) -> Result<Plan, Problems> {
    parse_plan(file, &text::load(file)?)
}
