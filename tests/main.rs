//! The one end-to-end test binary: the real `haulier`, real servers, real HTTP.

mod crash;
mod data;
mod matrix;
mod order;
mod support;
mod target_faults;
mod tidy;
