//! Proves a success: a 2xx is not yet stored.

use haulier_core::plan::Verify;
use haulier_core::port::{Push, Throttle};
use haulier_core::{Failure, FailureKind};
use serde_json::Value;

use crate::adapter::Http;
use crate::compare::same_field;
use crate::http::Reply;
use crate::json;
use crate::lookup::sent;
use crate::program::{Id, Program, Step};

impl Http {
    /// Compares what the target has with what was sent, as the entity's `verify` says.
    pub(crate) async fn prove(
        &self,
        program: &Program,
        step: &Step,
        push: &Push<'_>,
        id: &str,
        reply: &Reply,
        throttle: &dyn Throttle,
    ) -> Result<(), Failure> {
        match program.verify {
            Verify::None => Ok(()),
            Verify::Echo => {
                let Ok(document) = serde_json::from_slice::<Value>(&reply.body) else { return Ok(()) };
                match record_in(step, &document) {
                    Some(record) => compare(program, step, push, record, false),
                    None => Ok(()),
                }
            }
            Verify::Reread => {
                let reread = Box::pin(self.reread(program, step, push, id, throttle)).await;
                // It is stored, but nobody saw what: the next attempt must look before it writes.
                let record = reread.map_err(|failure| Failure {
                    kind: FailureKind::Unknown,
                    reason: crate::reply::shorten(format!("stored, but not read again: {}", failure.reason)),
                    ..failure
                })?;
                let Some(record) = record else {
                    let reason = format!("{}: the record is not there right after the write", step.label);
                    return Err(Failure::new(FailureKind::SilentLoss, reason));
                };
                let inner = record_in(step, &record).unwrap_or(&record);
                compare(program, step, push, inner, true)
            }
        }
    }

    async fn reread(
        &self,
        program: &Program,
        step: &Step,
        push: &Push<'_>,
        id: &str,
        throttle: &dyn Throttle,
    ) -> Result<Option<Value>, Failure> {
        if let Some(finder) = program.shape.lookup() {
            return Ok(self.find(program, finder, push, throttle).await?.map(|found| found.record));
        }
        let path_of = if step.is_readable() {
            Some(step)
        } else {
            program.shape.update().filter(|step| step.is_readable())
        };
        let Some(step) = path_of else {
            return Err(Program::unfit("there is no path that reads the record again"));
        };
        self.get_record(program, step, push, Some(id), throttle).await
    }
}

/// The record's object within a reply: round the id, or within the member that wraps what is sent.
pub(crate) fn record_in<'a>(step: &Step, document: &'a Value) -> Option<&'a Value> {
    let by_id = match &step.id {
        Some(Id::Pointer(at)) => {
            document.pointer(at.parent()).filter(|_| document.pointer(at.as_str()).is_some())
        }
        Some(Id::Header(_) | Id::Location | Id::Made(_)) | None => None,
    };
    let wrapped = || step.wrap.as_ref().and_then(|wrap| wrap.inside(document));
    by_id.or_else(wrapped).or(Some(document)).filter(|found| found.is_object())
}

/// Compares every field that was sent. `whole`: a field that is not there is lost.
pub(crate) fn compare(
    program: &Program,
    step: &Step,
    push: &Push<'_>,
    record: &Value,
    whole: bool,
) -> Result<(), Failure> {
    let lost = |field: &str, what: &str| {
        let reason = format!("{}: the target answers yes, but the field `{field}` {what}", step.label);
        Err(Failure::new(FailureKind::SilentLoss, crate::reply::shorten(reason)))
    };
    let body_fields = json::members(&push.record.body).filter_map(|(raw, value)| {
        let name = serde_json::from_str::<String>(&format!("\"{raw}\"")).ok()?;
        (!(step.omit_nulls && value == "null")).then_some(name)
    });
    let references = program
        .refs
        .iter()
        .zip(push.refs)
        .filter(|(field, id)| field.in_body && !(step.omit_nulls && id.is_none()));
    for name in body_fields.chain(references.map(|(field, _)| field.name.clone())) {
        if !step.only.is_empty() && !step.only.contains(&name) {
            continue;
        }
        let sent = sent(program, push, &name);
        match record.get(&name) {
            Some(held) if same_field(sent, held, program.decimals.contains(&name)) => {}
            Some(_) => return lost(&name, "holds something else"),
            None if whole && !sent.is_nothing() => return lost(&name, "is not kept"),
            None => {}
        }
    }
    Ok(())
}
