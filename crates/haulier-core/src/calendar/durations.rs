//! How long things take: what people say, and what rehearsals measured.

use std::time::Duration;

/// Known durations; `None` where nobody said and nobody measured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Durations {
    /// Taking a snapshot.
    pub snapshot: Option<Duration>,
    /// Checking it.
    pub snapshot_check: Option<Duration>,
    /// Restoring it.
    pub restore: Option<Duration>,
    /// The final smoke test, which follows a restore, too.
    pub smoke: Option<Duration>,
    /// One tenant.
    pub tenant: Option<Duration>,
    /// Each stage, in the plan's order, as each rehearsal took it.
    pub stages: Vec<(String, Vec<Duration>)>,
}

impl Durations {
    /// What a stage takes in nine of ten cases.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<Duration> {
        self.stages.iter().find(|(known, _)| known == name).and_then(|(_, seen)| usual(seen))
    }

    /// What these stages take one after another; a stage that nobody measured counts nothing and is named.
    #[must_use]
    pub fn needs<'s>(&self, stages: impl IntoIterator<Item = &'s str>) -> (Duration, Vec<&'s str>) {
        let mut whole = Duration::ZERO;
        let mut unknown = Vec::new();
        for stage in stages {
            match self.stage(stage) {
                Some(takes) => whole += takes,
                None => unknown.push(stage),
            }
        }
        (whole, unknown)
    }
}

/// The 90th percentile by nearest rank; of fewer than ten values that is the longest.
#[must_use]
pub fn usual(seen: &[Duration]) -> Option<Duration> {
    let mut sorted = seen.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 9).div_ceil(10);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_of_ten_cases_are_covered() {
        let minutes = |minutes: &[u64]| minutes.iter().map(|m| Duration::from_mins(*m)).collect::<Vec<_>>();
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&minutes(&[7])), Some(Duration::from_mins(7)));
        assert_eq!(usual(&minutes(&[58, 69, 60])), Some(Duration::from_mins(69)));
        let ten: Vec<u64> = (1..=10).collect();
        assert_eq!(usual(&minutes(&ten)), Some(Duration::from_mins(9)));
    }

    #[test]
    fn a_stage_that_nobody_measured_is_named() {
        let bulk = ("bulk".to_owned(), vec![Duration::from_mins(50), Duration::from_mins(61)]);
        let known = Durations { stages: vec![bulk], ..Durations::default() };
        assert_eq!(known.needs(["bulk", "release"]), (Duration::from_mins(61), vec!["release"]));
    }
}
