//! The rules of stages, held against histories at random and by hand.

mod decisions;
mod histories;
mod machines;
mod rollback;
