#![doc = include_str!("../README.md")]

mod flow;
mod rate;
mod slots;

pub use flow::Flow;
pub use rate::Rate;
pub use slots::{Slot, Slots};
