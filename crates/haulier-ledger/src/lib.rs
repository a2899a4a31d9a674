#![doc = include_str!("../README.md")]

mod book;
mod conn;
#[cfg(test)]
mod contract;
mod law;
mod names;
pub mod postgres;
mod record;
mod report;
mod sheet;
mod sql;
pub mod sqlite;
mod store;
mod work;
