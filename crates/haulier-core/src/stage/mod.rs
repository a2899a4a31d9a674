//! Stages that people open: what a run, a stage, a gate and a tenant may do next, and who may decide. Pure rules.
//!
//! Each of the four is a plain enum with one transition function, `next`. A run's history is a list of [`Entry`]s, kept in
//! the ledger and never altered; [`Standing::of`] folds it to where everything stands. Whoever wants to move something asks
//! the standing first, and appends only what is lawful there.

mod check;
mod cover;
mod decision;
mod entry;
mod gate;
pub mod incident;
mod report;
mod rollback;
mod run;
#[expect(clippy::module_inception, reason = "a stage is one of the things that stages are made of")]
mod stage;
mod standing;
mod tenant;
#[cfg(test)]
mod tests;
mod timing;
mod words;

pub use check::{Advice, CheckResult, Finding, Weight, advice};
pub use cover::cover;
pub use decision::{Decision, Refusal, Verb, Wish, weigh};
pub use entry::{Entry, Evidence, Fact, HookEvent, RunKind};
pub use gate::{GateEvent, GateState};
pub use incident::Severity;
pub use report::{Reported, none_open, reported};
pub use rollback::{Approval, Back, ROLLBACK, approve, may_roll_back, way_back};
pub use run::{Live, RunEvent, RunState};
pub use stage::{StageEvent, StageState};
pub use standing::{GateStanding, HookStanding, Mark, Misstep, StageStanding, Standing};
pub use tenant::{TenantEvent, TenantState};
pub use timing::{HookTimings, StageTiming, timings};

/// A step that is not lawful where the thing stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {what} that is {from} has no way to `{event}`")]
pub struct Unlawful {
    what: &'static str,
    from: String,
    event: &'static str,
}

impl Unlawful {
    fn run(from: RunState, event: RunEvent) -> Self {
        Self { what: "run", from: from.to_string(), event: event.as_str() }
    }

    fn stage(from: StageState, event: StageEvent) -> Self {
        Self { what: "stage", from: from.to_string(), event: event.as_str() }
    }

    fn gate(from: GateState, event: GateEvent) -> Self {
        Self { what: "gate", from: from.to_string(), event: event.as_str() }
    }

    fn tenant(from: TenantState, event: TenantEvent) -> Self {
        Self { what: "tenant", from: from.to_string(), event: event.as_str() }
    }
}
