//! The questions of the preflight. Nothing is written.

use haulier_core::plan::{Entity, Part, PushProgram, ReplyClass};
use haulier_core::{Failure, FailureKind, TargetId};

use crate::adapter::Http;
use crate::program::Program;
use crate::reply::{self, Purpose, Rules, shorten};
use crate::template::Facts;

/// A key that no target holds.
const NOBODY: &str = "haulier-asks-for-nobody-7f3c9a";

impl Http {
    /// Whether the target answers and takes the credentials.
    pub(crate) async fn check_target(&self) -> Result<(), Failure> {
        let place = self.client.address.place();
        let reply = self.client.get(&self.check_path, self.max_page, None, &place).await?;
        let rules = Rules::new(&[]).map_err(|problem| Program::unfit(&problem))?;
        match rules.read(Purpose::Check, reply.status, &reply.headers, &reply.body) {
            ReplyClass::Failed(
                kind @ (FailureKind::Credential | FailureKind::Throttled | FailureKind::Transient),
            ) => Err(reply::failure(
                kind,
                &format!("check GET {}{}", self.client.address.prefix, self.check_path),
                &reply,
                "",
            )),
            // Many targets have nothing at their base; that they say so is an answer.
            ReplyClass::Ok | ReplyClass::Exists | ReplyClass::Missing | ReplyClass::Failed(_) => Ok(()),
        }
    }

    /// Whether the lookup's filter is heeded: nobody's key must find nothing.
    pub(crate) async fn check_finder(&self, program: &Program, entity: &Entity) -> Result<(), Failure> {
        let Some(finder) = program.shape.lookup() else { return Ok(()) };
        let vars = vec![NOBODY.to_owned(); entity.vars.len()];
        let refs = vec![Some(TargetId::new("0")); entity.refs.len()];
        let facts = Facts { vars: &vars, refs: &refs, own: None };
        match self.candidates(program, finder, facts, "", None).await {
            Ok(candidates) if candidates.is_empty() => Ok(()),
            Ok(candidates) => Err(Failure::new(
                FailureKind::Refused,
                format!(
                    "{}: a key that does not exist finds {} records: the filter is ignored, so the lookup cannot be trusted",
                    finder.label,
                    candidates.len()
                ),
            )),
            // The key may be one that the target would never hold; it says so, and the filter was read.
            Err(failure) if matches!(failure.status, Some(404 | 410)) && is_one_list(entity) => {
                Err(Failure {
                    reason: shorten(format!(
                        "{}; a list that finds nothing is empty, so this path is no list: check `target.base_url` in the site file and the lookup's path in the plan, or say by an `outcomes` rule that 404 is `missing`",
                        failure.reason
                    )),
                    ..failure
                })
            }
            Err(failure) if matches!(failure.status, Some(400 | 404 | 410 | 422)) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

/// Whether the lookup reads a list whose path is the same for all records: neither nobody's key nor a parent that does not
/// exist can be what is missing there.
fn is_one_list(entity: &Entity) -> bool {
    let lookup = match &entity.push {
        PushProgram::Create { lookup: Some(lookup), .. } | PushProgram::LookupThenWrite { lookup, .. } => {
            lookup
        }
        PushProgram::Create { lookup: None, .. }
        | PushProgram::Put { .. }
        | PushProgram::Link { .. }
        | PushProgram::Update { .. }
        | PushProgram::Bulk(_) => return false,
    };
    let query = |part: &Part| matches!(part, Part::Literal(text) if text.contains('?'));
    lookup.items.is_some()
        && lookup
            .path
            .parts
            .iter()
            .take_while(|part| !query(part))
            .all(|part| matches!(part, Part::Literal(_)))
}
