//! The law against simulated targets in virtual time, and its rules one by one.

mod dice;
mod rules;
mod scenarios;
mod simulation;
