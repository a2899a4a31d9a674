#![doc = include_str!("../README.md")]

pub mod diff;
pub mod extract;
pub mod foreign;
pub mod line;
pub mod meter;
pub mod neutral;
pub mod report;
pub mod sort;

#[cfg(test)]
mod tests;
