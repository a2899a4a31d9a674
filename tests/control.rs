//! A run is steered while it goes on: by the real command line, over real processes, brokers and ledgers.

mod bad_input;
mod broker;
mod pauses;
pub(crate) mod scene;
mod seeing;
mod shares;
mod survival;
