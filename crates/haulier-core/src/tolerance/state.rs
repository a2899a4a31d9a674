//! What the law remembers between windows; it outlives the process, so all of it can be kept and read back.

use std::time::Duration;

use crate::port::Micros;

/// Where the law is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Set at the start: raises by a factor on each GREEN.
    FirstRamp,
    /// Set after a step back or a full recovery: raises by one.
    Careful,
    /// Set by a raise that was in vain, at that time: raises nothing for a while.
    Plateau {
        /// Since when.
        since: Micros,
    },
    /// Set by RED: raises by a factor up to a share of the last good number.
    Recovery,
}

/// A raise that must still prove itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Raise {
    /// The workers before it.
    pub from: u32,
    /// Answered attempts a second before it.
    pub throughput: f64,
}

/// Everything that the law remembers.
#[derive(Debug, Clone, PartialEq)]
pub struct LawState {
    /// Workers now: the adaptive value.
    pub workers: u32,
    /// Where it is.
    pub phase: Phase,
    /// GREEN windows since the last change.
    pub greens: u32,
    /// Windows that still decide nothing.
    pub cooldown: u32,
    /// The frozen baseline.
    pub baseline: Option<Duration>,
    /// The most workers that were good before RED.
    pub last_good: u32,
    /// A number that was too much, and when: it is not passed for a while.
    pub too_much: Option<(u32, Micros)>,
    /// The last raise, until it has proved itself.
    pub raise: Option<Raise>,
    /// The learnt rate and the windows without a refusal under it.
    pub rate: Option<(f64, u32)>,
    /// More workers that the evidence would allow, for a person to take.
    pub offer: Option<u32>,
}

impl LawState {
    /// A first state with so many workers.
    #[must_use]
    pub fn new(workers: u32, baseline: Option<Duration>) -> Self {
        Self {
            workers,
            phase: Phase::FirstRamp,
            greens: 0,
            cooldown: 0,
            baseline,
            last_good: 0,
            too_much: None,
            raise: None,
            rate: None,
            offer: None,
        }
    }
}
