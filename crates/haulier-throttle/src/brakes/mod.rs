//! Brakes at work: gauges are read again and again, and what holds is put on a board.

mod board;
mod queue;
mod target;
mod watch;

pub use board::Board;
pub use queue::watch_queue;
pub use target::of_target;
pub use watch::{Gauge, watch_gauge};
