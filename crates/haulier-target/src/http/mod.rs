//! HTTP/1.1 to one host: connections, credentials, and what is known when a request breaks.

mod address;
mod client;
mod connection;
mod dial;
mod reply;
mod session;

pub(crate) use address::Address;
pub(crate) use client::{Call, Client, Trouble};
pub(crate) use reply::Reply;
