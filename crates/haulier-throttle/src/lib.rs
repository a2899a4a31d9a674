#![doc = include_str!("../README.md")]

pub mod brakes;
mod controls;
mod decision;
mod flow;
mod meter;
mod patience;
mod rate;
mod slots;
mod steering;

pub use controls::{Controls, Gate};
pub use decision::Outside;
pub use flow::Flow;
pub use meter::{Meter, Totals};
pub use patience::patiently;
pub use rate::Rate;
pub use slots::{Slot, Slots};
pub use steering::Steering;
