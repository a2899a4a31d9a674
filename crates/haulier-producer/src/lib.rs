#![doc = include_str!("../README.md")]

mod chunk;
mod error;
mod fibre;
mod lease;
mod leg;
pub mod mapping;
mod parcel;
mod produce;
mod progress;
mod reader;
mod set_back;
mod shared;
mod sweep;

pub use error::ProduceError;
pub use leg::{Choice, Leg};
pub use produce::{Ending, Producer};
pub use progress::Progress;
pub use shared::Settings;
