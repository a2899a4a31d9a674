//! The four machines: no dead end, everything reachable, abort from every live state.

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::stage::{
    GateEvent, GateState, Live, RunEvent, RunState, StageEvent, StageState, TenantEvent, TenantState,
    Unlawful, way_back,
};

/// Every state that events lead to from `start`.
fn reachable<S: Copy + Ord, E: Copy>(
    start: S,
    events: &[E],
    next: fn(S, E) -> Result<S, Unlawful>,
) -> BTreeSet<S> {
    let mut seen = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        for to in events.iter().filter_map(|event| next(state, *event).ok()) {
            if seen.insert(to) {
                open.push(to);
            }
        }
    }
    seen
}

/// Every state leads to one of these, which are the only ones without a way on.
fn has_no_dead_end<S: Copy + Ord + Debug, E: Copy>(
    states: &BTreeSet<S>,
    events: &[E],
    next: fn(S, E) -> Result<S, Unlawful>,
    ends: &[S],
) {
    for state in states {
        let beyond = reachable(*state, events, next);
        assert!(ends.iter().any(|end| beyond.contains(end)), "{state:?} leads to no end");
        let stuck = events.iter().all(|event| next(*state, *event).is_err());
        assert!(!stuck || ends.contains(state), "{state:?} is a dead end");
    }
}

fn run_states() -> BTreeSet<RunState> {
    reachable(RunState::Scheduled, RunEvent::ALL, RunState::next)
}

#[test]
fn a_run_has_no_dead_end_and_every_state_is_reached() {
    let states = run_states();
    // Fourteen plain states, and an interruption of each live one.
    assert_eq!(states.len(), 14 + Live::ALL.len(), "{states:?}");
    let ends = [
        RunState::Completed,
        RunState::Cancelled,
        RunState::Aborted,
        RunState::RolledBack,
        RunState::ClosedFailed,
    ];
    has_no_dead_end(&states, RunEvent::ALL, RunState::next, &ends);
    for state in states {
        assert!(!state.is_final() || ends.contains(&state), "{state} is final");
    }
}

#[test]
fn abort_is_lawful_in_every_live_state_but_a_rollback_and_leads_to_aborted() {
    for state in run_states().into_iter().filter(|state| state.is_live()) {
        let exempt = matches!(
            state,
            RunState::Aborting | RunState::RollingBack | RunState::Interrupted(Live::RollingBack)
        );
        match state.next(RunEvent::Abort) {
            Ok(to) => {
                assert_eq!(to.next(RunEvent::AtRest).ok(), Some(RunState::Aborted), "{state}");
            }
            Err(error) => assert!(exempt, "{error}"),
        }
    }
}

#[test]
fn every_way_back_is_lawful_and_a_failed_one_leads_on() {
    for state in run_states() {
        let Some(way) = way_back(state) else {
            let over = state.is_final() || state == RunState::Scheduled;
            assert!(over, "{state} has no way back");
            continue;
        };
        let end = way.iter().try_fold(state, |at, event| at.next(*event));
        assert_eq!(end.ok(), Some(RunState::RollingBack), "{state}");
        assert!(way.iter().filter(|event| **event == RunEvent::RollBack).count() <= 1, "{state}");
    }
    let failed = RunState::RollingBack.next(RunEvent::RollbackFailed).unwrap();
    let on: Vec<RunEvent> = failed.lawful().collect();
    assert_eq!(on, [RunEvent::RollBack, RunEvent::CloseFailed], "the next try, or the incident process");
    // Nothing but an approved rollback leads there.
    for state in run_states() {
        for event in state.lawful().filter(|event| *event != RunEvent::RollBack) {
            let back = state.next(event).unwrap() == RunState::RollingBack;
            assert!(!back || event == RunEvent::TakeUp, "{state} is rolled back by {event}");
        }
    }
}

#[test]
fn an_interrupted_run_is_taken_up_as_what_it_was_and_by_nothing_else() {
    for live in Live::ALL {
        let interrupted = live.state().next(RunEvent::Interrupt).unwrap();
        assert_eq!(interrupted, RunState::Interrupted(*live));
        let ways: Vec<RunEvent> = interrupted.lawful().filter(|event| *event != RunEvent::Abort).collect();
        assert_eq!(ways, [RunEvent::TakeUp], "{live}");
        assert_eq!(interrupted.next(RunEvent::TakeUp).ok(), Some(live.state()));
        assert!(interrupted.next(RunEvent::Interrupt).is_err(), "nothing dies twice");
    }
}

#[test]
fn a_stage_has_no_dead_end_and_can_be_cancelled_until_it_is_done() {
    let states = reachable(StageState::Pending, StageEvent::ALL, StageState::next);
    assert_eq!(states.len(), StageState::ALL.len());
    let ends = [StageState::Succeeded, StageState::Skipped, StageState::RolledBack, StageState::Cancelled];
    has_no_dead_end(&states, StageEvent::ALL, StageState::next, &ends);
    for state in states {
        assert_eq!(state.next(StageEvent::Cancel).is_ok(), !ends.contains(&state), "{state}");
        assert_eq!(state.is_final(), ends.contains(&state), "{state}");
    }
}

#[test]
fn a_gate_has_no_dead_end_and_passes_only_when_it_is_open() {
    let states = reachable(GateState::Closed, GateEvent::ALL, GateState::next);
    assert_eq!(states.len(), GateState::ALL.len());
    has_no_dead_end(&states, GateEvent::ALL, GateState::next, &[GateState::Passed]);
    for state in states {
        let passes = state.next(GateEvent::Pass).is_ok();
        assert_eq!(passes, state == GateState::Go, "{state}");
        let opens = state.next(GateEvent::Go).is_ok();
        assert_eq!(opens, state.is_decidable(), "{state}");
        // No other event opens it.
        for event in GateEvent::ALL.iter().filter(|event| **event != GateEvent::Go) {
            let to = state.next(*event);
            assert!(!matches!(to, Ok(GateState::Go)), "{state} is opened by {event}");
        }
    }
}

#[test]
fn a_tenant_can_always_come_to_be_settled() {
    let states = reachable(TenantState::Pending, TenantEvent::ALL, TenantState::next);
    assert_eq!(states.len(), TenantState::ALL.len());
    has_no_dead_end(
        &states,
        TenantEvent::ALL,
        TenantState::next,
        &[TenantState::Accepted, TenantState::Excluded],
    );
}

#[test]
fn every_word_reads_back() {
    for event in RunEvent::ALL {
        assert_eq!(RunEvent::named(event.as_str()), Some(*event));
    }
    for event in StageEvent::ALL {
        assert_eq!(StageEvent::named(event.as_str()), Some(*event));
    }
    for event in GateEvent::ALL {
        assert_eq!(GateEvent::named(event.as_str()), Some(*event));
    }
    for event in TenantEvent::ALL {
        assert_eq!(TenantEvent::named(event.as_str()), Some(*event));
    }
}
