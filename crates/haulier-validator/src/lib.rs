#![doc = include_str!("../README.md")]

pub mod extract;
pub mod line;
pub mod meter;
pub mod neutral;
pub mod sort;
