//! What people and programs see.

mod bars;
mod gauge;
mod out;
mod table;

pub(crate) use bars::Watch;
pub(crate) use gauge::{Bytes, Counted, watch};
pub(crate) use out::{json, line, note, printable};
pub(crate) use table::{grouped, table};
