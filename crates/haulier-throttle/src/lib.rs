#![doc = include_str!("../README.md")]

pub mod brakes;
mod controls;
mod decision;
mod flow;
mod leader;
mod meter;
mod patience;
mod rate;
mod slots;
mod steering;
mod tenants;

pub use controls::{Controls, Gate};
pub use flow::{Flow, OPEN_FOR};
pub use leader::Leader;
pub use meter::{Meter, Totals};
pub use patience::patiently;
pub use rate::Rate;
pub use slots::{Slot, Slots};
pub use steering::Steering;
pub use tenants::{Refusal, Tenants, Waiting};
