//! How long the parts of a run took: work, waiting and standing still apart, so that only work feeds forecasts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Entry, Fact, HookEvent, RunState, StageState};
use crate::StageName;
use crate::port::Micros;

/// How long one stage took, over all its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTiming {
    /// The stage.
    pub stage: StageName,
    /// When it was entered first.
    pub began: Micros,
    /// When it was done or given up; `None` while it goes on.
    pub ended: Option<Micros>,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// While it was worked on.
    pub active: Duration,
    /// While it was held, or waited for a person after an inconclusive proof.
    pub waiting: Duration,
    /// While the run stood still: paused, interrupted, before a gate or a shut window.
    pub paused: Duration,
}

/// How long the runs of a hook took that ended well, by its name.
pub type HookTimings = BTreeMap<String, Vec<Duration>>;

/// Reads a history up to an instant. Entries that make no sense where they stand are passed over.
#[must_use]
pub fn timings(entries: &[Entry], now: Micros) -> (Vec<StageTiming>, HookTimings) {
    let mut run = RunState::Scheduled;
    let mut stages: Vec<(StageTiming, StageState)> = Vec::new();
    let mut hooks = HookTimings::new();
    let mut open: BTreeMap<(StageName, String), Micros> = BTreeMap::new();
    let mut since = entries.first().map_or(now, |entry| entry.at);
    for entry in entries {
        pass(&mut stages, run, since, entry.at);
        since = since.max(entry.at);
        match &entry.fact {
            Fact::Run(event) => run = run.next(*event).unwrap_or(run),
            Fact::Stage(name, event) => {
                let place = stages.iter().position(|(timing, _)| timing.stage == *name);
                let place = place.unwrap_or_else(|| {
                    stages.push((fresh(name.clone(), entry.at), StageState::Pending));
                    stages.len() - 1
                });
                if let Some((timing, state)) = stages.get_mut(place) {
                    *state = state.next(*event).unwrap_or(*state);
                    let over = state.is_done() || matches!(state, StageState::Failed | StageState::Cancelled);
                    timing.ended = over.then_some(entry.at);
                    timing.succeeded = *state == StageState::Succeeded;
                }
            }
            Fact::Hook(stage, hook, event) => {
                let key = (stage.clone(), hook.clone());
                match event {
                    HookEvent::Began => {
                        open.insert(key, entry.at);
                    }
                    HookEvent::Done => {
                        if let Some(began) = open.remove(&key) {
                            hooks.entry(hook.clone()).or_default().push(between(began, entry.at));
                        }
                    }
                    HookEvent::Failed => {
                        open.remove(&key);
                    }
                }
            }
            Fact::Opened(..)
            | Fact::Plan(..)
            | Fact::Gate(..)
            | Fact::Evidence(..)
            | Fact::Decision(..)
            | Fact::Approval(_)
            | Fact::Tenant(..)
            | Fact::Part(..)
            | Fact::Fingerprint(..)
            | Fact::Other { .. } => {}
        }
    }
    pass(&mut stages, run, since, now);
    (stages.into_iter().map(|(timing, _)| timing).collect(), hooks)
}

fn fresh(stage: StageName, at: Micros) -> StageTiming {
    let none = Duration::ZERO;
    StageTiming { stage, began: at, ended: None, succeeded: false, active: none, waiting: none, paused: none }
}

/// Lets time pass over every stage that goes on.
fn pass(stages: &mut [(StageTiming, StageState)], run: RunState, from: Micros, to: Micros) {
    let passed = between(from, to);
    let moves = matches!(run, RunState::Running | RunState::Pausing);
    for (timing, state) in stages.iter_mut().filter(|(timing, _)| timing.ended.is_none()) {
        let waits = matches!(state, StageState::Held | StageState::Inconclusive);
        let into = match (moves, waits) {
            (true, true) => &mut timing.waiting,
            (true, false) => &mut timing.active,
            (false, _) => &mut timing.paused,
        };
        *into += passed;
    }
}

fn between(from: Micros, to: Micros) -> Duration {
    Duration::from_micros(u64::try_from(to.saturating_sub(from)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{RunEvent, StageEvent};

    #[test]
    fn only_work_counts_as_work() {
        let bulk = || StageName::new("bulk");
        let minute = |minute: i64| minute * 60_000_000;
        let facts = [
            (0, Fact::Run(RunEvent::Start)),
            (0, Fact::Stage(bulk(), StageEvent::Enter)),
            (1, Fact::Hook(bulk(), "page".to_owned(), HookEvent::Began)),
            (3, Fact::Hook(bulk(), "page".to_owned(), HookEvent::Done)),
            (3, Fact::Stage(bulk(), StageEvent::Begin)),
            // Ten minutes of work, five held, twenty of a paused run, four more of work and proof.
            (13, Fact::Stage(bulk(), StageEvent::Hold)),
            (18, Fact::Stage(bulk(), StageEvent::Release)),
            (18, Fact::Run(RunEvent::Pause)),
            (18, Fact::Run(RunEvent::AtRest)),
            (38, Fact::Run(RunEvent::Resume)),
            (40, Fact::Stage(bulk(), StageEvent::Drain)),
            (41, Fact::Stage(bulk(), StageEvent::Verify)),
            (42, Fact::Stage(bulk(), StageEvent::Pass)),
            (60, Fact::Run(RunEvent::Complete)),
        ];
        let entries: Vec<Entry> = (1..)
            .zip(facts)
            .map(|(version, (at, fact))| Entry {
                version,
                at: minute(at),
                by: "sam".to_owned(),
                note: None,
                fact,
            })
            .collect();
        let (stages, hooks) = timings(&entries, minute(60));
        let minutes = |duration: Duration| duration.as_secs() / 60;
        let [timing] = stages.as_slice() else { panic!("one stage") };
        assert_eq!((minutes(timing.active), minutes(timing.waiting), minutes(timing.paused)), (17, 5, 20));
        assert_eq!((timing.began, timing.ended, timing.succeeded), (0, Some(minute(42)), true));
        assert_eq!(hooks["page"], [Duration::from_mins(2)]);
        // Halfway, it goes on.
        let (stages, _) = timings(&entries[..6], minute(15));
        assert_eq!((stages[0].ended, minutes(stages[0].active), minutes(stages[0].waiting)), (None, 13, 2));
    }
}
