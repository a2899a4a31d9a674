//! The sandbox, over real HTTP on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may break off where it stands"
)]

mod client;
mod durability;
mod faults;
mod field;
mod lists;
mod protocol;
mod records;
mod routes;
