#![doc = include_str!("../README.md")]

pub mod brakes;
mod flow;
mod patience;
mod rate;
mod slots;

pub use flow::Flow;
pub use patience::patiently;
pub use rate::Rate;
pub use slots::{Slot, Slots};
