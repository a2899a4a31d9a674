#![doc = include_str!("../README.md")]

mod access;
mod book;
mod bulk;
mod clock;
mod config;
mod control;
mod cut;
mod fault;
pub mod field_demo;
mod journal;
mod listing;
mod member;
mod operation;
mod page;
mod pipeline;
mod record;
mod reply;
mod route;
mod sandbox;
mod saved;
mod stats;
mod store;
mod table;

pub use config::{Config, Login, StoreKind, Sync, Uniqueness};
pub use fault::Faults;
pub use record::Collection;
pub use route::{ROUTES, Route};
pub use sandbox::Sandbox;
pub use stats::{CollectionStats, Stats};
