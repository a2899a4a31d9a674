//! Going back: decided by people, and carried out by the plan's restore hook, once each time that they decided.

use super::{Live, Refusal, RunEvent, RunKind, RunState, Standing};
use crate::StageName;
use crate::plan::{Person, Stages};

/// What the way back is called where hooks belong to a stage.
pub const ROLLBACK: &str = "rollback";

/// One person's word that the target shall be put back, as it is kept for ever. It counts for the run as it stands: when the run
/// goes on, or the plan is amended, it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who, by the name in the plan's `people`.
    pub person: String,
    /// Digest of the plan that was decided on.
    pub plan: String,
}

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Back<'a> {
    /// Who.
    pub person: &'a str,
    /// Why; it needs a reason.
    pub note: &'a str,
    /// Digest of the plan as it is now.
    pub plan: &'a str,
}

/// The events that lead from a state to rolling back while nothing is carried; `None` where no way leads there.
#[must_use]
pub fn way_back(from: RunState) -> Option<Vec<RunEvent>> {
    use RunEvent as E;
    Some(match from {
        RunState::RollingBack => Vec::new(),
        RunState::Paused | RunState::AwaitingDecision | RunState::Aborted | RunState::RollbackFailed => {
            vec![E::RollBack]
        }
        RunState::AwaitingWindow => vec![E::Pause, E::RollBack],
        RunState::Running => vec![E::Pause, E::AtRest, E::RollBack],
        RunState::Pausing | RunState::Aborting => vec![E::AtRest, E::RollBack],
        RunState::Interrupted(was) => {
            let mut way = vec![E::TakeUp];
            way.extend(way_back(Live::state(was))?);
            way
        }
        RunState::Scheduled
        | RunState::RolledBack
        | RunState::Completed
        | RunState::Cancelled
        | RunState::ClosedFailed => return None,
    })
}

/// Weighs a person's word: the approval to keep, and whether it is the last that was missing.
pub fn approve(wish: &Back<'_>, stages: &Stages, standing: &Standing) -> Result<(Approval, bool), Refusal> {
    possible(stages, standing)?;
    let Some(snapshot) = &stages.snapshot else { return Err(Refusal::NoWayBack) };
    let approvers = &snapshot.approvers;
    let person = named(wish.person, &stages.people)?;
    if !person.roles.contains(&approvers.role) {
        return Err(Refusal::Role { person: person.name.clone(), role: approvers.role.clone() });
    }
    let starter = approvers.not_the_starter
        && standing.kind != Some(RunKind::Rehearsal)
        && standing.started_by.as_deref() == Some(wish.person);
    if starter {
        return Err(Refusal::Starter { person: person.name.clone() });
    }
    if wish.plan != standing.plan {
        return Err(Refusal::PlanChanged);
    }
    if wish.note.trim().is_empty() {
        return Err(Refusal::NoReason { what: "rollback" });
    }
    let said = standing.approvals();
    if said.contains(&wish.person) {
        return Err(Refusal::Again { person: person.name.clone(), min: approvers.min });
    }
    let enough = said.len() + 1 >= usize::try_from(approvers.min).unwrap_or(usize::MAX);
    Ok((Approval { person: person.name.clone(), plan: standing.plan.clone() }, enough))
}

/// Whether a rollback may begin, or go on where it had begun.
pub fn may_roll_back(stages: &Stages, standing: &Standing) -> Result<(), Refusal> {
    possible(stages, standing)?;
    if matches!(standing.run, RunState::RollingBack | RunState::Interrupted(Live::RollingBack)) {
        return Ok(());
    }
    let min = stages.snapshot.as_ref().map_or(1, |snapshot| snapshot.approvers.min);
    let said = standing.approvals().len();
    if said < usize::try_from(min).unwrap_or(usize::MAX) {
        return Err(Refusal::Unapproved { said, min });
    }
    Ok(())
}

/// Whether there is a way back at all.
fn possible(stages: &Stages, standing: &Standing) -> Result<(), Refusal> {
    if stages.snapshot.as_ref().is_none_or(|snapshot| snapshot.restore.is_none()) {
        return Err(Refusal::NoWayBack);
    }
    let begun = |name: &StageName| standing.stage(name).attempt > 0;
    if let Some(stage) = stages.stages.iter().find(|stage| stage.point_of_no_return && begun(&stage.name)) {
        return Err(Refusal::NoReturn { stage: stage.name.clone() });
    }
    if way_back(standing.run).is_none() {
        return Err(Refusal::NotBack { state: standing.run });
    }
    Ok(())
}

fn named<'p>(name: &str, people: &'p [Person]) -> Result<&'p Person, Refusal> {
    people
        .iter()
        .find(|person| person.name == name)
        .ok_or_else(|| Refusal::Unknown { person: name.to_owned() })
}
