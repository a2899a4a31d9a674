//! The one end-to-end test binary: the real `haulier`, real servers, real HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what it did"
)]

mod brakes;
mod cli;
mod control;
mod crash;
mod data;
mod dates;
mod hostile_target;
mod matrix;
mod notices;
mod order;
mod papers;
mod secrets;
mod stages;
mod strangers;
mod support;
mod target_faults;
mod tidy;
mod tls;
mod validate;
