//! Tolerance: what the target's answers say about how much it can take, and what follows from it.
//!
//! Workers note each attempt in a [`Window`]. One process merges the windows of all and hands them to the [`Law`], which
//! judges them against absolute bounds ([`Verdict`], GREEN, AMBER or RED, with the evidence in words) and steers the number
//! of workers between its floor and what the operator allows. All of it is pure: time comes in as a number, so that hours
//! are tested in milliseconds.
//!
//! The law is a band, not a gradient: it grows while the target stays inside bounds that its owner agreed to, and it
//! compares with a baseline that is frozen. Laws that compare with a moving mean follow the overload which they cause
//! (Vector's adaptive concurrency held such a target at six times its own latency in simulation).

mod breaker;
mod judge;
mod latency;
mod law;
mod plateau;
mod ramp;
mod rate_cap;
mod settings;
mod state;
#[cfg(test)]
mod tests;
mod window;

pub use breaker::{Breaker, BreakerState};
pub use judge::{Colour, Evidence};
pub use latency::Latency;
pub use law::{Law, Step, Verdict};
pub use ramp::Ramp;
pub use settings::Tolerance;
pub use state::{LawState, Phase, Raise};
pub use window::{Attempt, Window};
