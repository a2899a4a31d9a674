//! One contract suite per port, run over every adapter.

pub mod source;
