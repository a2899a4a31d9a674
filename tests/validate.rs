//! The proof that both sides hold the same.

mod engines;
mod extracts;
mod proofs;
