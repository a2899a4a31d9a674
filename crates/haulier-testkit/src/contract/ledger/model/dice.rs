//! Random choices that a seed repeats.

use super::twin::{Outcome, Seen};

/// A linear congruential generator: good enough to choose from short lists.
#[derive(Debug)]
pub(super) struct Dice(u64);

const KEYS: usize = 9;

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// A number below `sides`.
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).unwrap_or(0)
    }

    pub(super) fn keys() -> impl Iterator<Item = String> {
        (0..KEYS).map(|n| format!("k{n}"))
    }

    pub(super) fn key(&mut self) -> String {
        format!("k{}", self.roll(KEYS))
    }

    pub(super) fn content(&mut self) -> u64 {
        self.roll(3) as u64
    }

    pub(super) fn seen(&mut self) -> Seen {
        let natural = (self.roll(3) > 0).then(|| self.roll(12) as u64);
        Seen { key: self.key(), content: self.content(), natural, intent: self.roll(14) }
    }

    /// What becomes of a record that was sent with `content`.
    pub(super) fn outcome(&mut self, content: u64, entity: usize) -> Outcome {
        match self.roll(12) {
            0..5 => Outcome::Landed { id: self.roll(14), content },
            5 => Outcome::Retry { counted: true },
            6 => Outcome::Retry { counted: false },
            7 => Outcome::Unknown,
            8 | 9 => {
                let parent = if self.roll(2) == 0 { entity } else { 1 - entity };
                Outcome::AwaitParent(parent, self.key())
            }
            10 if self.roll(2) == 0 => Outcome::AwaitPerson,
            10 => Outcome::Dead,
            _ => Outcome::Unsent,
        }
    }
}
