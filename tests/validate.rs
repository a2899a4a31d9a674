//! The proof that both sides hold the same.

mod engines;
mod explained;
mod extracts;
mod hubs;
mod lists;
mod narrow;
mod progress;
mod proofs;
mod resume;
mod strings;
mod tools;
