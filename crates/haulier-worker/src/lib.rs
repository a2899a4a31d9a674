#![doc = include_str!("../README.md")]

mod beat;
mod ids;
mod parcel;
mod progress;
mod verdict;
mod work;

pub use progress::Progress;
pub use work::{Settings, WorkError, Worker};
