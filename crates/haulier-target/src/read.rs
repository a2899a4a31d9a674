//! Reads one record again, by its own path where it has one.

use haulier_core::plan::ReplyClass;
use haulier_core::port::{Push, Throttle};
use haulier_core::{Failure, FailureKind, TargetId};
use serde_json::Value;

use crate::adapter::Http;
use crate::program::{Program, Shape, Step};
use crate::proof::record_in;
use crate::reply::{self, Purpose};
use crate::template::Facts;

impl Http {
    /// The record as the target holds it now.
    pub(crate) async fn read_again(
        &self,
        program: &Program,
        push: &Push<'_>,
        throttle: &dyn Throttle,
    ) -> Result<Option<String>, Failure> {
        let own = push.known.map(TargetId::as_str);
        let step = match &program.shape {
            Shape::Put(step) | Shape::Link(step) => Some(step),
            Shape::Update(step) => own.and(Some(step)),
            Shape::Create { update, .. } | Shape::LookupThenWrite { update, .. } => own.and(update.as_ref()),
            Shape::Bulk(_) => None,
        };
        if let Some(step) = step.filter(|step| step.is_readable()) {
            let document = self.get_record(program, step, push, own, throttle).await?;
            return Ok(document.map(|document| record_in(step, &document).unwrap_or(&document).to_string()));
        }
        let Some(finder) = program.shape.lookup() else {
            return Err(Program::unfit(
                "the plan names neither a path nor a lookup that reads a record again",
            ));
        };
        Ok(self.find(program, finder, push, throttle).await?.map(|found| found.record.to_string()))
    }

    /// What GET says at the path of a write.
    pub(crate) async fn get_record(
        &self,
        program: &Program,
        step: &Step,
        push: &Push<'_>,
        own: Option<&str>,
        throttle: &dyn Throttle,
    ) -> Result<Option<Value>, Failure> {
        let facts = Facts { vars: &push.record.vars, refs: push.refs, own };
        let mut path = String::with_capacity(96);
        step.path.fill(facts, &mut path).map_err(|problem| Program::unfit(&problem))?;
        let reply = self.client.get(&path, self.max_reply, Some(throttle), "").await?;
        let lost = |reason| Failure::new(FailureKind::Transient, reason);
        match program.rules.read(Purpose::Read, reply.status, &reply.headers, &reply.body) {
            ReplyClass::Missing => Ok(None),
            ReplyClass::Ok | ReplyClass::Exists => serde_json::from_slice(&reply.body)
                .map(Some)
                .map_err(|_| lost(format!("the reply ({}) is not JSON", reply.media_type()))),
            ReplyClass::Failed(kind) => Err(reply::failure(kind, "re-read", &reply, &push.record.body)),
        }
    }
}
