//! How many rows to read at once: as many as take the wished time.

use std::time::Duration;

/// Steers the chunk size towards a read time.
///
/// After each chunk `size *= clamp(goal / ema, 0.5, 1.2)`, with `ema` the moving mean of the read time (weight 1/4 for the newest):
/// the rule that GitLab's batched background migrations use, with a floor.
#[derive(Debug, Clone)]
pub(crate) struct ChunkSize {
    size: f64,
    floor: f64,
    ceiling: f64,
    goal: Duration,
    mean: Option<f64>,
}

impl ChunkSize {
    /// Starts small, between 50 and `ceiling` rows.
    pub(crate) fn new(ceiling: u32) -> Self {
        let ceiling = f64::from(ceiling.max(1));
        let floor = ceiling.min(50.0);
        Self { size: ceiling.min(500.0), floor, ceiling, goal: Duration::from_millis(200), mean: None }
    }

    /// Takes another ceiling, for the next read.
    pub(crate) fn limit_to(&mut self, ceiling: u32) {
        self.ceiling = f64::from(ceiling.max(1));
        self.floor = self.ceiling.min(50.0);
        self.size = self.size.min(self.ceiling);
    }

    /// Rows to read now.
    pub(crate) fn rows(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and a u32")]
        let rows = self.size.round().max(1.0) as u32;
        rows
    }

    /// Notes how long a full chunk took to read.
    pub(crate) fn took(&mut self, time: Duration) {
        let time = time.as_secs_f64().max(0.000_1);
        let mean = self.mean.map_or(time, |mean| mean * 0.75 + time * 0.25);
        self.mean = Some(mean);
        let factor = (self.goal.as_secs_f64() / mean).clamp(0.5, 1.2);
        self.size = (self.size * factor).clamp(self.floor, self.ceiling);
    }

    /// Halves after a time-out, below the floor too.
    pub(crate) fn halve(&mut self) {
        self.size = (self.size / 2.0).max(1.0);
        self.mean = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_follows_the_read_time() {
        let mut chunk = ChunkSize::new(5000);
        for _ in 0..20 {
            chunk.took(Duration::from_millis(10));
        }
        assert_eq!(chunk.rows(), 5000);
        for _ in 0..20 {
            chunk.took(Duration::from_secs(2));
        }
        assert_eq!(chunk.rows(), 50);
        chunk.halve();
        assert_eq!(chunk.rows(), 25);
    }

    #[test]
    fn a_small_ceiling_is_kept() {
        assert_eq!(ChunkSize::new(7).rows(), 7);
    }

    #[test]
    fn a_ceiling_changes_between_two_reads() {
        let mut chunk = ChunkSize::new(400);
        chunk.limit_to(10);
        assert_eq!(chunk.rows(), 10);
        chunk.limit_to(1000);
        for _ in 0..40 {
            chunk.took(Duration::from_millis(10));
        }
        assert_eq!(chunk.rows(), 1000);
    }
}
