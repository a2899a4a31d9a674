//! Going back: people's word for it, and its beginning, which a controller then carries out.

use haulier_core::plan::Plan;
use haulier_core::stage::{Back, Fact, Standing, approve, may_roll_back, way_back};

use crate::{Desk, Trouble, Wrote};

/// Keeps a person's word that the target shall be put back, or says why it does not count. The answer says whether it was the
/// last that was missing.
pub async fn agree(
    desk: &Desk,
    plan: &Plan,
    wish: &Back<'_>,
    standing: &mut Standing,
) -> Result<bool, Trouble> {
    loop {
        let (approval, enough) = approve(wish, &plan.stages, standing)?;
        let note = Some(wish.note.trim().to_owned());
        if desk.write(standing, vec![(Fact::Approval(approval), note)]).await? == Wrote::Kept {
            return Ok(enough);
        }
    }
}

/// Lets a rollback begin, where people decided it and nothing is carried. One that has begun goes on.
pub async fn begin(desk: &Desk, plan: &Plan, standing: &mut Standing) -> Result<(), Trouble> {
    loop {
        may_roll_back(&plan.stages, standing)?;
        let facts = facts(standing);
        if facts.is_empty() || desk.write(standing, facts).await? == Wrote::Kept {
            return Ok(());
        }
    }
}

/// What leads from where the run stands to rolling back.
pub(crate) fn facts(standing: &Standing) -> Vec<(Fact, Option<String>)> {
    let by: Vec<&str> = standing.approvals().into_iter().collect();
    let why = if by.is_empty() { None } else { Some(format!("rollback, decided by {}", by.join(", "))) };
    let way = way_back(standing.run).unwrap_or_default();
    way.into_iter().map(|event| (Fact::Run(event), why.clone())).collect()
}
