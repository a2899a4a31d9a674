#![doc = include_str!("../README.md")]

pub mod channel;
pub mod due;
mod happened;
pub mod send;
#[cfg(test)]
mod tests;
pub mod text;

pub use channel::{Channel, Delivery};
pub use due::{Called, Facts, Happened, called};
pub use happened::happened;
pub use send::{Sent, keep, send};
