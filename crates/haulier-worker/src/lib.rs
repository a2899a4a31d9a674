#![doc = include_str!("../README.md")]

mod backlog;
mod beat;
mod error;
mod fence;
mod ids;
mod load;
mod parcel;
mod progress;
mod push;
mod session;
mod shared;
mod verdict;
mod work;

pub use error::WorkError;
pub use progress::Progress;
pub use shared::Settings;
pub use work::Worker;
