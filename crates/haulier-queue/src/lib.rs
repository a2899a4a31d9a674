#![doc = include_str!("../README.md")]

pub mod amqp;
pub mod embedded;
mod task;
pub mod wire;

#[cfg(test)]
mod contract;
