//! What people and programs see.

mod bars;
mod out;
mod table;

pub(crate) use bars::Watch;
pub(crate) use out::{json, line, note};
pub(crate) use table::{grouped, table};
