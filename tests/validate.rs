//! The proof that both sides hold the same.

mod engines;
mod explained;
mod extracts;
mod lists;
mod narrow;
mod proofs;
mod resume;
mod strings;
mod tools;
