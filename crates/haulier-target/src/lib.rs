#![doc = include_str!("../README.md")]

mod adapter;
mod body;
mod bulk;
mod check;
mod compare;
mod http;
mod json;
mod lookup;
mod options;
mod page;
mod probe;
mod program;
mod proof;
mod push;
mod read;
mod reply;
mod template;
mod write;
mod write_probe;

pub use adapter::open;
pub use options::{Auth, Login, OpenError, Options, Secret, TokenSource};
pub use probe::{date, post, probe};
pub use write_probe::write_probe;
