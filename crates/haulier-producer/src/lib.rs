#![doc = include_str!("../README.md")]

mod chunk;
mod error;
mod fibre;
pub mod mapping;
mod parcel;
mod produce;
mod progress;
mod sweep;

pub use error::ProduceError;
pub use produce::{Ending, Producer, Settings};
pub use progress::Progress;
