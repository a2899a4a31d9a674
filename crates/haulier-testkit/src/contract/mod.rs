//! One contract suite per port, run over every adapter.

pub mod ledger;
pub mod queue;
pub mod source;
pub mod target;
