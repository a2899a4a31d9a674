#![doc = include_str!("../README.md")]

mod back;
mod controller;
mod gate;
mod hands;
mod history;
mod hook;
#[cfg(test)]
mod tests;

pub use back::{agree, begin};
pub use controller::{Controller, Ending, LEASE, Options};
pub use gate::{decide, evaluate, evidence, fingerprint, record};
pub use hands::{Carried, Carry, Halt, Hands, Trouble, Whose};
pub use history::{Desk, Wrote};
pub use hook::{Ended, exec};
